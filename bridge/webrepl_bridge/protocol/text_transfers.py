"""File transfers for firmware that cannot do better: data inside the code, and inside what it prints.

For boards without binary stdin, `micropython.kbd_intr`, `select` or a CRC-32: MicroPython before 1.10 or so, small
builds (micro:bit), CircuitPython. Each piece is a program of its own, and the raw prompt after it is the flow control.
"""

from __future__ import annotations

import ast
import contextlib
from typing import TYPE_CHECKING, TypeVar

from webrepl_link.errors import BoardError, RemoteProtocolError

from .dialogue import Deliver, Dialogue, DialogueTimeoutError, Fetch, Opened, Send
from .raw_repl import EIO, ProgramError, RawRepl
from .transfers import EBADMSG, QUIET_MS, RESENT_MAX, Transfer, quote, temporary_name

if TYPE_CHECKING:
    from collections.abc import Callable

PIECE_BYTES = 64
CHECK_MODULUS = 65521

T = TypeVar("T")


def checksum(data: bytes, check: int = 1) -> int:
    """Return the sum that the programs put_text and get_text keep: simple enough for a board without a CRC."""
    for byte in data:
        check = (check * 31 + byte) % CHECK_MODULUS
    return check


def insist(repl: RawRepl, code: bytes, answer: Callable[[bytes], T]) -> Dialogue[T]:
    """Execute `code` until it gets through: RESENT_MAX times more at most. Running it twice must do no harm.

    Code for firmware without raw-paste is paced by time only: a busy board, or a busy host, loses some of it.

    Args:
        repl: at the raw prompt.
        code: what to execute.
        answer: makes the result of what was printed; ValueError if that is not what the code prints.

    Raises:
        BoardError: an error that is the board's own, or damage to the last.
    """
    attempts_left = RESENT_MAX
    failure: BoardError
    while True:
        try:
            return answer((yield from repl.execute(code)))
        except ValueError:
            failure = BoardError(EIO, "the line damages too many bytes")
        except ProgramError as error:
            failure = error
            if error.code != EBADMSG and (error.code != EIO or "OSError" in error.traceback):
                raise
        except DialogueTimeoutError as error:
            failure = error
            yield Send(b"\x03")
            yield from repl.drain(QUIET_MS)
        if not attempts_left:
            raise failure
        attempts_left -= 1


def expect(text: bytes) -> Callable[[bytes], None]:
    """Return an `answer` for code that prints just this line."""

    def check(printed: bytes) -> None:
        if printed.strip() != text:
            raise ValueError(printed)

    return check


class PutText(Transfer):
    """A file on its way to the board by the program `put_text`; arguments as for transfers.Put."""

    def __init__(self, repl: RawRepl, program: bytes, name: str, size_bytes: int) -> None:
        self._repl = repl
        self._code = b"%s\ntry:_put=Put(%s,%s)\nfinally:del Put\n" % (program, quote(name), quote(temporary_name(name)))
        self._size_bytes = size_bytes
        self._check = checksum((name + temporary_name(name)).encode())

    def run(self) -> Dialogue[None]:
        """See Transfer."""
        yield from insist(self._repl, self._code, expect(b""))
        self.opened = True
        yield Opened()
        check = self._check
        sent_bytes = 0
        try:
            while sent_bytes < self._size_bytes:
                data = yield Fetch(min(PIECE_BYTES, self._size_bytes - sent_bytes))
                check = checksum(data, check)
                piece = b"_put.add(%d,%a,%d)" % (sent_bytes, data, check)
                yield from insist(self._repl, piece, expect(b"%d" % check))
                sent_bytes += len(data)
            printed = yield from self._repl.execute(b"_put.end(%d,%d)" % (self._size_bytes, check))
        except ProgramError:
            yield from self.abandon()
            raise
        if printed.strip() != b"%d" % check:
            raise RemoteProtocolError("the board does not say that it has the file")
        yield from self._repl.execute(b"del _put")

    def abandon(self) -> Dialogue[None]:
        """See Transfer."""
        if not self._repl.at_prompt:
            yield from self._repl.recover(0)
        yield from self._repl.execute(b"_put.give_up()\ndel _put")

    def clean_up(self) -> Dialogue[None]:
        """See Transfer."""
        with contextlib.suppress(ProgramError):
            yield from self.abandon()


class GetText(Transfer):
    """A file on its way from the board by the program `get_text`; arguments as for transfers.Get."""

    def __init__(self, repl: RawRepl, program: bytes, name: str) -> None:
        self._repl = repl
        self._code = b"%s\ntry:_get=Get(%s)\nfinally:del Get\n" % (program, quote(name))
        self._offset = 0

    def run(self) -> Dialogue[None]:
        """See Transfer."""
        yield from insist(self._repl, self._code, expect(b""))
        self.opened = True
        yield Opened()
        while data := (yield from self._next_piece()):
            self._offset += len(data)
            yield Deliver(data)
        yield from self.abandon()

    def _next_piece(self) -> Dialogue[bytes]:
        return insist(self._repl, b"_get.more(%d,%d)" % (self._offset, PIECE_BYTES), self._piece)

    def _piece(self, printed: bytes) -> bytes:
        literal, check = printed.decode("ascii").strip().rsplit(" ", 1)
        try:
            data = ast.literal_eval(literal)
        except SyntaxError as error:
            raise ValueError(literal) from error
        if not isinstance(data, bytes) or checksum(data, self._offset % CHECK_MODULUS + 1) != int(check):
            raise ValueError(literal)
        return data

    def abandon(self) -> Dialogue[None]:
        """See Transfer."""
        if not self._repl.at_prompt:
            yield from self._repl.recover(0)
        yield from self._repl.execute(b"_get.f.close()\ndel _get")

    def clean_up(self) -> Dialogue[None]:
        """See Transfer."""
        with contextlib.suppress(ProgramError):
            yield from self.abandon()
