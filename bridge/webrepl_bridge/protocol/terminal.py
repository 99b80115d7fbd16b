"""Typing at a board without loss.

A board's input buffer is small (260 bytes on ESP32, 64 on old boards) and a UART has no flow control, so bytes may
only be sent as fast as the board reads them. What tells that it has read them is their echo: at most WINDOW_BYTES
wait for it.

prompt, paste   The board echoes what it reads. Keys that have no echo (arrows, Tab) count as read after QUIET_MS.
after Enter     The rest of a pasted text waits for the next prompt. A window of it goes ahead once the board has been
                quiet for QUIET_MS, for `input()`, whose echo lets more follow. Keys that change the mode do wait.
running         What is typed only then goes at once, up to PROGRAM_WINDOW_BYTES, and as much again whenever STALE_MS
                have passed in silence.
asking          A running program that asks mpremote for its mounted folder's files waits for the answer and reads fast
                enough: what is typed goes at once, all of it, Ctrl-C too as one byte among others.
raw             Code is carried by raw-paste, which has a window of its own; see raw_carrier.
raw, running    Everything goes at once, the tool at the other end knows what its program reads; but what was typed
                before the program had been taken first waits for QUIET_MS: it may be the next program.

Ctrl-C drops what waits in front of it and goes at once, as on any terminal.
"""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from .raw_carrier import RAW_PASTE_REQUEST, RawCarrier, State
from .repl_tracker import AT_PROMPT, HOLDING_KEYS, Mode, ReplTracker

WINDOW_BYTES = 32
PROGRAM_WINDOW_BYTES = 60
QUIET_MS = 150
STALE_MS = 700
SWITCH_TIMEOUT_MS = 500
RESET_TIMEOUT_MS = 3000
INTERRUPT_PAUSE_MS = 100
ECHO_RUN_BYTES = 8
"""So much of what was sent, printed in one run by a running program, is echo and no coincidence."""

_ASKING = re.compile(rb"\x18[\x01-\x0d]")
"""How mpremote's `mount` asks. Source: mpremote, transport_serial.py, RemoteCommand.begin and fs_hook_cmds."""

CTRL_C = b"\x03"
MODE_KEYS = b"\x01\x02\x04\x05"
LINE_END = 0x0A
NO_ECHO = -1

_UP_TO_ENTER = re.compile(rb"[^\x01-\x05\r]*\r?")
_UP_TO_MODE_KEY = re.compile(rb"[^\x01-\x05]*")
_UP_TO_PASTE_END = re.compile(rb"[^\x03\x04]*")
_UP_TO_CTRL_C = re.compile(rb"[^\x03]*")
_EDITING = AT_PROMPT | {Mode.PASTE}
_BUSY = frozenset({Mode.UNKNOWN, Mode.RUNNING, Mode.RAW_RUNNING})


class _Sent(NamedTuple):
    echo: int
    at_ms: int


