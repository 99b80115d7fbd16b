"""The link on a stream: the pump that moves bytes, and the stream that os.dupterm reads and writes.

Nothing polls while the line is silent: the UART's interrupt calls when bytes have come, one timer when the link wants
to be asked. Both only schedule `_tick`. No exception leaves it, and a call inside a call returns at once.

KeyboardInterrupt is the exception to think of. MicroPython raises it at a jump, in whatever Python code runs then: in
here too. So it is handed on: `_interrupted` puts a Ctrl-C among what was typed, and dupterm_notify, as the very last
step of `_tick`, makes an exception of it that is raised in the program.
"""

import io
import os
from time import sleep_ms, ticks_diff, ticks_ms, ticks_us

from micropython import const, schedule

from webrepl_link.link import Link

from .files import Files

_UP = const(0)  # events, as in webrepl_link.link
_CONTROL = const(0x21)
_TEXT = const(0x22)

_TEXT_ROOM = const(256)  # fits the firmware's own buffer for what is typed
_BINARY_ROOM = const(4096)
_OUTPUT_BYTES = const(512)  # of the program's output wait here
_OUTPUT_DELAY_MS = const(2)  # so that what print writes in pieces goes in one frame
_LEAD_MS = const(8)  # write the next frame so long before the line is free
_RECEIVING_MS = const(20)  # when to look again after bytes have come: there is no interrupt before the line is idle
_ACK_DELAY_MS = const(27)
_IDLE_MS = const(3600000)
_PEER_GONE_MS = const(2000)
_WRITE_MS = const(3000)  # how long print may wait for a peer


