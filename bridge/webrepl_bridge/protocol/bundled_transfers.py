"""Many small files in one run of a program on the board: the host's side of `put_files`.

As in deflated_transfers.py, but a block holds whole files with their names, deflated together. So one that arrived
damaged is sent again, and nothing has to be known of what the board has made of it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from webrepl_link.errors import BoardError

from .deflated_transfers import TO_BE_INFLATED, deflate
from .errnos import EEXIST, ENOSYS
from .transfers import NO_BLOCK, Block, Put, make_block

if TYPE_CHECKING:
    from .dialogue import Dialogue
    from .put_files import PutFiles
    from .raw_repl import RawRepl

STORED = b"."
WINDOW_BITS = 12


class PutBundled(Put):
    """Files on their way to the board by the program `put_files`.

    Args:
        repl: the board's raw REPL.
        program: source of the program.
        request: the files.
        block_bytes: size of a block on the wire, which the board holds in RAM.
        deflates: whether the board can inflate.

    Raises:
        BoardError: ENOSYS: one does not fit a block.
    """

    def __init__(self, repl: RawRepl, program: bytes, request: PutFiles, block_bytes: int, *, deflates: bool) -> None:
        folder = request.name.rstrip("/") or request.name[:1]
        entries = request.from_here().entries()
        super().__init__(repl, program, folder, sum(map(len, entries)), block_bytes, 0)
        self._ready = deque(_blocks(entries, block_bytes, deflates=deflates))

    def _call(self, called_with: bytes) -> Dialogue[None]:
        yield from self._repl.call(called_with, (b"_put_files", self._program))

    def _next_block(self) -> Dialogue[Block]:
        yield from ()
        return self._ready.popleft() if self._ready else NO_BLOCK

    def _reply(self, timeout_ms: int) -> Dialogue[bytes]:
        while (said := (yield from self._repl.exactly(1, timeout_ms))) == STORED:
            pass
        self._repl.put_back(said)
        return (yield from super()._reply(timeout_ms))

    def _forget_stored(self) -> Dialogue[None]:
        yield from ()

    def _replace(self) -> Dialogue[None]:
        yield from self.clean_up()
        raise BoardError(EEXIST, "a file system that does not rename over a file")


def _blocks(entries: list[bytes], block_bytes: int, *, deflates: bool) -> list[Block]:
    data = b"".join(entries)
    deflated = deflate(data, WINDOW_BITS) if deflates else data
    if len(deflated) < min(len(data), block_bytes + 1):
        return [make_block(deflated, len(data), TO_BE_INFLATED)]
    if len(data) <= block_bytes:
        return [make_block(data, len(data))]
    if len(entries) == 1:
        raise BoardError(ENOSYS, "a file that is not small")
    half = len(entries) // 2
    first, second = entries[:half], entries[half:]
    return [*_blocks(first, block_bytes, deflates=deflates), *_blocks(second, block_bytes, deflates=deflates)]
