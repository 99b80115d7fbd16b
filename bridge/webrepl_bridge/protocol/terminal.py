"""Typing at a board without loss.

A board's input buffer is small (260 bytes on ESP32, 64 on old boards) and a UART has no flow control, so bytes may
only be sent as fast as the board takes them. What tells how fast that is depends on the mode:

prompt, paste   The board echoes what it reads: at most WINDOW_BYTES wait for their echo. Keys that have none
                (arrows, Tab) are taken as read once the board has been quiet for QUIET_MS.
after Enter     The rest of a pasted text waits for the next prompt. One line of it goes ahead after QUIET_MS, for
                `input()`, whose echo lets more follow.
running         What is typed then goes at once, up to BURST_BYTES, and BURST_BYTES a second when nothing is echoed.
raw             Code is carried by raw-paste, which has a window; see raw_carrier.
raw, running    Everything goes at once: the tool at the other end knows what its program reads.

Ctrl-C drops what waits in front of it and goes at once, as on any terminal.
"""

from __future__ import annotations

import enum
import re
from collections import deque

from .raw_carrier import RAW_PASTE_REQUEST, RawCarrier, State
from .repl_tracker import Mode, ReplTracker

WINDOW_BYTES = 32
QUIET_MS = 150
SWITCH_TIMEOUT_MS = 500
INTERRUPT_PAUSE_MS = 100
BURST_BYTES = 128

CTRL_C = b"\x03"
MODE_KEYS = b"\x01\x02\x04\x05"

_PLAIN_AT_PROMPT = re.compile(rb"[^\x01-\x05\r]*\r?")
_PLAIN_IN_PASTE = re.compile(rb"[^\x03\x04]*")


class _Gate(enum.Enum):
    OPEN = "open"
    SWITCH = "switch"  # the mode is changing: nothing goes until the new prompt has arrived
    RUN = "run"  # a line was entered: what was queued behind it waits for the next prompt


