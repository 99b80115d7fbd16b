"""The link on a stream: the pump that moves bytes, and the stream that os.dupterm reads and writes.

Nothing polls while the line is silent: the UART's interrupt calls when bytes have come, one timer when the link wants
to be asked. Both only schedule `trigger`. No exception leaves it, and a call inside a call returns at once.

KeyboardInterrupt is the exception to think of. MicroPython raises it at a jump, in whatever Python code runs then: in
here too. So it is handed on: `throw` puts a Ctrl-C among what was typed, and dupterm_notify, as the very last step of
`trigger`, makes an exception of it that is raised in the program.

Attributes are called as something in the firmware where that is possible: a name that it does not have takes 20 bytes.
"""

import io
import os
from time import sleep_ms, ticks_add, ticks_diff, ticks_ms, ticks_us

from machine import Timer
from micropython import const, schedule

from webrepl_link.link import Link

from . import guard

_UP = const(0)  # events, as in webrepl_link.link
_CONTROL = const(0x21)
_TEXT = const(0x22)

_TEXT_ROOM = const(256)  # fits the firmware's own buffer for what is typed
_BINARY_ROOM = const(4096)
_OUTPUT_BYTES = const(512)  # of the program's output wait here
_OUTPUT_DELAY_MS = const(2)  # so that what print writes in pieces goes in one frame
_OUTPUT_PAUSE_MS = const(8)  # between two frames of it, unless there is much
_OUTPUT_MUCH = const(127)
_SOON_MS = const(10)
_DEAF_MS = const(5)
_FAILED_MS = const(100)  # when to look again at a stream that fails
_LEAD_MS = const(8)  # write the next frame so long before the line is free
_RECEIVING_MS = const(20)  # when to look again after bytes have come: there is no interrupt before the line is idle
_ACK_DELAY_MS = const(27)
_IDLE_MS = const(3600000)
_PEER_GONE_MS = const(2000)
_WRITE_MS = const(3000)  # how long print may wait for a peer
_GUARDED_MS = const(2)  # when to look again whether the program has done with its file


