"""File transfers for firmware that cannot do better: data inside the code, and inside what it prints.

For boards without binary stdin, `micropython.kbd_intr`, `select` or a CRC-32: MicroPython before 1.10 or so, small
builds (micro:bit), CircuitPython. Each piece is a program of its own, and the raw prompt after it is the flow control.
"""

from __future__ import annotations

import ast
import contextlib

from webrepl_link.errors import BoardError, RemoteProtocolError

from .dialogue import Deliver, Dialogue, Fetch, Opened
from .raw_repl import EIO, ProgramError, RawRepl
from .transfers import Transfer, quote, temporary_name

PIECE_BYTES = 64


def checksum(data: bytes, check: int = 1) -> int:
    """Return the sum that the programs put_text and get_text keep: simple enough for a board without a CRC."""
    for byte in data:
        check = (check * 31 + byte) % 65521
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
        yield from self._repl.execute(self._code)
        self.opened = True
        yield Opened()
        check = self._check
        left_bytes = self._size_bytes
        try:
            while left_bytes:
                data = yield Fetch(min(PIECE_BYTES, left_bytes))
                left_bytes -= len(data)
                check = checksum(data, check)
                yield from self._repl.execute(b"_put.add(%a)" % data)
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

    def run(self) -> Dialogue[None]:
        """See Transfer."""
        yield from self._repl.execute(self._code)
        self.opened = True
        yield Opened()
        while data := self._piece((yield from self._repl.execute(b"_get.more(%d)" % PIECE_BYTES))):
            yield Deliver(data)
        yield from self._repl.execute(b"del _get")

    def _piece(self, printed: bytes) -> bytes:
        try:
            literal, check = printed.decode("ascii").strip().rsplit(" ", 1)
            data = ast.literal_eval(literal)
            if isinstance(data, bytes) and checksum(data) == int(check):
                return data
        except (ValueError, SyntaxError) as error:
            raise RemoteProtocolError("the board sent a piece that is no bytes literal") from error
        raise BoardError(EIO, "the line damages too many bytes")

    def abandon(self) -> Dialogue[None]:
        """See Transfer."""
        if not self._repl.at_prompt:
            yield from self._repl.recover(0)
        yield from self._repl.execute(b"_get.f.close()\ndel _get")

    def clean_up(self) -> Dialogue[None]:
        """See Transfer."""
        with contextlib.suppress(ProgramError):
            yield from self.abandon()