class Terminal:
    """Pure core of a board's terminal: clients' bytes in, board's bytes in, and what goes to either.

    Attributes:
        tracker: what the REPL is doing.
        carrier: how raw-mode code travels.
        entered_ms: when the last line was entered, so when what runs now began.
    """

    def __init__(self) -> None:
        self.tracker = ReplTracker()
        self.carrier = RawCarrier()
        self.entered_ms = 0
        self._queue = bytearray()
        self._for_program = False  # the queue was typed while a program was running
        self._asking = False  # the program has asked the tool that is mounted there
        self._answer = bytearray()  # what has been typed since
        self._last_byte = b""  # of the output
        self._shown = b""
        self._unread: deque[_Sent] = deque()  # sent, oldest first, not known to have been read
        self._matched = 0  # how much of it has been printed in one run by a running program
        self._switch_until_ms: int | None = None  # the mode is changing: nothing goes until the new prompt has arrived
        self._switch_arrivals = 0  # tracker.arrivals when it began
        self._last_traffic_ms = 0

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be typed."""
        return len(self._queue) + len(self._answer)

    @property
    def settled(self) -> bool:
        """Whether all that was typed has had its effect: every echo and every awaited prompt has come."""
        return not (self._queue or self._unread or self._switching() or self.carrier.state is not State.IDLE)

    @property
    def is_half_typed(self) -> bool:
        """Whether the REPL waits for the rest of what was typed in paste mode, or as code in raw mode."""
        if self._queue or self._unread or self._switching():
            return False
        carries = self.carrier.state in (State.STREAMING, State.PACING)
        return carries or self.tracker.mode in (Mode.PASTE, Mode.RAW_PASTE)

    @property
    def unsettled_bytes(self) -> int:
        """How much of what was typed has not had its effect; at least 1 while not settled."""
        return len(self._queue) + len(self._unread) + (not self.settled)

    @property
    def entering(self) -> bool:
        """Whether a key that leads to raw or paste mode has been typed, or is next, and has not had its effect."""
        return self._switching() or (self.tracker.mode in AT_PROMPT and any(key in self._queue for key in HOLDING_KEYS))

    def type(self, data: bytes) -> None:
        """Queue bytes from a client."""
        if self._asking:
            self._answer += data
            return
        interrupt = data.find(CTRL_C) if self.tracker.mode is not Mode.RAW_RUNNING else -1
        if interrupt > WINDOW_BYTES or (interrupt >= 0 and (self._queue or self._switching())):
            self._queue.clear()
            data = data[interrupt:]
        if not self._queue:
            self._for_program = self._running or self.carrier.state is State.ENDING
        self._queue += data

    def receive_data(self, data: bytes, now_ms: int) -> None:
        """Take the board's output."""
        self._last_traffic_ms = now_ms
        data = self.carrier.receive_data(data)
        editing = self.tracker.mode in _EDITING
        arrivals = self.tracker.arrivals
        self._show(data)
        if self.tracker.mode is Mode.RUNNING and (editing or self.tracker.arrivals != arrivals):
            self.entered_ms = now_ms
        self._settle_echo(data, editing and self.tracker.mode in _EDITING)
        if self.tracker.mode not in (Mode.RUNNING, Mode.UNKNOWN):
            self._asking = False
        elif _ASKING.search(self._last_byte + data):
            self._asking = True
        self._last_byte = data[-1:] or self._last_byte

    def _show(self, data: bytes) -> None:
        self._shown += data
        self.tracker.receive_data(data)
        if self.carrier.state is not State.IDLE and self.tracker.mode in (*_EDITING, Mode.RUNNING):
            self.carrier.reset()  # the board has been reset under us
            self._queue.clear()

    def data_to_show(self) -> bytes:
        """Return what the clients should see, each byte once."""
        shown, self._shown = self._shown, b""
        return shown

    def data_to_send(self, now_ms: int) -> bytes:
        """Return what may go to the board now."""
        sent = bytes(self._answer)
        self._answer.clear()
        while self._queue and (portion := self._next_portion(now_ms)):
            self.tracker.data_sent(portion)
            sent += portion
        if sent:
            self._last_traffic_ms = now_ms
        return sent

    def next_deadline_ms(self) -> int | None:
        """When `handle_timeout` must be called if nothing else happens; None for never."""
        deadlines = [self.carrier.next_deadline_ms()]
        if self._switching():
            deadlines.append(self._switch_until_ms)
        if self._unread and self._unread[0].echo == NO_ECHO and self.tracker.mode in _EDITING:
            deadlines.append(self._unread[0].at_ms + QUIET_MS)
        if self._unread and self._goes_stale:
            deadlines.append(self._last_traffic_ms + STALE_MS)
        if self._queue and self._running and not self._for_program and self._next_ahead():
            deadlines.append(self._last_traffic_ms + QUIET_MS)
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def handle_timeout(self, now_ms: int) -> None:
        """Act on every deadline that has passed; `data_to_send` may then have something."""
        self._show(self.carrier.handle_timeout(now_ms))
        if self._switch_until_ms is not None and now_ms >= self._switch_until_ms:
            self._switch_until_ms = None
        if self._goes_stale and now_ms >= self._last_traffic_ms + STALE_MS:
            self._forget(len(self._unread))
        while self._unread and self._unread[0].echo == NO_ECHO and self.tracker.mode in _EDITING:
            if now_ms < self._unread[0].at_ms + QUIET_MS:
                break
            self._forget(1)

    # Which bytes go when, by mode. Each takes a portion off the queue and returns it; none means wait.

    @property
    def _running(self) -> bool:
        """Whether a program is running, or will when the board has read the Enter that was sent."""
        return self.tracker.mode in _BUSY or any(sent.echo == LINE_END for sent in self._unread)

    @property
    def _goes_stale(self) -> bool:
        """Whether what was sent long ago counts as read: not what has gone ahead of a program."""
        return self._for_program or self.tracker.mode not in _BUSY

    def _next_portion(self, now_ms: int) -> bytes:
        if self.carrier.state is not State.IDLE:
            return self._type_code(now_ms)
        if self.tracker.mode is Mode.RAW_RUNNING:
            return self._take(self._next_ahead()) if self._may_go_ahead(now_ms) else b""
        if self._queue[:1] == CTRL_C:
            self._switch(now_ms + INTERRUPT_PAUSE_MS)
            return self._take(1)
        if self._switching():
            return b""
        match self.tracker.mode:
            case Mode.PASTE:
                return self._type_paste(now_ms)
            case Mode.RAW:
                return self._type_raw(now_ms)
            case _ if self._running:
                return self._type_text(self._next_ahead(), now_ms) if self._may_go_ahead(now_ms) else b""
            case _:
                return self._type_at_prompt(now_ms)

    def _may_go_ahead(self, now_ms: int) -> bool:
        return self._for_program or now_ms >= self._last_traffic_ms + QUIET_MS

    def _next_ahead(self) -> int:
        """How much of the queue a running program may get."""
        if self.tracker.mode is Mode.RAW_RUNNING:
            return len(self._queue)
        if self._for_program:
            return self._fit(_UP_TO_CTRL_C, PROGRAM_WINDOW_BYTES)
        return self._fit(_UP_TO_MODE_KEY)

    def _type_at_prompt(self, now_ms: int) -> bytes:
        key = self._queue[0]
        if key not in MODE_KEYS:
            return self._type_text(self._fit(_UP_TO_ENTER), now_ms)
        if self._unread:
            return b""  # what it does depends on whether the line is empty
        if self.tracker.line_is_empty and key == 0x04:
            return self._type_enter(now_ms)
        if self.tracker.line_is_empty:
            self._switch(now_ms + SWITCH_TIMEOUT_MS)
        else:
            self._unread.append(_Sent(NO_ECHO, now_ms))
        return self._take(1)

    def _type_text(self, count: int, now_ms: int) -> bytes:
        """Type at a line editor, which echoes ASCII; where it redraws the rest of the line too, echo tells nothing."""
        portion = self._take(count)
        keys = portion.partition(b"\x1b")[0]
        if self.tracker.mode in _EDITING and (not self.tracker.line.at_end or self._sent_without_echo()):
            keys = b""
        for index, key in enumerate(portion):
            if key == 0x0D:
                self._unread.append(_Sent(LINE_END, now_ms))
            else:
                self._unread.append(_Sent(key if 0x20 <= key < 0x7F and index < len(keys) else NO_ECHO, now_ms))
        if portion.endswith(b"\r"):
            self._for_program = self._for_program and self.tracker.mode in _BUSY
        return portion

    def _type_paste(self, now_ms: int) -> bytes:
        if self._queue[0] == 0x04:
            return self._type_enter(now_ms)
        portion = self._take(self._fit(_UP_TO_PASTE_END))
        self._unread.extend(_Sent(LINE_END if key == 0x0D else key, now_ms) for key in portion)
        return portion

    def _type_enter(self, now_ms: int) -> bytes:
        """Type a key that the board answers by a line end, and then by running something."""
        self._unread.append(_Sent(LINE_END, now_ms))
        self._for_program = False
        return self._take(1)

    def _type_raw(self, now_ms: int) -> bytes:
        key = self._queue[0]
        if RAW_PASTE_REQUEST.startswith(self._queue[:3]):
            if len(self._queue) < len(RAW_PASTE_REQUEST):
                return b""
            # "Understood, not supported": the client falls back to plain raw mode, which we carry by raw-paste
            # ourselves. Its own could not pass through text frames: the window's 0x80 is no character.
            self._take(len(RAW_PASTE_REQUEST))
            self._shown += b"R\x00"
            return self._next_portion(now_ms) if self._queue else b""
        if key in b"\x01\x02\x04":
            self._switch(now_ms + (RESET_TIMEOUT_MS if key == 0x04 else SWITCH_TIMEOUT_MS))
            return self._take(1)
        return self._type_code(now_ms)

    def _type_code(self, now_ms: int) -> bytes:
        portion, shown = self.carrier.take(self._queue, now_ms)
        if portion == b"\x04":
            self._for_program = False
        self._show(shown)
        return portion

    # What the above share.

    def _sent_without_echo(self) -> bool:
        return any(sent.echo == NO_ECHO for sent in self._unread)

    def _fit(self, up_to: re.Pattern[bytes], window_bytes: int = WINDOW_BYTES) -> int:
        match = up_to.match(self._queue, 0, max(0, window_bytes - len(self._unread)))
        return match.end() if match else 0

    def _take(self, count: int) -> bytes:
        portion = bytes(self._queue[:count])
        del self._queue[:count]
        return portion

    def _switch(self, until_ms: int) -> None:
        self._switch_until_ms = until_ms
        self._switch_arrivals = self.tracker.arrivals

    def _switching(self) -> bool:
        return self._switch_until_ms is not None and self.tracker.arrivals == self._switch_arrivals

    def _settle_echo(self, data: bytes, editing: bool) -> None:
        """Find the echo of what was sent in `data`.

        Args:
            data: what the board has printed.
            editing: whether all of it comes from the line editor, which redraws the rest of a line between two echoes.
                What a program prints can look like an echo; only a whole line or a long run is believed.
        """
        for byte in data:
            if not self._unread:
                return
            if byte == 0x0D:
                continue
            here = self._matched
            while here < len(self._unread) and self._unread[here].echo == NO_ECHO:
                here += 1
            if here < len(self._unread) and self._unread[here].echo == byte:
                self._matched = here + 1
                whole = byte == LINE_END or self._matched in (ECHO_RUN_BYTES, len(self._unread))
                if editing or whole or self._matched > ECHO_RUN_BYTES:
                    self._forget(self._matched)
            elif not editing and here == self._matched:
                self._matched = 1 if self._unread[0].echo == byte else 0

    def _forget(self, count: int) -> None:
        for _ in range(count):
            self._unread.popleft()
        self._matched = 0
