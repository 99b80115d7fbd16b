r"""The server's side of one WebREPL connection, pure: messages in, events and messages out.

    PASSWORD --line--> VERDICT --right--> REQUEST <--------------------------------+
                          |                  |                                     |
                          +--wrong--> CLOSED +-- version --> VERSION --------------+ answer
                                             +-- put ------> PUT_OPEN -- refused --+
                                             |                  | 0                |
                                             |               PUT_DATA -- all --> PUT_END
                                             |                  | failed           | answer
                                             |               PUT_SKIP -- all ------+
                                             |                                     |
                                             |  paced: CHUNKS -- end mark --> PUT_END
                                             |            chunk | ^ taken          | answer
                                             |                TAKING               |
                                             |                  | failed           |
                                             |             SKIP_CHUNKS -- end mark +
                                             +-- get ------> GET_OPEN -- refused --+
                                                                | 0                |
                                                     GET_WAIT --\0--> GET_CHUNK ---+ answer
                                                         ^---- chunk ----+         |
                                             +-- other --> ASKED ------------------+ answer

A list goes the way of a get. A paced put comes in chunks, as a get goes out, and an empty one ends it.

Binary messages are one continuous byte stream of records: how it is cut into messages means nothing.
While an answer is owed, the bytes behind the request wait here: what they mean depends on the answer.

Source: micropython extmod/modwebrepl.c.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

from webrepl_link.errors import LocalProtocolError, RemoteProtocolError
from webrepl_link.records import (
    FLAGS,
    GET_FILE,
    GET_PART,
    GET_VER,
    KEEP,
    PACED,
    PUT_FILE,
    PUT_FILES,
    PUT_PART,
    REQUEST_BYTES,
    Request,
    decode_request,
    encode_reply,
    request_bytes,
)

from . import file_requests
from .errnos import EINVAL
from .put_files import FILES_BYTES_MAX
from .server_events import (
    Asked,
    ChunkWanted,
    Event,
    FileComplete,
    FileData,
    GetRequested,
    GivenUp,
    PasswordGiven,
    ProtocolFailed,
    PutFilesRequested,
    PutRequested,
    TerminalInput,
    VersionWanted,
)

SUBPROTOCOL = "webrepl-bridge"
"""What a bridge offers as a client and accepts as a server: so two of them know each other. The firmware ignores it."""

PASSWORD_BYTES_MAX = 256
"""Input before the password's end; the firmware looks at the first 10 bytes only."""

CHUNK_BYTES_MAX = 65_533
"""The most file data in one chunk: 2 bytes of length before it, and a 16-bit WebSocket length around both."""


PACED_BYTES_MAX = 4096
"""The most file data in one chunk of a paced put."""

PACED_AHEAD = 4
"""How many chunks of a paced put may be on their way: enough for 160 kB/s where the way and back takes 100 ms."""

NEXT, STOP = b"\0", b"\1"
"""What asks for the next chunk, in either direction, and what gives a get up."""


class _State(Enum):
    PASSWORD = auto()
    VERDICT = auto()
    REQUEST = auto()
    VERSION = auto()
    PUT_OPEN = auto()
    PUT_DATA = auto()
    PUT_SKIP = auto()
    PUT_END = auto()
    CHUNKS = auto()
    TAKING = auto()
    SKIP_CHUNKS = auto()
    GET_OPEN = auto()
    GET_WAIT = auto()
    GET_CHUNK = auto()
    ASKED = auto()
    CLOSED = auto()


