"""A put to a board that can inflate: what is sent is deflated where that pays.

Each block is deflated by itself, so that a damaged one can be sent again alone. What inflates is sent to the board when
the first block wants it: who sends what does not deflate pays nothing for it.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from .transfers import NO_BLOCK, Block, Put, make_block

if TYPE_CHECKING:
    from .dialogue import Dialogue
    from .raw_repl import RawRepl

PIECE_BYTES = 2048
BLOCK_FILE_BYTES_MAX = 1 << 15
"""How much of the file may be in one block: the board is busy storing it while the line is silent."""

PAYS_PERCENT = 90
"""What the deflated may have of the original: inflating takes time."""

INFLATE_COST_BYTES = 600
"""What sending what inflates costs, and compiling it, in bytes of the line."""

MEMORY_LEVEL = 9  # zlib's highest
TO_BE_INFLATED = 0x8000
INFLATE = b"_inflate"


class PutDeflated(Put):
    """A file on its way to a board that can inflate.

    Args:
        inflate: source of the program `inflate`.
        window_bits: binary logarithm of how much of the board's memory inflating may take, 9 to 15.

    The others are as for Put.
    """

    def __init__(
        self,
        repl: RawRepl,
        program: bytes,
        name: str,
        size_bytes: int,
        block_bytes: int,
        early_bytes: int,
        offset_bytes: int = 0,
        *,
        keep: bool = False,
        inflate: bytes,
        window_bits: int,
    ) -> None:
        super().__init__(repl, program, name, size_bytes, block_bytes, early_bytes, offset_bytes, keep=keep)
        self._inflate = inflate
        self._window_bits = window_bits
        self._sent_inflate = False
        self._unread = b""  # fetched, and in no block yet

    def _call(self, called_with: bytes) -> Dialogue[None]:
        if not self._sent_inflate and not self._repl.has(INFLATE):
            yield from super()._call(called_with)
            return
        self._sent_inflate = True
        functions = ((INFLATE, self._inflate), (b"_put", self._program))
        yield from self._repl.call(called_with + b"," + INFLATE, *functions)

    def _next_block(self) -> Dialogue[Block]:
        data = self._unread + (yield from self._fetch(self._block_bytes - len(self._unread)))
        self._unread = b""
        if not self._pays(data):
            return make_block(data, len(data)) if data else NO_BLOCK
        if self._sent_inflate:
            return (yield from self._fill(data))
        self._sent_inflate = True
        self._unread = data
        self._repl.note(INFLATE)
        return make_block(self._inflate, 0, TO_BE_INFLATED)

    def _pays(self, data: bytes) -> bool:
        saved_bytes = len(data) - len(deflate(data, self._window_bits))
        if saved_bytes * 100 < len(data) * (100 - PAYS_PERCENT) or not data:
            return False
        to_be_saved_bytes = saved_bytes * (len(data) + self._unfetched_bytes) // len(data)
        return self._sent_inflate or to_be_saved_bytes >= INFLATE_COST_BYTES

    def _fill(self, data: bytes) -> Dialogue[Block]:
        """Return a block with `data`, which fits, and as much more of the file as does."""
        compressor = _compressor(self._window_bits)
        deflated = compressor.compress(data)
        end = compressor.copy().flush()
        piece_bytes = min(PIECE_BYTES, self._block_bytes)
        while len(data) < BLOCK_FILE_BYTES_MAX and (piece := (yield from self._fetch(piece_bytes))):
            longer = compressor.copy()
            more = longer.compress(piece)
            longer_end = longer.copy().flush()
            if 1 + len(deflated) + len(more) + len(longer_end) > self._block_bytes:
                self._unread = piece
                break
            compressor, deflated, end, data = longer, deflated + more, longer_end, data + piece
        return make_block(bytes([self._window_bits]) + deflated + end, len(data), TO_BE_INFLATED)


def _compressor(window_bits: int) -> zlib._Compress:
    return zlib.compressobj(9, zlib.DEFLATED, -window_bits, MEMORY_LEVEL)


def deflate(data: bytes, window_bits: int) -> bytes:
    """Return what the board inflates, with such a window."""
    compressor = _compressor(window_bits)
    return compressor.compress(data) + compressor.flush()
