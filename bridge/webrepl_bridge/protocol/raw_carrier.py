r"""A client's plain raw-REPL code, carried to the board without loss.

Plain raw mode has no flow control: a board takes what fits its input buffer and drops the rest. So the code goes
by raw-paste, which has a window, and the client sees what plain raw mode would have answered. Firmware without
raw-paste (before 1.14) gets the code in small portions with pauses.

    IDLE ──code──► ASKING "\\x05A\\x01" ──"R\\x01" window──► STREAMING ──Ctrl-D──► ENDING ──"\\x04"──► done: "OK"
                      └─anything else──► PACING ──Ctrl-D──► done    └─Ctrl-A, -B, -C──► CANCELLING ──"\\x04>"──► done

A "\\x04" from the board in STREAMING says that it gives up (a syntax error): code is dropped until the Ctrl-D.

Source: micropython docs/reference/repl.rst, "Raw-paste mode"; shared/runtime/pyexec.c.
"""

from __future__ import annotations

import enum
import re

RAW_PASTE_REQUEST = b"\x05A\x01"
RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
ANSWER_TIMEOUT_MS = 1000
ANSWER_BYTES_MAX = 1024
PORTION_BYTES = 32
PORTION_PAUSE_MS = 12

_CONTROL = re.compile(rb"[\x01-\x04]")


class State(enum.Enum):
    """How far the carrying of one piece of code is."""

    IDLE = "idle"
    ASKING = "asking for raw-paste"
    STREAMING = "streaming by raw-paste"
    ENDING = "waiting for the board to take the code"
    CANCELLING = "waiting for the board to drop the code"
    PACING = "sending in portions"


class RawCarrier:
    """Carries code from a client that believes in plain raw mode; used while the board is at the raw prompt.

    Attributes:
        state: how far it is.
        supported: whether the firmware has raw-paste; None until it was asked.
    """

    def __init__(self) -> None:
        self.state = State.IDLE
        self.supported: bool | None = None
        self._answer = b""
        self._window = self._window_left = 0
        self._board_gave_up = False
        self._deadline_ms: int | None = None

    def reset(self) -> None:
        """Forget the code under way: the board has left raw mode."""
        self.state = State.IDLE
        self._deadline_ms = None

    def take(self, queue: bytearray, now_ms: int) -> tuple[bytes, bytes]:
        """Take what may go to the board now from the front of `queue`, the client's bytes.

        Returns:
            What goes to the board, a control byte always alone; and what the client should see at that moment.
        """
        match self.state:
            case State.IDLE if self.supported is False:
                self.state = State.PACING
                return self._portion(queue, now_ms), b""
            case State.IDLE:
                self._wait_for_answer(State.ASKING, now_ms)
                return RAW_PASTE_REQUEST, b""
            case State.STREAMING:
                return self._stream(queue, now_ms)
            case State.PACING if self._deadline_ms is None or now_ms >= self._deadline_ms:
                return self._portion(queue, now_ms), b""
            case _:
                return b"", b""

    def _wait_for_answer(self, state: State, now_ms: int) -> None:
        self.state = state
        self._answer = b""
        self._deadline_ms = now_ms + ANSWER_TIMEOUT_MS

    def _stream(self, queue: bytearray, now_ms: int) -> tuple[bytes, bytes]:
        control = _CONTROL.search(queue)
        if self._board_gave_up:
            del queue[: control.start() if control else len(queue)]
            control = _CONTROL.match(queue)
        if control and control.start() == 0:
            if queue[0] == 0x04:
                del queue[0]
                if not self._board_gave_up:
                    self.state = State.ENDING
                    return b"\x04", b""
                self.reset()
                return b"\x04", b"OK"
            # Ctrl-A, -B and -C drop the code: end raw-paste by Ctrl-C; the key itself then acts at the raw prompt.
            self._wait_for_answer(State.CANCELLING, now_ms)
            self._answer = b"\x04" if self._board_gave_up else b""
            return b"\x03", b""
        count = min(self._window_left, control.start() if control else len(queue))
        portion = bytes(queue[:count])
        del queue[:count]
        self._window_left -= count
        return portion, b""

    def _portion(self, queue: bytearray, now_ms: int) -> bytes:
        control = _CONTROL.search(queue)
        if control and control.start() == 0:
            self.reset()
            portion = bytes(queue[:1])
        else:
            portion = bytes(queue[: min(PORTION_BYTES, control.start() if control else PORTION_BYTES)])
            self._deadline_ms = now_ms + PORTION_PAUSE_MS
        del queue[: len(portion)]
        return portion

    def receive_data(self, data: bytes) -> bytes:
        """Take the board's output; return what of it plain raw mode would have said."""
        match self.state:
            case State.ASKING:
                return self._judge_answer(data)
            case State.STREAMING:
                replies, given_up, rest = data.partition(b"\x04")
                self._window_left += self._window * replies.count(b"\x01")
                self._board_gave_up = self._board_gave_up or bool(given_up)
                return replies.replace(b"\x01", b"") + rest
            case State.ENDING:
                replies, taken, rest = data.partition(b"\x04")
                if taken:
                    self.reset()
                    rest = b"OK" + rest
                return replies.replace(b"\x01", b"") + rest
            case State.CANCELLING:
                self._answer += data
                parts = self._answer.split(b"\x04", 3)
                if len(parts) == 4 and parts[3].startswith(b">"):
                    self.reset()
                    return parts[3][1:]
                return self._keep_answer_short()
            case _:
                return data

    def _judge_answer(self, data: bytes) -> bytes:
        self._answer += data
        before, granted, window = self._answer.partition(b"R\x01")
        if granted:
            if len(window) < 2:
                return b""
            self.supported = True
            self._window = self._window_left = int.from_bytes(window[:2], "little")
            self._board_gave_up = False
            self.state = State.STREAMING
            self._deadline_ms = None
            return before + self.receive_data(window[2:])
        for refusal in (b"R\x00", RAW_PROMPT):
            before, refused, rest = self._answer.partition(refusal)
            if refused:
                self.supported = False
                self.state = State.PACING
                self._deadline_ms = None
                return before + rest
        return self._keep_answer_short()

    def _keep_answer_short(self) -> bytes:
        excess, self._answer = self._answer[:-ANSWER_BYTES_MAX], self._answer[-ANSWER_BYTES_MAX:]
        return excess

    def next_deadline_ms(self) -> int | None:
        """When `handle_timeout` must be called."""
        return self._deadline_ms

    def handle_timeout(self, now_ms: int) -> bytes:
        """The board did not answer, or a pause is over; return what it said instead of an answer."""
        if self._deadline_ms is None or now_ms < self._deadline_ms:
            return b""
        self._deadline_ms = None
        match self.state:
            case State.ASKING:
                self.state = State.PACING
            case State.CANCELLING:
                self.state = State.IDLE
            case _:
                return b""
        return self._answer