class WebReplServer:
    """One client's connection, from `Password: ` to its end.

    Feed messages with `receive_text` and `receive_binary`, take events from `next_event`, give the answers
    that they ask for, and send on what `messages_to_send` returns. No input makes it raise.
    """

    def __init__(self) -> None:
        self._state = _State.PASSWORD
        self._events: deque[Event] = deque()
        self._outgoing: list[str | bytes] = ["Password: "]
        self._line = bytearray()
        self._early: deque[tuple[bool, bytes]] = deque()  # (is text, bytes) until the password is judged
        self._after_cr = False
        self._records = bytearray()
        self._to_come = 0
        self._put_code = 0
        self._paced = False

    # What comes in.

    def receive_text(self, text: str) -> None:
        """Take a text message.

        Bytes that are no UTF-8 come as surrogate escapes: belay and mpfshell cut their text into frames of
        256 bytes wherever a character stands, and the firmware passes on what comes.
        """
        self._receive(True, text.encode("utf-8", "surrogateescape"))

    def receive_binary(self, data: bytes) -> None:
        """Take a binary message."""
        self._receive(False, bytes(data))

    def next_event(self) -> Event | None:
        """Return the next event; None if there is none before more input or an owed answer."""
        return self._events.popleft() if self._events else None

    def messages_to_send(self) -> list[str | bytes]:
        """Return what to send, in order and once: a str is a text message, bytes are a binary one."""
        messages, self._outgoing = self._outgoing, []
        return messages

    # Answers.

    def send_connected(self) -> None:
        """The password is right."""
        self._leave(_State.VERDICT, to=_State.REQUEST)
        self._outgoing.append("\r\nWebREPL connected\r\n>>> ")
        early, self._early = self._early, deque()
        for is_text, data in early:
            self._receive(is_text, data)

    def send_denied(self) -> None:
        """The password is wrong; the connection is to be closed."""
        self._leave(_State.VERDICT, to=_State.CLOSED)
        self._outgoing.append("\r\nAccess denied\r\n")
        self._early.clear()

    def send_version(self, version: tuple[int, int, int]) -> None:
        """Answer with the firmware's version: three bytes, with no `WB` before them."""
        self._leave(_State.VERSION, to=_State.REQUEST)
        self._outgoing.append(bytes(min(number, 255) for number in version))
        self._read_records()

    def send_reply(self, code: int) -> None:
        """Answer a put or a get: where it was asked for, where it failed, or where it is complete.

        Args:
            code: 0 for success, else an errno, 1 to 65535. A get that fails half-way ends with an empty
                chunk and this code; a put that fails half-way is answered when its data has passed by.

        Raises:
            LocalProtocolError: no put and no get is under way, or a put succeeds before its data has come.
        """
        if code:  # what has come of a file that is given up concerns no one any more
            self._events = deque(e for e in self._events if not isinstance(e, FileData | FileComplete | GivenUp))
        match self._state:
            case _State.PUT_OPEN if code == 0:
                self._state = _State.CHUNKS if self._paced else _State.PUT_DATA
                self._outgoing.append(encode_reply(0) + (NEXT * PACED_AHEAD if self._paced else b""))
            case _State.GET_OPEN if code == 0:
                self._state = _State.GET_WAIT
                self._outgoing.append(encode_reply(0))
            case _State.PUT_DATA if code:
                self._state = _State.PUT_SKIP
                self._put_code = code
            case _State.CHUNKS | _State.TAKING if code:
                self._state = _State.SKIP_CHUNKS
                self._outgoing.append(encode_reply(code))
            case _State.ASKED if code == 0:
                raise LocalProtocolError("success is said with `send_answer`")
            case _State.PUT_OPEN | _State.GET_OPEN | _State.PUT_END | _State.ASKED:
                self._finish(code)
            case _State.GET_CHUNK:
                self._outgoing.append(b"\0\0")
                self._finish(code)
            case _:
                raise LocalProtocolError(f"no reply is owed in state {self._state.name}")
        self._read_records()

    def send_taken(self) -> None:
        """There is room for more of the file that is being put; a client that waits for that is told."""
        if self._state is _State.TAKING:
            self._state = _State.CHUNKS
            self._outgoing.append(NEXT)
            self._read_records()

    def send_answer(self, data: bytes) -> None:
        """Answer what was asked, with success: the reply, and what follows it."""
        self._leave(_State.ASKED, to=_State.REQUEST)
        self._outgoing.append(encode_reply(0) + data)
        self._read_records()

    def send_chunk(self, data: bytes) -> None:
        """Answer with the next 1 to 65,533 bytes of the file, in one message."""
        if not 0 < len(data) <= CHUNK_BYTES_MAX:
            raise LocalProtocolError(f"a chunk has 1 to {CHUNK_BYTES_MAX:,} bytes, not {len(data):,}")
        self._leave(_State.GET_CHUNK, to=_State.GET_WAIT)
        self._outgoing.append(len(data).to_bytes(2, "little") + data)
        self._read_records()

    # Inside.

    def _leave(self, state: _State, *, to: _State) -> None:
        if self._state is not state:
            raise LocalProtocolError(f"this answer is owed in state {state.name}, not {self._state.name}")
        self._state = to

    def _finish(self, code: int) -> None:
        self._state = _State.REQUEST
        self._outgoing.append(encode_reply(code))

    def _fail(self, reason: str) -> None:
        self._state = _State.CLOSED
        self._records.clear()
        self._events.append(ProtocolFailed(reason))

    def _receive(self, is_text: bool, data: bytes) -> None:
        if self._state is _State.PASSWORD:
            data = self._read_password(data)
        if self._state is _State.VERDICT:
            if data:
                self._early.append((is_text, data))
            return
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if self._state is _State.CLOSED or not data:
            return
        if is_text:
            self._events.append(TerminalInput(data))
        else:
            self._records += data
            self._read_records()

    def _read_password(self, data: bytes) -> bytes:
        """Take the password's bytes and return those after its end."""
        end = next((i for i, byte in enumerate(data) if byte in b"\r\n"), len(data))
        if len(self._line) + end > PASSWORD_BYTES_MAX:
            self._fail(f"more than {PASSWORD_BYTES_MAX} bytes before the end of the password")
            return b""
        self._line += data[:end]
        if end < len(data):
            self._state = _State.VERDICT
            self._after_cr = data[end] == ord("\r")
            self._events.append(PasswordGiven(bytes(self._line)))
            self._line.clear()
        return data[end + 1 :]

    def _read_records(self) -> None:
        while True:
            match self._state:
                case _State.REQUEST if self._records:
                    # Said as early as it can be known: who types into binary messages waits for an answer.
                    if not b"WA".startswith(self._records[:2]):
                        self._fail("binary data that is no request: a request starts with 'WA'")
                    elif len(self._records) < self._request_bytes():
                        return
                    else:
                        self._read_request(self._take(self._request_bytes()))
                case _State.PUT_DATA | _State.PUT_SKIP if self._to_come and self._records:
                    data = self._take(self._to_come)
                    self._to_come -= len(data)
                    if self._state is _State.PUT_DATA:
                        self._events.append(FileData(data))
                case _State.PUT_DATA if not self._to_come:
                    self._state = _State.PUT_END
                    self._events.append(FileComplete())
                case _State.PUT_SKIP if not self._to_come:
                    self._finish(self._put_code)
                case _State.CHUNKS | _State.SKIP_CHUNKS if len(self._records) >= 2:
                    size_bytes = int.from_bytes(self._records[:2], "little")
                    if size_bytes > PACED_BYTES_MAX:
                        self._fail(f"a chunk has {PACED_BYTES_MAX:,} bytes at most, not {size_bytes:,}")
                    elif len(self._records) < 2 + size_bytes:
                        return
                    else:
                        self._read_chunk(self._take(2 + size_bytes)[2:])
                case _State.GET_WAIT if self._records:
                    byte = self._take(1)
                    if byte in (NEXT, STOP):
                        self._state = _State.GET_CHUNK
                        self._events.append(ChunkWanted() if byte == NEXT else GivenUp())
                    else:
                        self._fail(f"a chunk of the file is asked for with a zero byte, not {byte!r}")
                case _:
                    return

    def _read_chunk(self, data: bytes) -> None:
        """Take a chunk of a paced put; an empty one is its end, whether all has come or not."""
        if self._state is _State.SKIP_CHUNKS:
            if not data:
                self._state = _State.REQUEST
        elif len(data) > self._to_come:
            self._fail("more of the file than was announced")
        elif data:
            self._state = _State.TAKING
            self._to_come -= len(data)
            self._events.append(FileData(data))
        elif self._to_come:
            self._state = _State.PUT_END
            self._events.append(GivenUp())
        else:
            self._state = _State.PUT_END
            self._events.append(FileComplete())

    def _request_bytes(self) -> int:
        head = bytes(self._records[:REQUEST_BYTES])
        return REQUEST_BYTES if len(head) < REQUEST_BYTES else request_bytes(head)

    def _take(self, size_bytes: int) -> bytes:
        data = bytes(self._records[:size_bytes])
        del self._records[:size_bytes]
        return data

    def _read_request(self, record: bytes) -> None:
        try:
            request = decode_request(record)
        except RemoteProtocolError:  # the signature is right, so the name is too long
            self._outgoing.append(encode_reply(EINVAL))
            return
        if request.op == GET_VER:
            self._state = _State.VERSION
            self._events.append(VersionWanted())
        elif request.op == PUT_FILES:
            self._read_put_files(request)
        elif request.op not in (PUT_FILE, GET_FILE, PUT_PART, GET_PART):
            self._ask(request)
        elif (name := _file_name(request)) is None or (request.op == PUT_PART and request.flags & ~FLAGS[PUT_PART]):
            self._outgoing.append(encode_reply(EINVAL))
        elif request.op in (PUT_FILE, PUT_PART):
            self._state = _State.PUT_OPEN
            self._to_come = request.size
            is_part = request.op == PUT_PART
            offset_bytes, keep = (request.offset, bool(request.flags & KEEP)) if is_part else (0, False)
            self._paced = is_part and bool(request.flags & PACED)
            self._events.append(PutRequested(name, request.size, offset_bytes, keep))
        else:
            self._state = _State.GET_OPEN
            part = (request.offset, request.size) if request.op == GET_PART else (0, None)
            self._events.append(GetRequested(name, *part))

    def _read_put_files(self, request: Request) -> None:
        name = _file_name(request, may_be_empty=True)
        if name is None or request.flags or request.offset or not 0 < request.size <= FILES_BYTES_MAX:
            self._outgoing.append(encode_reply(EINVAL))
            return
        self._state = _State.PUT_OPEN
        self._to_come = request.size
        self._paced = False
        self._events.append(PutFilesRequested(name, request.size))

    def _ask(self, request: Request) -> None:
        asked = file_requests.decode_request(request)
        if isinstance(asked, int):
            self._outgoing.append(encode_reply(asked))
        else:
            self._state = _State.GET_OPEN if asked.answer_bytes is None else _State.ASKED
            self._events.append(Asked(asked))


def _file_name(request: Request, *, may_be_empty: bool = False) -> str | None:
    try:
        name = request.name.decode()
    except UnicodeDecodeError:
        return None
    return name if (name or may_be_empty) and "\0" not in name else None
