"""The link on a stream: the pump that moves bytes, and the stream that os.dupterm reads and writes.

Nothing polls while the line is silent: the UART's interrupt calls when bytes have come, one timer when the link wants
to be asked. Both only schedule `_tick`. Whatever happens in it, no exception leaves it, and a call inside a call
returns at once.
"""

import io
import os
from time import sleep_ms, ticks_diff, ticks_ms

from micropython import const, schedule

from webrepl_link.link import BINARY, BINARY_PART, CONTROL, TEXT, UP, Link

from .files import Files

_TEXT_ROOM = const(256)  # no more than what the firmware's own buffer for typed text takes
_BINARY_ROOM = const(4096)
_OUTPUT_BYTES = const(512)  # of the program's output wait here
_RECEIVING_MS = const(20)  # how often to look while bytes keep coming: no interrupt until the line is idle
_SENDING_MS = const(10)
_OUTPUT_DELAY_MS = const(2)  # so that what print writes in pieces goes in one frame
_PEER_GONE_MS = const(2000)
_WRITE_WAIT_MS = const(3000)
_INTERRUPT = const(3)


class Service(io.IOBase):
    """The link's owner, and the stream for os.dupterm; `start` and `stop` it.

    Args:
        stream, password, baud, timer: as for webrepl_shim.start.
    """

    def __init__(self, stream, password, baud, timer):
        from machine import Timer

        self._stream = stream
        self._byte_us = 10000000 // baud if baud else 0
        self._timer = Timer(timer)
        self._one_shot = Timer.ONE_SHOT
        self._tick_method = self._tick
        self._notify = getattr(os, "dupterm_notify", None)
        self._login = None
        if password:
            from .login import Login

            self._login = Login(password)
        self._input = b""
        self._input_at = 0
        self._interrupt_at = 0
        self._output = b""
        self._unsent = b""
        self._is_busy = self._is_soon = self._is_late = self._is_half_way = self._is_stopped = False
        self._take_output = self._write_or_drop
        self._ticks = ticks_ms()
        self._now_ms = 1
        self._line_free_us = 0
        self._open_link()

    def _open_link(self):
        try:
            number = int.from_bytes(os.urandom(2), "little")
        except AttributeError:
            from time import ticks_us

            number = ticks_us()
        self.link = Link(number & 0x7FFF, 1, _TEXT_ROOM, _BINARY_ROOM)
        self.files = Files(self.link)

    def start(self):
        """Take the stream and the REPL."""
        irq = getattr(self._stream, "irq", None)
        if irq:
            try:
                irq(self._tick_method, self._stream.IRQ_RXIDLE)
            except (AttributeError, ValueError, TypeError):
                irq = None
        self._is_polling = not irq
        os.dupterm(self)
        self._arm(1)

    def stop(self):
        """Give both back."""
        self._is_stopped = True
        self._timer.deinit()
        if not self._is_polling:
            self._stream.irq(None, 0)
        os.dupterm(None)
        self.files.abandon()

    # What os.dupterm calls.

    def readinto(self, buffer):
        """Give out the next byte that was typed; None if there is none."""
        at = self._input_at
        if at >= len(self._input):
            return None
        buffer[0] = self._input[at]
        self._input_at = at = at + 1
        if at == len(self._input) and not self._is_soon:
            self._arm(_OUTPUT_DELAY_MS)
        return 1

    def write(self, data):
        """Take output; wait for room while there is a peer, else drop what is oldest. Returns how much was taken."""
        return self._take_output(data)  # no jump here: see _append

    def _write_or_drop(self, data):
        try:
            return self._write(bytes(data))
        except BaseException as error:
            self._failed(error)
            return len(data)

    def _append(self, data):
        """Take output while an interrupt is on its way to the program.

        MicroPython raises KeyboardInterrupt at jumps. A program that does nothing but print would have it raised here
        every time, if there were one.
        """
        self._output += data
        return len(data)

    def _write(self, data):
        size = len(data)
        if len(self._output) + size > _OUTPUT_BYTES:
            data = data[: _OUTPUT_BYTES >> 1]
            size = len(data)
            room_at = _OUTPUT_BYTES - size
            start = ticks_ms()
            while len(self._output) > room_at and self._has_peer() and ticks_diff(ticks_ms(), start) < _WRITE_WAIT_MS:
                self._pump()
                sleep_ms(1)
            if len(self._output) > room_at:
                self._output = self._output[-room_at:]
        self._output += data
        if self._is_busy:
            self._is_late = True
        elif not self._is_soon:
            self._arm(_OUTPUT_DELAY_MS)
        return size

    def ioctl(self, request, argument):
        """Answer a poll; come back when the firmware has detached this."""
        if request == 3:
            return argument & (5 if self._input_at < len(self._input) else 4)
        if request == 4 and not self._is_stopped:
            try:
                schedule(os.dupterm, self)
            except RuntimeError:
                pass
        return 0

    def _has_peer(self):
        return not self._is_busy and self.link.is_up and self._now() - self.link.heard_ms < _PEER_GONE_MS

    # The pump.

    def _now(self):
        ticks = ticks_ms()
        self._now_ms += ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._now_ms

    def _arm(self, delay_ms):
        self._is_soon = delay_ms <= _OUTPUT_DELAY_MS
        self._timer.init(mode=self._one_shot, period=delay_ms, callback=self._tick_method)

    def _tick(self, _):
        if self._is_busy:
            self._is_late = True
            return
        if self._is_stopped:
            return
        self._is_soon = False
        try:
            self._pump()
        except BaseException as error:
            self._failed(error)
        self._take_output = self._write_or_drop
        # The last thing here: an interrupt that this finds is raised in the program at its next jump.
        if self._interrupt_at > self._input_at and self._notify:
            self._notify(None)

    def _failed(self, error):
        """Go on after an exception: with a new session if the link may be half way in a step."""
        if isinstance(error, KeyboardInterrupt):  # it was meant for the program
            self._input = self._input[self._input_at :] + b"\x03"
            self._input_at = 0
            self._interrupt_at = len(self._input)
            self._take_output = self._append
        if self._is_half_way:
            self.files.abandon()
            self._open_link()
        self._arm(1)

    def _pump(self):
        if self._is_busy:
            return
        try:
            self._is_busy = self._is_half_way = True
            self._arm(self._move())
            self._is_half_way = False
        finally:
            self._is_busy = False
        if self._is_late:
            self._is_late = False
            self._arm(1)

    def _move(self):
        """Move what there is to move; return in how many milliseconds to look again."""
        link = self.link
        stream = self._stream
        count = stream.any()
        delay_ms = 3600000
        now_ms = self._now()
        if count:
            link.receive_data(stream.read(count), now_ms)
            delay_ms = _RECEIVING_MS
        while True:
            event = link.next_event()
            if event is None:
                break
            self._take(event[0], event[1])
        if self._input_at:
            self._input_read()
        self.files.work()
        if self._output and link.is_up and not link.urgent.waiting_bytes and (not self._login or self._login.is_in):
            piece = self._output[:255]
            self._output = self._output[255:]
            link.send_text(piece)
        if self._send(now_ms):
            delay_ms = _SENDING_MS
        elif self._is_polling:
            delay_ms = _RECEIVING_MS
        return max(1, min(link.next_deadline_ms() - now_ms, delay_ms))

    def _input_read(self):
        """Give the peer the room of what the REPL has read."""
        at = self._input_at
        self._input = self._input[at:]
        self._input_at = 0
        self._interrupt_at -= at
        self.link.consumed(TEXT, at)

    def _take(self, kind, value):
        if self._login and not self._login.take(self.link, kind, value):
            return
        if kind == TEXT:
            at = value.rfind(b"\x03")
            if at >= 0:
                self._interrupt_at = len(self._input) + at + 1
            self._input += value
        elif kind in (BINARY, BINARY_PART):
            self.files.receive(value)
        elif kind == UP:
            self.files.abandon()
        elif kind == CONTROL:
            self.files.control(value)

    def _send(self, now_ms):
        """Write frames as long as little waits to get out; return whether there is more."""
        while True:
            if self._byte_us and self._line_free_us - now_ms * 1000 > _SENDING_MS * 1000:
                return True
            data = self._unsent or self.link.data_to_send(now_ms)
            if not data:
                return False
            written = self._stream.write(data) or 0
            self._unsent = data[written:]
            self._line_free_us = max(self._line_free_us, now_ms * 1000) + written * self._byte_us
            if self._unsent:
                return True
