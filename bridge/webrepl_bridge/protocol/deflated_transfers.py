"""File transfers to a board that can inflate: the host's side of `put_deflate`.

As in transfers.py, but a block on the wire holds what more of the file was deflated to, or, where that does not pay, as
much of the file as it is. Each is deflated by itself, so that a damaged one can be sent again alone.
"""

from __future__ import annotations

import zlib
from binascii import crc32
from collections import deque
from typing import TYPE_CHECKING

from .transfers import NO_BLOCK, Block, Put

if TYPE_CHECKING:
    from .dialogue import Dialogue
    from .raw_repl import RawRepl

WINDOW_BITS = 12
"""4 KiB of the board's memory."""

BLOCKS_IN_ONE = 2
"""How many blocks' worth of the file are deflated into one: the board stores them while the line is silent."""

PAYS_PERCENT = 95
AS_IT_IS = 0x8000


class PutDeflated(Put):
    """A file on its way to the board by the program `put_deflate`; arguments as for Put."""

    _function = b"_put_deflate"
    _extra_bytes = 6

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
    ) -> None:
        super().__init__(repl, program, name, size_bytes, block_bytes, early_bytes, offset_bytes, keep=keep)
        self._ready: deque[Block] = deque()

    def _next_block(self) -> Dialogue[Block]:
        if not self._ready:
            data = yield from self._fetch(BLOCKS_IN_ONE * self._block_bytes)
            deflated = deflate(data)
            if len(deflated) * 100 <= len(data) * PAYS_PERCENT and len(deflated) <= self._block_bytes:
                self._ready.append(block(deflated, 0, len(data)))
            else:
                for start in range(0, len(data), self._block_bytes):
                    piece = data[start : start + self._block_bytes]
                    self._ready.append(block(piece, AS_IT_IS, len(piece)))
        return self._ready.popleft() if self._ready else NO_BLOCK


def deflate(data: bytes) -> bytes:
    """Return what the board inflates, with its window."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -WINDOW_BITS)
    return compressor.compress(data) + compressor.flush()


def block(data: bytes, flag: int, size_bytes: int) -> Block:
    """Return so much of a file as it is on the wire; `flag`: AS_IT_IS, or 0 if it is deflated."""
    said = (len(data) | flag).to_bytes(2, "little") + data
    return Block(said + crc32(said).to_bytes(4, "little"), size_bytes)