class Service(io.IOBase):
    """The link's owner, and the stream for os.dupterm; `start` and `stop` it.

    Args:
        stream, timer, baud, password: as for webrepl_shim.start; this one asks for no password.
    """

    active = True  # whether the peer may see the terminal
    notify = hasattr(os, "dupterm_notify")  # whether a Ctrl-C can be made an exception
    timeout = _IDLE_MS  # how long nothing may happen
    mode = Timer.ONE_SHOT
    min = 1  # the shortest delay

    def __init__(self, stream, timer, baud, _):
        if not hasattr(stream, "any"):
            from .ports import Port

            stream = Port(stream)
        self.stream = stream
        self.timer = Timer(timer)
        self.rate = baud >> 4 or 1 << 29  # sixteenths of it: products with it fit a small integer
        self.callback = self.trigger
        self.stdin = self.stdout = self.buffer = b""  # typed, printed, and the rest of a frame to write
        self.tell = 0  # of stdin the REPL has read so much
        self.busy = self.late = False
        self.write = self.print
        self.files = None  # loaded when the first request comes
        self.ticks = ticks_ms()
        self.time = 1
        self.free = self.us = 0  # the millisecond when the line is free, and microseconds more
        self.idle = 0  # when it has been long enough since the last of stdout
        try:
            stream.irq(self.callback, stream.IRQ_RXIDLE)
        except Exception:  # one of three, by the firmware
            # Nothing else would call again when the scheduler's queue is full just then.
            self.timeout = _RECEIVING_MS
            self.mode = Timer.PERIODIC
            self.min = _DEAF_MS
        self.restart()
        os.dupterm(self)
        self.delay(1)

    def restart(self):
        """Begin with a link that has no session."""
        number = ticks_us()  # a board may have no randomness, or the same after each start
        if hasattr(os, "urandom"):
            number ^= int.from_bytes(os.urandom(2), "little")
        self.link = Link(number, 1, _TEXT_ROOM, _BINARY_ROOM)

    def stop(self):
        """Give the stream and the REPL back."""
        self.busy = True  # for ever
        self.timer.deinit()
        if self.timeout == _IDLE_MS:
            self.stream.irq(None, 0)
        os.dupterm(None)
        self.cancel()

    # What os.dupterm calls. There is no jump in these, where an interrupt would be raised and be lost.

    def readinto(self, buffer):
        """Give out the next byte that was typed; None if there is none."""
        piece = self.stdin[self.tell : self.tell + 1]
        count = len(piece)
        buffer[:count] = piece
        self.tell += count
        # If that was the last one the peer may send more.
        (abs, self.delay)[count & (self.tell == len(self.stdin))](_OUTPUT_DELAY_MS)
        return (None, 1)[count]

    def ioctl(self, op, value):
        """Answer a poll; come back when the firmware has detached this."""
        (id, self.connect)[op == 4](self)
        return value & (4 | (self.tell < len(self.stdin))) * (op == 3)

    def connect(self, _):
        """Take the REPL, soon."""
        schedule(os.dupterm, self)

    def append(self, buffer):
        """Take output while an interrupt is on its way, for a program that does nothing but print."""
        self.stdout += buffer
        return len(buffer)

    def print(self, buffer):
        """Take output; wait for room while there is a peer, else drop what is oldest."""
        data = bytes(buffer)[: _OUTPUT_BYTES >> 1]
        size = len(data)
        try:
            if len(self.stdout) + size > _OUTPUT_BYTES:
                start = ticks_ms()
                while (
                    len(self.stdout) + size > _OUTPUT_BYTES
                    and self.link.is_up
                    and not self.busy
                    and self.now() - self.link.heard_ms < _PEER_GONE_MS
                    and ticks_diff(ticks_ms(), start) < _WRITE_MS
                ):
                    self.drain()
                    sleep_ms(1)
                if len(self.stdout) + size > _OUTPUT_BYTES:
                    self.stdout = self.stdout[_OUTPUT_BYTES >> 1 :]
            self.stdout += data
            data = b""
            if self.busy:
                self.late = True
            elif self.link.is_up and not -_RECEIVING_MS < ticks_diff(self.period, ticks_ms()) <= _SOON_MS:
                self.delay(_OUTPUT_DELAY_MS)
        except BaseException as error:
            self.stdout += data
            self.throw(error)
        return size

    # The pump.

    def now(self):
        """Return a time in milliseconds that only grows."""
        ticks = ticks_ms()
        self.time += ticks_diff(ticks, self.ticks)
        self.ticks = ticks
        return self.time

    def delay(self, value):
        """Call trigger after so many milliseconds, and not before."""
        value = max(value, self.min)
        self.period = ticks_add(ticks_ms(), value)  # when it ends
        self.timer.init(mode=self.mode, period=value, callback=self.callback)

    def trigger(self, _):
        """Do what there is to do; called by the scheduler."""
        self.drain()
        self.write = self.print
        if self.busy or guard.busy or not self.notify or b"\x03" not in self.stdin:
            return
        self.write = self.append  # until the exception has been raised: the next jump may not be one in `print`
        os.dupterm_notify(None)

    def throw(self, value):
        """Go on after an exception; an interrupt is meant for the program."""
        delay_ms = _FAILED_MS
        if isinstance(value, KeyboardInterrupt):
            self.stdin = self.stdin[self.tell :] + b"\x03"
            self.tell = 0
            self.write = self.append
            delay_ms = 1
        self.delay(delay_ms)

    def cancel(self):
        """Forget files that are half done."""
        if self.files:
            self.files.cancel()
            self.files = None

    def drain(self):
        """Move what there is to move, and see to it that trigger is called in time."""
        self.late = True
        if self.busy:
            return
        delay_ms = 0
        try:
            try:
                self.busy = True
                self.late = False
                delay_ms = self.feed()
            finally:
                self.busy = False
            if self.late or (self.notify and b"\x03" in self.stdin):
                delay_ms = 1
            self.delay(delay_ms)
        except BaseException as error:
            if not delay_ms:  # the link may be half way in a step: begin a new session
                self.restart()
            self.throw(error)

    def feed(self):
        """Move what there is to move; return in how many milliseconds to look again."""
        link = self.link
        delay_ms = self.timeout
        count = self.stream.any()
        now_ms = self.now()
        if count:
            # All that may come before the files are written is acknowledged before.
            link.ack_delay_ms = _ACK_DELAY_MS if link.bulk.room > 1020 else 0
            missing = link.receive_data(self.stream.read(count), now_ms)
            delay_ms = missing * 625 // self.rate + 1 if missing else _RECEIVING_MS
        while not guard.busy:
            event = link.next_event()
            if not event:
                break
            self.accept(event[0], event[1])
        if self.tell:
            link.consumed(_TEXT, self.tell)
            self.stdin = self.stdin[self.tell :]
            self.tell = 0
        if self.stdout and link.is_up and self.active and not link.urgent.waiting_bytes:
            wait_ms = self.idle - now_ms
            if wait_ms > 0 and len(self.stdout) <= _OUTPUT_MUCH:
                delay_ms = min(delay_ms, wait_ms)
            else:
                link.send_text(self.stdout[:255])
                self.stdout = self.stdout[255:]
                self.idle = now_ms + _OUTPUT_PAUSE_MS
        files = self.files
        if self.send(now_ms):
            delay_ms = min(delay_ms, max(self.free - now_ms - _LEAD_MS, 2))
        elif guard.busy:
            delay_ms = min(delay_ms, _GUARDED_MS)
        elif files and files.run():
            delay_ms = 1
        elif files and files.size:  # a burst may come
            delay_ms = min(delay_ms, _RECEIVING_MS)
        delay_ms = min(delay_ms, getattr(self.stream, "pause_ms", delay_ms))  # one that wants to be asked
        return max(1, min(link.next_deadline_ms() - now_ms, delay_ms))

    def accept(self, kind, value):
        """Take an event of the link."""
        if kind == _TEXT:
            self.stdin += value
        elif kind >= _CONTROL:
            if not self.files:
                from .files import Files

                self.files = Files(self.link)
            self.files.accept(kind, value)
        elif kind == _UP:
            self.cancel()

    def send(self, now_ms):
        """Write frames while little waits to get out; return whether there is more."""
        while self.free - now_ms <= _LEAD_MS:
            data = self.buffer or self.link.data_to_send(now_ms)
            if not data:
                return False
            written = self.stream.write(data) or 0
            self.buffer = data[written:]
            us = self.us + written * 625000 // self.rate
            self.us = us % 1000
            now_ms = self.now()
            self.free = max(self.free, now_ms) + us // 1000
            if self.buffer:
                break
        return True