class Service(io.IOBase):
    """The link's owner, and the stream for os.dupterm; `start` and `stop` it.

    Args:
        stream, baud, timer: as for webrepl_shim.start.
    """

    is_open = True  # whether the peer may see the terminal

    def __init__(self, stream, baud, timer):
        self._stream = stream
        self._timer = timer
        self._byte_us = 10000000 // baud if baud else 0
        self._callback = self._tick
        self._notify = getattr(os, "dupterm_notify", None)
        self._input = self._output = self._unsent = b""
        self._input_at = 0  # of _input the REPL has read so much
        self._interrupt_at = 0  # and there is a Ctrl-C before this
        self._is_busy = self._is_late = self._is_soon = self._is_polling = False
        self._write = self._write_or_drop
        self._ticks = ticks_ms()
        self._now_ms = 1
        self._free_ms = self._rest_us = 0  # when the line is free
        self._open_link()

    def _open_link(self):
        number = int.from_bytes(os.urandom(2), "little") if hasattr(os, "urandom") else ticks_us()
        self.link = Link(number, 1, _TEXT_ROOM, _BINARY_ROOM)
        self.files = Files(self.link)

    def start(self):
        """Take the stream and the REPL."""
        try:
            self._stream.irq(self._callback, self._stream.IRQ_RXIDLE)
        except (AttributeError, ValueError, TypeError):
            self._is_polling = True
        os.dupterm(self)
        self._arm(1)

    def stop(self):
        """Give both back."""
        self._is_busy = True  # for ever
        self._timer.deinit()
        if not self._is_polling:
            self._stream.irq(None, 0)
        os.dupterm(None)
        self.files.abandon()

    # What os.dupterm calls.

    def readinto(self, buffer):
        """Give out the next byte that was typed; None if there is none."""
        at = self._input_at
        if at == len(self._input):
            return None
        buffer[0] = self._input[at]
        self._input_at = at = at + 1
        if at == len(self._input) and not self._is_soon:
            self._arm(_OUTPUT_DELAY_MS)  # the peer may send more
        return 1

    def write(self, data):
        """Take output; return how much was taken."""
        return self._write(data)  # no jump here: see _append

    def _append(self, data):
        """Take output while an interrupt is on its way, without a jump: a program that does nothing but print."""
        self._output += data
        return len(data)

    def _write_or_drop(self, data):
        """Take output; wait for room while there is a peer, else drop what is oldest."""
        data = bytes(data)[: _OUTPUT_BYTES >> 1]
        size = len(data)
        room_at = _OUTPUT_BYTES - size
        try:
            start = ticks_ms()
            while (
                len(self._output) > room_at
                and self.link.is_up
                and not self._is_busy
                and self._now() - self.link.heard_ms < _PEER_GONE_MS
                and ticks_diff(ticks_ms(), start) < _WRITE_MS
            ):
                self._pump()
                sleep_ms(1)
            self._output = self._output[-room_at:] + data
            data = b""
            if self._is_busy:
                self._is_late = True
            elif not self._is_soon:
                self._arm(_OUTPUT_DELAY_MS)
        except BaseException as error:
            self._output += data
            self._interrupted(error)
        return size

    def ioctl(self, request, argument):
        """Answer a poll; come back when the firmware has detached this."""
        if request == 3:
            return argument & (5 if self._input_at < len(self._input) else 4)
        if request == 4:
            schedule(os.dupterm, self)
        return 0

    # The pump.

    def _now(self):
        ticks = ticks_ms()
        self._now_ms += ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._now_ms

    def _arm(self, delay_ms):
        self._is_soon = delay_ms <= _OUTPUT_DELAY_MS
        self._timer.init(mode=self._timer.ONE_SHOT, period=delay_ms, callback=self._callback)

    def _tick(self, _):
        self._pump()
        self._write = self._write_or_drop
        if self._interrupt_at > self._input_at and self._notify:
            self._notify(None)

    def _interrupted(self, error):
        if isinstance(error, KeyboardInterrupt):
            self._input = self._input[self._input_at :] + b"\x03"
            self._input_at = 0
            self._interrupt_at = len(self._input)
            self._write = self._append
        self._arm(1)

    def _pump(self):
        self._is_late = True
        if self._is_busy:
            return
        delay_ms = 0
        try:
            try:
                self._is_busy = True
                self._is_late = False
                delay_ms = self._move()
            finally:
                self._is_busy = False
            self._arm(1 if self._is_late else delay_ms)
        except BaseException as error:
            if not delay_ms:  # the link may be half way in a step: begin a new session
                self.files.abandon()
                self._open_link()
            self._interrupted(error)

    def _move(self):
        """Move what there is to move; return in how many milliseconds to look again."""
        link = self.link
        delay_ms = _RECEIVING_MS if self._is_polling or self.files.left else _IDLE_MS
        count = self._stream.any()
        now_ms = self._now()
        if count:
            # All that may come before the files are written is acknowledged before.
            link.ack_delay_ms = _ACK_DELAY_MS if link.bulk.room > 1020 else 0
            missing = link.receive_data(self._stream.read(count), now_ms)
            delay_ms = missing * self._byte_us // 1000 + 1 if missing else _RECEIVING_MS
            while True:
                event = link.next_event()
                if not event:
                    break
                self._take(event[0], event[1])
        at = self._input_at
        if at:
            self._input = self._input[at:]
            self._input_at = 0
            self._interrupt_at -= at
            link.consumed(_TEXT, at)
        if self._output and link.is_up and self.is_open and not link.urgent.waiting_bytes:
            link.send_text(self._output[:255])
            self._output = self._output[255:]
        if self._send(now_ms):
            delay_ms = min(delay_ms, max(self._free_ms - now_ms - _LEAD_MS, 2))
        elif self.files.work():
            delay_ms = 1
        return max(1, min(link.next_deadline_ms() - now_ms, delay_ms))

    def _take(self, kind, value):
        if kind == _TEXT:
            at = value.rfind(b"\x03")
            if at >= 0:
                self._interrupt_at = len(self._input) + at + 1
            self._input += value
        elif kind > _TEXT:
            self.files.receive(value)
        elif kind == _UP:
            self.files.abandon()
        elif kind == _CONTROL:
            self.files.control(value)

    def _send(self, now_ms):
        """Write frames while little waits to get out; return whether there is more."""
        while self._free_ms - now_ms <= _LEAD_MS:
            data = self._unsent or self.link.data_to_send(now_ms)
            if not data:
                return False
            written = self._stream.write(data) or 0
            self._unsent = data[written:]
            us = self._rest_us + written * self._byte_us
            self._rest_us = us % 1000
            now_ms = self._now()
            self._free_ms = max(self._free_ms, now_ms) + us // 1000
            if self._unsent:
                break
        return True