class Terminal:
    """Pure core of a board's terminal: clients' bytes in, board's bytes in, and what goes to either.

    Attributes:
        tracker: what the REPL is doing.
        carrier: how raw-mode code travels.
    """

    def __init__(self) -> None:
        self.tracker = ReplTracker()
        self.carrier = RawCarrier()
        self._queue = bytearray()
        self._shown = b""
        self._unechoed: deque[int] = deque(maxlen=2 * BURST_BYTES)  # sent, oldest first, echo not yet seen
        self._silent_bytes = 0  # sent since the last echo, without an echo of their own
        self._gate = _Gate.OPEN
        self._gate_arrivals = 0  # tracker.arrivals when the gate closed
        self._gate_deadline_ms = 0
        self._ahead_bytes = 0  # what may still pass a RUN gate
        self._tokens = BURST_BYTES
        self._tokens_at_ms = 0
        self._last_traffic_ms = 0

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be typed."""
        return len(self._queue)

    @property
    def settled(self) -> bool:
        """Whether all that was typed has had its effect: every echo and every awaited prompt has come."""
        under_way = self._queue or self._unechoed or self._silent_bytes
        return not (under_way or self._gate_closed() or self.carrier.state is not State.IDLE)

    def type(self, data: bytes) -> None:
        """Queue bytes from a client."""
        interrupt = data.find(CTRL_C)
        if interrupt >= 0 and (self._queue or self._gate_closed()):
            self._queue.clear()
            data = data[interrupt:]
        elif not self._queue and self._gate is _Gate.RUN:
            self._gate = _Gate.OPEN  # typed while a program runs, so it is for the program
        self._queue += data

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take the board's output."""
        self._last_traffic_ms = now_ms
        if self.carrier.busy:
            shown, data = self.carrier.receive_data(data)
            self._shown += shown
            if shown:
                self.tracker.resume(Mode.RAW_RUNNING)
            elif not self.carrier.busy:
                self.tracker.resume(Mode.RAW)
        self._shown += data
        arrivals = self.tracker.arrivals
        self.tracker.receive_data(data)
        self._settle_echo(data)
        if self.tracker.arrivals != arrivals:
            self._all_read()
            self._tokens = BURST_BYTES

    def data_to_show(self) -> bytes:
        """Return what the clients should see, each byte once."""
        shown, self._shown = self._shown, b""
        return shown

    def data_to_send(self, now_ms: int) -> bytes:
        """Return what may go to the board now."""
        sent = bytearray()
        while self._queue and (portion := self._next_portion(now_ms)):
            self.tracker.data_sent(portion)
            sent += portion
        if sent:
            self._last_traffic_ms = now_ms
        return bytes(sent)

    def next_deadline_ms(self) -> int | None:
        """When `handle_timeout` must be called if nothing else happens; None for never."""
        deadlines = []
        if (carrier := self.carrier.next_deadline_ms()) is not None:
            deadlines.append(carrier)
        if self._unechoed or self._silent_bytes:
            deadlines.append(self._last_traffic_ms + QUIET_MS)
        if self._gate_closed() and (self._gate is _Gate.SWITCH or (self._queue and self._ahead_bytes > 0)):
            deadlines.append(self._gate_deadline_ms)
        if self._queue and self._tokens <= 0:
            deadlines.append(self._tokens_at_ms + 1000 * WINDOW_BYTES // BURST_BYTES)
        return min(deadlines, default=None)

    def handle_timeout(self, now_ms: int) -> None:
        """Act on every deadline that has passed; `data_to_send` may then have something."""
        self.carrier.handle_timeout(now_ms)
        if now_ms >= self._last_traffic_ms + QUIET_MS:
            self._all_read()
        if self._gate is _Gate.SWITCH and now_ms >= self._gate_deadline_ms:
            self._gate = _Gate.OPEN
        self._earn_tokens(now_ms)

    # Which bytes go when, by mode. Each takes a portion off the queue and returns it; none means wait.

    def _next_portion(self, now_ms: int) -> bytes:
        if self.carrier.state is not State.IDLE:
            return self._type_code(now_ms)
        if self._queue[:1] == CTRL_C:
            self._close_gate(_Gate.SWITCH, now_ms + INTERRUPT_PAUSE_MS)
            self._all_read()
            return self._take(1)
        if self._gate_closed():
            return self._go_ahead(now_ms) if self._gate is _Gate.RUN else b""
        match self.tracker.mode:
            case Mode.PROMPT | Mode.CONTINUATION:
                return self._type_at_prompt(now_ms)
            case Mode.PASTE:
                return self._type_paste(now_ms)
            case Mode.RAW:
                return self._type_raw(now_ms)
            case Mode.RAW_RUNNING:
                return self._take(len(self._queue))
            case _:
                return self._type_at_program(now_ms)

    def _type_at_prompt(self, now_ms: int) -> bytes:
        key = self._queue[0]
        if key in MODE_KEYS:
            if self._unechoed:
                return b""  # what it does depends on whether the line is empty
            if self.tracker.line_is_empty:
                gate, timeout_ms = (_Gate.RUN, QUIET_MS) if key == 0x04 else (_Gate.SWITCH, SWITCH_TIMEOUT_MS)
                self._close_gate(gate, now_ms + timeout_ms)
            else:
                self._silent_bytes += 1
            return self._take(1)
        return self._type_echoed(_PLAIN_AT_PROMPT, range(0x20, 0x7F), now_ms)

    def _type_paste(self, now_ms: int) -> bytes:
        if self._queue[0] == 0x04:
            self._close_gate(_Gate.RUN, now_ms + QUIET_MS)
            return self._take(1)
        return self._type_echoed(_PLAIN_IN_PASTE, range(0x100), now_ms)

    def _type_echoed(self, plain: re.Pattern[bytes], echoed: range, now_ms: int) -> bytes:
        match = plain.match(self._queue, 0, max(0, WINDOW_BYTES - len(self._unechoed) - self._silent_bytes))
        portion = self._take(match.end() if match else 0)
        for key in portion:
            if key in echoed or key == 0x0D:
                self._unechoed.append(key)
            else:
                self._silent_bytes += 1
        if portion.endswith(b"\r") and self.tracker.mode is not Mode.PASTE:
            self._close_gate(_Gate.RUN, now_ms + QUIET_MS)
        return portion

    def _type_at_program(self, now_ms: int) -> bytes:
        self._earn_tokens(now_ms)
        portion = self._take(self._tokens)
        self._tokens -= len(portion)
        self._unechoed.extend(portion)
        return portion

    def _go_ahead(self, now_ms: int) -> bytes:
        if now_ms < self._gate_deadline_ms:
            return b""
        line_end = self._queue.find(b"\r")
        portion = self._take(min(self._ahead_bytes, line_end + 1 if line_end >= 0 else len(self._queue)))
        self._ahead_bytes -= len(portion)
        self._unechoed.extend(portion)
        return portion

    def _type_raw(self, now_ms: int) -> bytes:
        key = self._queue[0]
        if RAW_PASTE_REQUEST.startswith(self._queue[:3]):
            if len(self._queue) >= len(RAW_PASTE_REQUEST):
                # "Understood, not supported": the client falls back to plain raw mode, which we carry by raw-paste
                # ourselves. Its own could not pass through text frames: the window's 0x80 is no character.
                self._take(len(RAW_PASTE_REQUEST))
                self._shown += b"R\x00"
                return self._next_portion(now_ms) if self._queue else b""
            return b""
        if key == 0x04:
            self._close_gate(_Gate.RUN, now_ms + QUIET_MS)
            return self._take(1)
        if key in MODE_KEYS:
            self._close_gate(_Gate.SWITCH, now_ms + SWITCH_TIMEOUT_MS)
            return self._take(1)
        return self._type_code(now_ms)

    def _type_code(self, now_ms: int) -> bytes:
        portion = self.carrier.take(self._queue, now_ms)
        if portion == b"\x04":
            self._close_gate(_Gate.RUN, now_ms + QUIET_MS)
        return portion

    # What the above share.

    def _take(self, count: int) -> bytes:
        portion = bytes(self._queue[:count])
        del self._queue[:count]
        return portion

    def _close_gate(self, gate: _Gate, deadline_ms: int) -> None:
        self._gate = gate
        self._gate_arrivals = self.tracker.arrivals
        self._gate_deadline_ms = deadline_ms
        self._ahead_bytes = WINDOW_BYTES

    def _gate_closed(self) -> bool:
        if self.tracker.arrivals != self._gate_arrivals:
            self._gate = _Gate.OPEN
        return self._gate is not _Gate.OPEN

    def _settle_echo(self, data: bytes) -> None:
        for byte in data:
            if not self._unechoed:
                return
            if byte == self._unechoed[0]:
                self._unechoed.popleft()
                self._silent_bytes = 0
                self._tokens = min(BURST_BYTES, self._tokens + 1)
                self._ahead_bytes = min(WINDOW_BYTES, self._ahead_bytes + 1)

    def _all_read(self) -> None:
        self._unechoed.clear()
        self._silent_bytes = 0

    def _earn_tokens(self, now_ms: int) -> None:
        earned = (now_ms - self._tokens_at_ms) * BURST_BYTES // 1000
        if earned > 0:
            self._tokens = min(BURST_BYTES, self._tokens + earned)
            self._tokens_at_ms = now_ms
