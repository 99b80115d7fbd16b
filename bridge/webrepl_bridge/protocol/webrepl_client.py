r"""The client's side of WebREPL's records, pure: what a board is asked, and what it answers; one thing at a time.

    IDLE --ask_version--> VERSION --3 bytes-------------------------------------> IDLE
    IDLE --ask_put--> PUT_OPEN --0--> PUT_DATA --all sent--> PUT_END --any code--> IDLE
    IDLE --ask_get--> GET_OPEN --0--> GET_CHUNK --n = 0----> GET_END --any code--> IDLE
                         `- other --> IDLE    `- chunk --> GET_CHUNK
    IDLE --ask--> ASKED --0--> ANSWER --its bytes--> IDLE
                     `- other --> IDLE

Binary messages are one continuous byte stream of records: how it is cut into messages means nothing.

Source: micropython extmod/modwebrepl.c.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from webrepl_link.errors import LocalProtocolError
from webrepl_link.records import (
    GET_FILE,
    GET_PART,
    GET_VER,
    KEEP,
    LONG_NAME_BYTES_MAX,
    NAME_BYTES_MAX,
    PUT_FILE,
    PUT_PART,
    REPLY_BYTES,
    Request,
    encode_request,
)

if TYPE_CHECKING:
    from .file_requests import FileRequest

VERSION_BYTES = 3
PART_BYTES_MAX = 0xFFFFFFFF
CHUNK_HEAD_BYTES = 2
ABANDON = b"A"


@dataclass(frozen=True)
class VersionTold:
    """The firmware's version, as (major, minor, micro)."""

    version: tuple[int, int, int]


@dataclass(frozen=True)
class Opened:
    """The board has opened the file: its bytes may be sent with `send_data`, or asked for with `ask_chunk`."""


@dataclass(frozen=True)
class ChunkTold:
    """The next bytes of the file that is being got, at least one."""

    data: bytes


@dataclass(frozen=True)
class Ended:
    """What was asked is over. Code 0: the file is stored, or was told to its end; else an errno of the board."""

    code: int


@dataclass(frozen=True)
class OutOfStep:
    """The board sent what cannot be: nothing that it sends means anything any more."""

    reason: str


@dataclass(frozen=True)
class Answered:
    """What was asked is done, or known: `data` is what follows the reply."""

    data: bytes


Event = VersionTold | Opened | ChunkTold | Ended | OutOfStep | Answered


class _State(Enum):
    IDLE = auto()
    VERSION = auto()
    PUT_OPEN = auto()
    PUT_DATA = auto()
    PUT_END = auto()
    GET_OPEN = auto()
    GET_CHUNK = auto()
    GET_END = auto()
    ASKED = auto()
    ANSWER = auto()
    OUT_OF_STEP = auto()


_REPLY_AWAITED = frozenset(
    {_State.PUT_OPEN, _State.PUT_DATA, _State.PUT_END, _State.GET_OPEN, _State.GET_END, _State.ASKED}
)


