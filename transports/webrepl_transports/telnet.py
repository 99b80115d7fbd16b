r"""The telnet side of one connection, pure: bytes in; data, subnegotiations and what to answer out.

Nothing that a client sends raises, and nothing that it sends is kept but one subnegotiation of bounded length.
An option is on, off, or asked for, on each side; a request for what is already so is not answered, so that two sides
that do the same never answer each other for ever.

    off ──we ask──► asked ──they agree──► on ──they refuse──► off, and we say so
     ▲                └──they refuse──► off         │
     └──────────────they ask for what we have not───┘ refused

Source: RFC 854, 855 (commands, subnegotiations), 856 (binary), 1143 (options without loops).
"""

from __future__ import annotations

import enum
import re
from collections import deque
from dataclasses import dataclass

SE, IP, SB, WILL, WONT, DO, DONT, IAC = 0xF0, 0xF4, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE, 0xFF
BINARY, ECHO, SUPPRESS_GO_AHEAD, COM_PORT = 0, 1, 3, 44

SUBNEGOTIATION_BYTES_MAX = 512
"""A longer one is dropped. RFC 2217 needs 258: a signature."""

_NEWLINE = re.compile(rb"\r[\n\0]")
_ASKS = {WILL: DO, DO: WILL}
_REFUSALS = {WILL: DONT, DO: WONT, WONT: DONT, DONT: WONT}


@dataclass(frozen=True)
class DataReceived:
    """Bytes for whoever is behind the connection."""

    data: bytes


@dataclass(frozen=True)
class Subnegotiation:
    """A whole subnegotiation: the option, and what stood behind it."""

    option: int
    value: bytes


class _State(enum.Enum):
    DATA = enum.auto()
    COMMAND = enum.auto()
    OPTION = enum.auto()
    VALUE = enum.auto()
    VALUE_COMMAND = enum.auto()


class Telnet:
    """One connection.

    Args:
        ours: options that we do, and ask to do at once: `WILL`.
        theirs: options that they may do, and are asked to do at once: `DO`.
        if_they_like: options that they may do, and are not asked to.
    """

    def __init__(self, ours: tuple[int, ...], theirs: tuple[int, ...], if_they_like: tuple[int, ...] = ()) -> None:
        self._state = _State.DATA
        self._command = 0
        self._value: bytearray | None = None  # of the subnegotiation that is under way; None if it is too long
        self._after_cr = False  # the data so far end with a CR that may have a NUL or LF behind it
        self._events: deque[DataReceived | Subnegotiation] = deque()
        self._on: set[tuple[int, int]] = set()  # what the other side says when it agrees, and the option
        self._asked = {(DO, option) for option in ours} | {(WILL, option) for option in theirs}
        self._known = self._asked | {(WILL, option) for option in if_they_like}
        self._out = bytearray()
        for verb, option in sorted(self._asked):
            self._out += bytes((IAC, _ASKS[verb], option))

    def does(self, option: int) -> bool:
        """Whether the other side has agreed to do `option`."""
        return (WILL, option) in self._on

    def may(self, option: int) -> bool | None:
        """Whether the other side has agreed that we do `option`; None while it has not answered."""
        return None if (DO, option) in self._asked else (DO, option) in self._on

    def send_data(self, data: bytes) -> None:
        """Queue data for the other side."""
        self._out += data.replace(b"\xff", b"\xff\xff")

    def send_subnegotiation(self, option: int, value: bytes) -> None:
        """Queue a subnegotiation for the other side."""
        self._out += bytes((IAC, SB, option)) + value.replace(b"\xff", b"\xff\xff") + bytes((IAC, SE))

    def data_to_send(self) -> bytes:
        """Return what goes to the other side, once."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def next_event(self) -> DataReceived | Subnegotiation | None:
        """Return the oldest event, once; None if there is none."""
        return self._events.popleft() if self._events else None

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the other side, cut anywhere."""
        at = 0
        while at < len(data):
            if self._state in (_State.DATA, _State.VALUE):
                end = data.find(IAC, at)
                plain = data[at : end if end >= 0 else len(data)]
                if self._state is _State.DATA:
                    self._give(plain)
                else:
                    self._extend(plain)
                at += len(plain)
                if end >= 0:
                    self._state = _State.COMMAND if self._state is _State.DATA else _State.VALUE_COMMAND
                    at += 1
            else:
                self._receive_byte(data[at])
                at += 1

    def _receive_byte(self, byte: int) -> None:
        match self._state, byte:
            case _State.OPTION, option:
                self._state = _State.DATA
                if self._command == SB:
                    self._state = _State.VALUE
                    self._value = bytearray((option,))
                else:
                    self._negotiate(self._command, option)
            case _State.VALUE_COMMAND, 0xFF:
                self._state = _State.VALUE
                self._extend(b"\xff")
            case _State.VALUE_COMMAND, 0xF0:
                self._state = _State.DATA
                if self._value is not None:
                    self._agree_by_use(self._value[0])
                    self._events.append(Subnegotiation(self._value[0], bytes(self._value[1:])))
            case _, (0xFA | 0xFB | 0xFC | 0xFD | 0xFE):  # one that ends a subnegotiation without SE ends it unheard
                self._command = byte
                self._state = _State.OPTION
            case _, 0xFF:
                self._state = _State.DATA
                self._give(b"\xff")
            case _, command:
                self._state = _State.DATA
                if command == IP:
                    self._give(b"\x03")

    def _extend(self, value: bytes) -> None:
        if self._value is not None and len(self._value) + len(value) <= SUBNEGOTIATION_BYTES_MAX:
            self._value += value
        else:
            self._value = None

    def _give(self, data: bytes) -> None:
        """Give data on; a client that has no binary mode writes Enter as CR NUL or CR LF."""
        if data and not self.does(BINARY) and not self.does(COM_PORT) and not self.may(COM_PORT):
            if self._after_cr and data[0] in b"\n\0":
                data = data[1:]
                self._after_cr = False
            if data:
                self._after_cr = data.endswith(b"\r")
                data = _NEWLINE.sub(b"\r", data)
        if data:
            self._events.append(DataReceived(data))

    def _agree_by_use(self, option: int) -> None:
        # pySerial's client does not say that it agrees if it is asked just before it would have asked itself.
        if (WILL, option) in self._known:
            self._asked.discard((WILL, option))
            self._on.add((WILL, option))

    def _negotiate(self, command: int, option: int) -> None:
        agrees = command in (WILL, DO)
        key = (command if agrees else command - 1, option)
        was_asked = key in self._asked
        self._asked.discard(key)
        if agrees and key in self._known:
            if key not in self._on and not was_asked:
                self._answer(_ASKS[command], option)
            self._on.add(key)
        elif agrees:
            self._answer(_REFUSALS[command], option)
        elif key in self._on:
            self._on.discard(key)
            self._answer(_REFUSALS[command], option)

    def _answer(self, verb: int, option: int) -> None:
        self._out += bytes((IAC, verb, option))
