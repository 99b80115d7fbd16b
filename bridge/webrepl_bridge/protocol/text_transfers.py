"""File transfers for firmware that cannot do better: data inside the code, and inside what it prints.

For boards without binary stdin, `micropython.kbd_intr`, `select` or a CRC-32: MicroPython before 1.10 or so, small
builds (micro:bit), CircuitPython. Each piece is a program of its own, and the raw prompt after it is the flow control.
"""

from __future__ import annotations

import ast
import contextlib
import functools

from webrepl_link.errors import RemoteProtocolError

from .dialogue import Deliver, Dialogue, Fetch, Opened
from .insist import expect, insist
from .raw_repl import ProgramError, RawRepl
from .transfers import Transfer, quote, temporary_name

PIECE_BYTES = 64
CHECK_MODULUS = 65521


def checksum(data: bytes, check: int = 1) -> int:
    """Return the sum that the programs put_text and get_text keep: simple enough for a board without a CRC."""
    for byte in data:
        check = (check * 31 + byte) % CHECK_MODULUS
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
        yield from self._repl.forget()  # such boards have little memory
        yield from insist(self._repl, lambda: self._repl.execute(self._code), expect(b""))
        self.opened = True
        yield Opened()
        check = self._check
        sent_bytes = 0
        try:
            while sent_bytes < self._size_bytes:
                data = yield Fetch(min(PIECE_BYTES, self._size_bytes - sent_bytes))
                check = checksum(data, check)
                piece = b"_put.add(%d,%a,%d)" % (sent_bytes, data, check)
                yield from insist(self._repl, functools.partial(self._repl.execute, piece), expect(b"%d" % check))
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
    """A file on its way from the board by the program `get_text`; arguments as for transfers.Get.

    Not all such firmware can seek: what is before the offset comes, too.
    """

    def __init__(
        self, repl: RawRepl, program: bytes, name: str, offset_bytes: int = 0, size_bytes: int | None = None
    ) -> None:
        self._repl = repl
        self._code = b"%s\ntry:_get=Get(%s)\nfinally:del Get\n" % (program, quote(name))
        self._offset = 0
        self._start = offset_bytes
        self._end = None if size_bytes is None else offset_bytes + size_bytes

    def run(self) -> Dialogue[None]:
        """See Transfer."""
        yield from self._repl.forget()  # such boards have little memory
        yield from insist(self._repl, lambda: self._repl.execute(self._code), expect(b""))
        self.opened = True
        yield Opened()
        end = self._end
        while (end is None or self._offset < end) and (data := (yield from self._next_piece())):
            wanted = data[max(0, self._start - self._offset) : None if end is None else end - self._offset]
            self._offset += len(data)
            if wanted:
                yield Deliver(wanted)
        yield from self.abandon()

    def _next_piece(self) -> Dialogue[bytes]:
        call = b"_get.more(%d,%d)" % (self._offset, PIECE_BYTES)
        return insist(self._repl, lambda: self._repl.execute(call), self._piece)

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