class WebReplClient:
    """Asks a board for its version, and moves files.

    Ask, send on what `messages_to_send` returns, feed what comes with `receive_binary`, take events from
    `next_event`. Nothing that comes makes it raise.

    Attributes:
        unsent_bytes: of the file that is being put, how many `send_data` has not been given.
    """

    def __init__(self) -> None:
        self.unsent_bytes = 0
        self._size_bytes = 0
        self._is_given_up = False
        self._answer_bytes = 0
        self._state = _State.IDLE
        self._outgoing: list[bytes] = []
        self._events: deque[Event] = deque()
        self._records = bytearray()

    @property
    def idle(self) -> bool:
        """Whether something may be asked."""
        return self._state is _State.IDLE

    # What is asked.

    def ask_version(self) -> None:
        """Ask for the firmware's version: VersionTold, or Ended if the board refuses."""
        self._ask(Request(GET_VER), _State.VERSION)

    def ask_put(self, name: bytes, size_bytes: int, offset_bytes: int = 0, *, keep: bool = False) -> None:
        """Ask to store a file: Opened, or Ended if the board refuses; then `send_data` for every byte, and Ended.

        With an offset, or to keep what has come if it breaks, the board has to know more than the standard's records.
        """
        beyond = offset_bytes or keep or len(name) > NAME_BYTES_MAX
        op = PUT_PART if beyond else PUT_FILE
        self._ask(Request(op, name, size_bytes, offset_bytes, KEEP if keep else 0), _State.PUT_OPEN)
        self._size_bytes = self.unsent_bytes = size_bytes

    def ask_get(self, name: bytes, offset_bytes: int = 0, size_bytes: int | None = None) -> None:
        """Ask for a file: Opened, or Ended if the board refuses; then `ask_chunk` until Ended.

        For a part of it the board has to know more than the standard's records.
        """
        beyond = offset_bytes or size_bytes is not None or len(name) > NAME_BYTES_MAX
        part = Request(GET_PART, name, PART_BYTES_MAX if size_bytes is None else size_bytes, offset_bytes)
        self._ask(part if beyond else Request(GET_FILE, name), _State.GET_OPEN)

    def ask(self, request: FileRequest[Any]) -> None:
        """Ask something of the files: Answered, or Ended if the board refuses.

        An answer in chunks comes as a file does: Opened, then `ask_chunk` until Ended. A payload goes as one does:
        Opened, then `send_data` for every byte, and Ended.
        """
        if payload := request.payload():
            self._ask(request.record(), _State.PUT_OPEN)
            self._size_bytes = self.unsent_bytes = len(payload)
            return
        in_chunks = request.answer_bytes is None
        self._ask(request.record(), _State.GET_OPEN if in_chunks else _State.ASKED)
        self._answer_bytes = request.answer_bytes or 0

    def send_data(self, data: bytes) -> None:
        """Send the next bytes of the file that is being put, after Opened.

        Raises:
            LocalProtocolError: more than was announced, or no put is under way.
        """
        if self._state is not _State.PUT_DATA or len(data) > self.unsent_bytes:
            raise LocalProtocolError("the file has another size than was announced")
        if data:
            self._outgoing.append(data)
        self.unsent_bytes -= len(data)
        if not self.unsent_bytes:
            self._state = _State.PUT_END

    def ask_chunk(self) -> None:
        """Ask for the next part of the file that is being got; ChunkTold, or after the last one Ended."""
        if self._state is _State.GET_CHUNK:
            self._outgoing.append(b"\0")

    def abandon(self) -> bytes:
        """Give up the put or get under way, on a board that can; it ends with ECANCELED as Ended's code.

        Returns:
            The control message that says so to a board behind a link; b"" if there is nothing to give up (yet: an
            answer is awaited first).
        """
        if self._is_given_up or self._state not in (_State.PUT_DATA, _State.GET_CHUNK):
            return b""
        self._is_given_up = True
        sent_bytes = 0
        if self._state is _State.PUT_DATA:
            sent_bytes = self._size_bytes - self.unsent_bytes
            self.unsent_bytes = 0
            self._state = _State.PUT_END
        self.ask_chunk()  # the end of a get is told where a chunk is asked for
        return ABANDON + sent_bytes.to_bytes(4, "little")

    def messages_to_send(self) -> list[bytes]:
        """Return the binary messages to send, in order and once."""
        messages, self._outgoing = self._outgoing, []
        return messages

    # What comes.

    def receive_binary(self, data: bytes) -> None:
        """Take a binary message."""
        if self._state is _State.OUT_OF_STEP:
            return
        self._records += data
        while self._records and self._read_record():
            pass

    def next_event(self) -> Event | None:
        """Return the next event; None if there is none before more comes."""
        return self._events.popleft() if self._events else None

    # Inside.

    def _ask(self, request: Request, state: _State) -> None:
        if self._state is not _State.IDLE:
            raise LocalProtocolError(f"the board is asked one thing at a time, and it is in {self._state.name}")
        if len(request.name) > LONG_NAME_BYTES_MAX:
            raise LocalProtocolError(f"a name of more than {LONG_NAME_BYTES_MAX} bytes")
        self._outgoing.append(encode_request(request))
        self._is_given_up = False
        self._state = state

    def _read_record(self) -> bool:
        """Read one record if it is all there."""
        if self._state in _REPLY_AWAITED:
            return self._read_reply()
        if self._state is _State.VERSION:
            return self._read_version()
        if self._state is _State.GET_CHUNK:
            return self._read_chunk()
        if self._state is _State.ANSWER:
            return self._read_answer()
        self._fail(f"{len(self._records)} bytes that nobody has asked for")
        return False

    def _read_version(self) -> bool:
        if self._records.startswith(b"WB"):  # a refusal: a board that wants a password first
            return self._read_reply()
        if len(self._records) < VERSION_BYTES:
            return False
        major, minor, micro = self._take(VERSION_BYTES)
        self._state = _State.IDLE
        self._events.append(VersionTold((major, minor, micro)))
        return True

    def _read_reply(self) -> bool:
        if not b"WB".startswith(self._records[:2]):
            self._fail(f"{bytes(self._records[:REPLY_BYTES])!r} where a reply is due")
            return False
        if len(self._records) < REPLY_BYTES:
            return False
        code = int.from_bytes(self._take(REPLY_BYTES)[2:], "little")
        opens = {_State.PUT_OPEN: _State.PUT_DATA, _State.GET_OPEN: _State.GET_CHUNK}.get(self._state)
        if self._state is _State.PUT_DATA:
            self._fail(f"a reply, code {code}, in the middle of a file")
            return False
        if self._state is _State.ASKED and not code:
            self._state = _State.ANSWER
            return self._read_answer()
        if opens is None or code:
            self._state = _State.IDLE
            self._events.append(Ended(code))
            return True
        self._state = opens
        self._events.append(Opened())
        if opens is _State.PUT_DATA:
            self.send_data(b"")  # an empty file has been sent already
        return True

    def _read_answer(self) -> bool:
        if len(self._records) < self._answer_bytes:
            return False
        self._events.append(Answered(self._take(self._answer_bytes)))
        self._state = _State.IDLE
        return True

    def _read_chunk(self) -> bool:
        if len(self._records) < CHUNK_HEAD_BYTES:
            return False
        size_bytes = int.from_bytes(self._records[:CHUNK_HEAD_BYTES], "little")
        if len(self._records) < CHUNK_HEAD_BYTES + size_bytes:
            return False
        data = self._take(CHUNK_HEAD_BYTES + size_bytes)[CHUNK_HEAD_BYTES:]
        if data:
            self._events.append(ChunkTold(data))
        else:
            self._state = _State.GET_END
        return True

    def _take(self, size_bytes: int) -> bytes:
        data = bytes(self._records[:size_bytes])
        del self._records[:size_bytes]
        return data

    def _fail(self, reason: str) -> None:
        self._state = _State.OUT_OF_STEP
        self._records.clear()
        self._events.append(OutOfStep(reason))
