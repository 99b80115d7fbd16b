r"""A client's plain raw-REPL code, carried to the board without loss.

Plain raw mode has no flow control: a board takes what fits its input buffer and drops the rest. So the code goes
by raw-paste, which has a window, and the client sees what plain raw mode would have answered. Firmware without
raw-paste (before 1.14) gets the code in small portions with pauses.

    IDLE ──code──► ASKING "\\x05A\\x01" ──"R\\x01" window──► STREAMING ──Ctrl-D──► ENDING ──"\\x04"──► done: "OK"
                      └─anything else──► PACING ──Ctrl-D──► done              └─"\\x04" from the board: code is
                                                                                dropped until the client's Ctrl-D

Source: micropython docs/reference/repl.rst, "Raw-paste mode"; shared/runtime/pyexec.c.
"""

from __future__ import annotations

import enum
import re

RAW_PASTE_REQUEST = b"\x05A\x01"
RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
ANSWER_TIMEOUT_MS = 1000
FRIENDLY_PROMPT = b"\n>>> "
STRAY_BYTES_MAX = 512
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
        self._stray = b""
        self._window = self._window_left = 0
        self._board_gave_up = False
        self._deadline_ms: int | None = None

    @property
    def busy(self) -> bool:
        """Whether the board's output belongs to the carrier."""
        return self.state not in (State.IDLE, State.PACING)

    def reset(self) -> None:
        """Forget the code under way: the board has left raw mode."""
        self.state = State.IDLE
        self._deadline_ms = None

    def take(self, queue: bytearray, now_ms: int) -> bytes:
        """Take what may go to the board now from the front of `queue`, the client's bytes; return it.

        A control byte is taken alone, so that the caller can act on what follows it.
        """
        match self.state:
            case State.IDLE if self.supported is False:
                self.state = State.PACING
                return self._portion(queue, now_ms)
            case State.IDLE:
                self.state = State.ASKING
                self._answer = self._stray = b""
                self._deadline_ms = now_ms + ANSWER_TIMEOUT_MS
                return RAW_PASTE_REQUEST
            case State.STREAMING:
                return self._stream(queue)
            case State.PACING if self._deadline_ms is None or now_ms >= self._deadline_ms:
                return self._portion(queue, now_ms)
            case _:
                return b""

    def _stream(self, queue: bytearray) -> bytes:
        control = _CONTROL.search(queue)
        if control and (control.start() == 0 or self._board_gave_up):
            if queue[control.start()] == 0x04:
                del queue[: control.end()]
                self.state = State.IDLE if self._board_gave_up else State.ENDING
                return b"\x04"
            # Ctrl-A, -B and -C drop the code: end raw-paste by Ctrl-C; the key itself then acts at the raw prompt.
            del queue[: control.start()]
            self._answer = b"\x04" if self._board_gave_up else b""
            self.state = State.CANCELLING
            return b"\x03"
        if self._board_gave_up:
            queue.clear()
            return b""
        count = min(self._window_left, control.start() if control else len(queue))
        portion = bytes(queue[:count])
        del queue[:count]
        self._window_left -= count
        return portion

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

    def receive_data(self, data: bytes) -> tuple[bytes, bytes]:
        """Take the board's output while `busy`.

        Returns:
            What the client should see now in its place, and what is left for others once no longer `busy`.
        """
        if self.state is State.ASKING:
            data = self._judge_answer(data)
        if self.state is State.STREAMING:
            ended = b"\x04" in data
            replies, _, data = data.partition(b"\x04")
            self._window_left += self._window * replies.count(b"\x01")
            self._note_stray(replies.replace(b"\x01", b""))
            if ended:
                self._board_gave_up = True
                return b"OK", b""
        elif self.state is State.ENDING:
            ended = b"\x04" in data
            stray, _, data = data.partition(b"\x04")
            self._note_stray(stray)
            if ended:
                self.reset()
                return b"OK", data
        elif self.state is State.CANCELLING:
            self._answer += data
            data = b""
            parts = self._answer.split(b"\x04", 3)
            if len(parts) == 4 and parts[3].startswith(b">"):
                self.reset()
                return b"", parts[3][1:]
            self._note_stray(self._answer[-len(FRIENDLY_PROMPT) :])
        if self.busy and self._stray.endswith(FRIENDLY_PROMPT):
            self.reset()  # the board has been reset under us
            return b"", self._stray
        return b"", data

    def _note_stray(self, data: bytes) -> None:
        self._stray = (self._stray + data)[-STRAY_BYTES_MAX:]

    def _judge_answer(self, data: bytes) -> bytes:
        self._answer += data
        if b"R\x01" in self._answer:
            window = self._answer.partition(b"R\x01")[2]
            if len(window) < 2:
                return b""
            self.supported = True
            self._window = self._window_left = int.from_bytes(window[:2], "little")
            self._board_gave_up = False
            self.state = State.STREAMING
            self._deadline_ms = None
            return window[2:]
        for refusal in (b"R\x00", RAW_PROMPT):
            if refusal in self._answer:
                self._refused()
                return self._answer.partition(refusal)[2]
        return b""

    def _refused(self) -> None:
        self.supported = False
        self.state = State.PACING
        self._deadline_ms = None

    def next_deadline_ms(self) -> int | None:
        """When `handle_timeout` must be called."""
        return self._deadline_ms

    def handle_timeout(self, now_ms: int) -> None:
        """The board did not answer the request for raw-paste, or a pause is over."""
        if self._deadline_ms is None or now_ms < self._deadline_ms:
            return
        self._deadline_ms = None
        if self.state is State.ASKING:
            self._refused()
