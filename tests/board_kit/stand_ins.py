"""What a board's firmware has, the shim needs, and MicroPython's unix port lacks; MicroPython runs this.

Import it before the shim: machine.Timer, os.dupterm and a UART. There are no interrupts: `run_due` does what the
firmware does between two steps of a program.
"""

import sys
import time
from time import ticks_add, ticks_diff


class Namespace:
    """A module."""


class Clock:
    """A clock that stands still until `now_ms` is changed; instead of the real one from `hold_clock` on.

    Attributes:
        sleep: what is called instead of sleeping.
    """

    now_ms = 1
    sleep = None

    @staticmethod
    def ticks_ms():
        return Clock.now_ms

    @staticmethod
    def ticks_us():
        return Clock.now_ms * 1000

    @staticmethod
    def sleep_ms(duration_ms):
        Clock.sleep(duration_ms)


clock = time


timers = []  # that run


class Timer:
    """machine.Timer.

    Attributes:
        lost: how many more callbacks find the scheduler's queue full.
    """

    ONE_SHOT, PERIODIC = 0, 1
    lost = 0

    def __init__(self, number):
        pass

    def init(self, mode, period, callback):
        self.deinit()
        self.mode, self.period, self.callback = mode, period, callback
        self.due = ticks_add(clock.ticks_ms(), period)
        timers.append(self)

    def deinit(self):
        if self in timers:
            timers.remove(self)

    def run(self):
        if self.mode == Timer.ONE_SHOT:
            self.deinit()
        self.due = ticks_add(clock.ticks_ms(), self.period)
        if Timer.lost:
            Timer.lost -= 1
        else:
            self.callback(self)


class Uart:
    """machine.UART, without a wire.

    Attributes:
        coming: what has arrived and is not read.
        written: what was written.
        failures: what the next calls raise.
    """

    IRQ_RXIDLE = 1

    def __init__(self):
        self.coming = self.written = b""
        self.failures = []
        self.on_idle = None

    def irq(self, handler, trigger):
        self.on_idle = handler

    def _fail(self):
        if self.failures:
            raise self.failures.pop(0)

    def any(self):
        self._fail()
        return len(self.coming)

    def read(self, count):
        self._fail()
        data, self.coming = self.coming[:count], self.coming[count:]
        return data or None

    def write(self, data):
        self._fail()
        self.written += data
        return len(data)

    def arrive(self, data):
        """Bring bytes, and be idle again."""
        self.coming += data
        if self.on_idle:
            self.on_idle(self)


class Terminal:
    """The REPL's slot.

    Attributes:
        stream: what is in it.
        typed: what came out of it at the last dupterm_notify.
    """

    stream = None
    typed = b""


def next_due_ms():
    """Return in how many milliseconds a timer is due, or -1 if none runs."""
    return max(0, min([ticks_diff(timer.due, clock.ticks_ms()) for timer in timers])) if timers else -1


def run_due():
    """Run the timers that are due."""
    for timer in list(timers):
        if ticks_diff(timer.due, clock.ticks_ms()) <= 0:
            timer.run()


def typed():
    """Return what was typed, as the firmware reads it when the REPL waits."""
    data, Terminal.typed = Terminal.typed, b""
    byte = bytearray(1)
    while Terminal.stream and Terminal.stream.readinto(byte):
        data += byte
    return data


def _dupterm(stream, index=0):
    before, Terminal.stream = Terminal.stream, stream
    return before


def _dupterm_notify(_):
    Terminal.typed += typed()


def replace(name, members):
    """Put a module in the place of `name` that has these members beside its own."""
    module, real = Namespace(), __import__(name)
    for member in dir(real):
        if not member.startswith("__"):
            setattr(module, member, getattr(real, member))
    for member, value in members.items():
        setattr(module, member, value)
    sys.modules[name] = module
    return module


def hold_clock():
    """Stop the time, for what is imported from now on."""
    global clock
    clock = Clock
    replace("time", {name: getattr(Clock, name) for name in ("ticks_ms", "ticks_us", "sleep_ms")})


replace("os", {"dupterm": _dupterm, "dupterm_notify": _dupterm_notify})
replace("machine", {"Timer": Timer})
