"""Talking to a board's raw REPL: into it, programs run, out of it again.

Source: micropython docs/reference/repl.rst, shared/runtime/pyexec.c.
"""

from __future__ import annotations

import contextlib
import re

from webrepl_link.errors import BoardError, RemoteProtocolError

from .dialogue import Dialogue, DialogueTimeoutError, Pause, Receive, Send
from .errnos import EIO, ENOENT, ENOMEM, ENOSPC

ANSWER_TIMEOUT_MS = 2_000
LEAVE_TIMEOUT_MS = 3_000
PROGRAM_TIMEOUT_MS = 15_000
"""How long a program may be silent: flash that is full of deleted files is slow to give space."""

PORTION_BYTES = 32
PORTION_PAUSE_MS = 12
REPLY_BYTES_MAX = 1 << 16

RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
FRIENDLY_PROMPT = b"\n>>> "

_ERRNO = re.compile(rb"OSError: (?:\[Errno )?(\d{1,5})\b")
_NAMED_ERRORS = ((b"MemoryError", ENOMEM), (b"file not found", ENOENT), (b"no more storage space", ENOSPC))  # micro:bit


class ProgramError(BoardError):
    """A program on the board ended with an exception.

    Attributes:
        code: the errno of an OSError, 12 for a MemoryError, else 5.
        traceback: what the board printed.
    """

    def __init__(self, traceback: bytes) -> None:
        self.traceback = traceback.decode("utf-8", "replace")
        last_line = self.traceback.strip().rsplit("\n", 1)[-1].strip()
        super().__init__(_errno(traceback), last_line or "the program on the board failed")


def _errno(traceback: bytes) -> int:
    if match := _ERRNO.search(traceback):
        return int(match[1]) or EIO
    return next((code for text, code in _NAMED_ERRORS if text in traceback), EIO)


class RawRepl:
    """The raw REPL of one board, between `enter` and `leave`.

    Attributes:
        raw_paste: whether the firmware has raw-paste; None until it was tried.
        at_prompt: whether no code is half sent, and none runs.
    """

    def __init__(self) -> None:
        self.raw_paste: bool | None = None
        self.at_prompt = False
        self._unread = b""
        self._defined: set[bytes] = set()  # functions that are on the board, whole
        self._left: set[bytes] = set()  # functions that may be there in some form

    # Reading.

    def exactly(self, count: int, timeout_ms: int) -> Dialogue[bytes]:
        """The next `count` bytes; on a timeout those that have come are still there."""
        while len(self._unread) < count:
            self._unread += yield Receive(timeout_ms)
        data, self._unread = self._unread[:count], self._unread[count:]
        return data

    def some(self, timeout_ms: int) -> Dialogue[bytes]:
        """The next bytes, at least one."""
        data, self._unread = self._unread, b""
        return data or (yield Receive(timeout_ms))

    def put_back(self, data: bytes) -> None:
        """Undo the reading of `data`."""
        self._unread = data + self._unread

    def until(self, ending: bytes, timeout_ms: int, limit_bytes: int = REPLY_BYTES_MAX) -> Dialogue[bytes]:
        """Everything up to `ending`, without it.

        Raises:
            RemoteProtocolError: `limit_bytes` came without it.
        """
        data = bytearray(self._unread)
        searched = 0
        while (end := data.find(ending, searched)) < 0:
            if len(data) > limit_bytes:
                raise RemoteProtocolError(f"the board says much, but not {ending!r}")
            searched = max(0, len(data) - len(ending) + 1)
            data += yield Receive(timeout_ms)
        self._unread = bytes(data[end + len(ending) :])
        return bytes(data[:end])

    # Modes.

    def enter(self, line_is_empty: bool) -> Dialogue[None]:
        """From the friendly prompt to the raw one; Ctrl-C first, if something is half typed."""
        self._unread = b""
        if not line_is_empty:
            yield Send(b"\x03")
            yield from self.until(FRIENDLY_PROMPT, ANSWER_TIMEOUT_MS)
        yield Send(b"\x01")
        yield from self.until(RAW_PROMPT, ANSWER_TIMEOUT_MS)
        self.at_prompt = True

    def leave(self) -> Dialogue[None]:
        """From the raw prompt to the friendly one; nothing of what `call` defined stays."""
        yield from self.forget()
        yield Send(b"\x02")
        yield from self.until(FRIENDLY_PROMPT, LEAVE_TIMEOUT_MS)

    def recover(self, unfinished_bytes: int) -> Dialogue[None]:
        """To the raw prompt from wherever the board may be.

        Args:
            unfinished_bytes: how many bytes a program may be waiting for with Ctrl-C as data, as `put` does.

        Raises:
            DialogueTimeoutError: nothing helped.
        """
        self.distrust()
        for attempt in range(4):
            # Ctrl-C ends a program, Ctrl-B raw mode; Ctrl-C again what Ctrl-B may have typed into a program's input.
            yield Send(b"\x03\x03" if attempt % 2 == 0 else b"\x03" * unfinished_bytes)
            yield Pause(100)
            self._unread = b""  # may contain what looks like a prompt
            with contextlib.suppress(DialogueTimeoutError):
                yield Receive(1)
            yield Send(b"\x02")
            try:
                yield from self.until(FRIENDLY_PROMPT, 300 if attempt % 2 == 0 else ANSWER_TIMEOUT_MS)
            except DialogueTimeoutError:
                continue
            yield from self.drain(100)
            yield from self.enter(line_is_empty=True)
            with contextlib.suppress(ProgramError):
                yield from self.execute(b"0")  # takes an interrupt that is still pending (MicroPython 1.9)
            return
        raise DialogueTimeoutError

    def drain(self, quiet_ms: int) -> Dialogue[bytes]:
        """Read until the board has been silent for `quiet_ms`; return the last REPLY_BYTES_MAX bytes of it."""
        data, self._unread = self._unread, b""
        try:
            while True:
                data = (data + (yield Receive(quiet_ms)))[-REPLY_BYTES_MAX:]
        except DialogueTimeoutError:
            return data

    # Programs.

    def start(self, code: bytes) -> Dialogue[None]:
        """Send `code` to the raw prompt; returns when the board has taken it and starts it."""
        self.at_prompt = False
        if self.raw_paste is not False:
            yield Send(b"\x05A\x01")
            answer = yield from self.exactly(2, ANSWER_TIMEOUT_MS)
            if answer == b"R\x01":
                self.raw_paste = True
                yield from self._raw_paste(code)
                return
            if self.raw_paste or answer not in (b"R\x00", RAW_PROMPT[:2]):
                raise RemoteProtocolError(f"the board says {answer!r} when it is asked for raw-paste")
            self.raw_paste = False
            if answer != b"R\x00":
                yield from self.until(b">", ANSWER_TIMEOUT_MS)
        for start in range(0, len(code), PORTION_BYTES):
            yield Send(code[start : start + PORTION_BYTES])
            yield Pause(PORTION_PAUSE_MS)
        yield Send(b"\x04")
        yield from self.until(b"OK", ANSWER_TIMEOUT_MS)

    def _raw_paste(self, code: bytes) -> Dialogue[None]:
        window = room = int.from_bytes((yield from self.exactly(2, ANSWER_TIMEOUT_MS)), "little")
        sent = 0
        while sent < len(code):
            if room:
                yield Send(code[sent : sent + room])
                sent, room = sent + room, 0
            elif (yield from self.exactly(1, PROGRAM_TIMEOUT_MS)) == b"\x01":
                room = window
            else:
                yield Send(b"\x04")  # a syntax error: the board has seen enough, and has said so
                return
        yield Send(b"\x04")
        yield from self.until(b"\x04", PROGRAM_TIMEOUT_MS)

    def finish(self, timeout_ms: int = PROGRAM_TIMEOUT_MS, limit_bytes: int = REPLY_BYTES_MAX) -> Dialogue[bytes]:
        """Read what the running program still prints, until the raw prompt is back.

        Raises:
            ProgramError: it ended with an exception.
            RemoteProtocolError: it printed more than `limit_bytes`.
        """
        output = yield from self.until(b"\x04", timeout_ms, limit_bytes)
        yield from self.fail_if_ended_badly()
        return output

    def fail_if_ended_badly(self) -> Dialogue[None]:
        """Read the rest after the first end mark of a program: its traceback, if there is one, and the prompt.

        Raises:
            ProgramError: there is one.
        """
        traceback = yield from self.until(b"\x04>", ANSWER_TIMEOUT_MS)
        self.at_prompt = True
        if traceback:
            self.distrust()
            raise ProgramError(traceback)

    def execute(self, code: bytes, timeout_ms: int = PROGRAM_TIMEOUT_MS) -> Dialogue[bytes]:
        """Run `code` to its end and return what it printed.

        Raises:
            ProgramError: it ended with an exception.
        """
        yield from self.start(code)
        return (yield from self.finish(timeout_ms))

    # Functions, which stay on the board for the next call: half of the time of a small file is their way and compiling.

    def call(self, arguments: bytes, *functions: tuple[bytes, bytes]) -> Dialogue[None]:
        """Start the call of a function, as `start` does.

        Args:
            arguments: literals.
            functions: name and source of the function, after those that it needs; each goes along if it is not on the
                board.
        """
        code = b""
        for name, source in functions:
            if name not in self._defined:
                code += source + b"\n"
            self.note(name)
        yield from self.start(b"%s%s(%s)" % (code, functions[-1][0], arguments))

    def has(self, function: bytes) -> bool:
        """Whether the function of this name is on the board, whole."""
        return function in self._defined

    def note(self, function: bytes) -> None:
        """Have it that this function has come to the board otherwise than by `call`."""
        self._left.add(function)
        self._defined.add(function)

    def distrust(self) -> None:
        """Send functions anew with their next call: perhaps one was damaged on its way."""
        self._defined.clear()

    def forget(self) -> Dialogue[None]:
        """At the raw prompt, remove the functions that `call` has left."""
        self.distrust()
        if self._left:
            names = sorted(self._left)
            self._left.clear()
            with contextlib.suppress(ProgramError):
                yield from self.execute(b"=".join(names) + b"=0\ndel " + b",".join(names))
