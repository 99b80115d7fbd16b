"""Asking a board for room before a large file is sent."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from webrepl_link.errors import BoardError

from ..protocol.errnos import ENOSPC
from ..protocol.file_requests import GetSpace

if TYPE_CHECKING:
    from .base import Board

ASKED_FROM_BYTES = 1 << 17
"""From which size on it is asked: littlefs takes a tenth of a second to count its free blocks."""


async def refuse_without_room(board: Board, name: str, size_bytes: int) -> None:
    """Refuse a large file that there is no room for.

    Args:
        board: where it is to go.
        name: of the file.
        size_bytes: how much of it is to come; what it takes the place of stays until it is whole.

    Raises:
        BoardError: ENOSPC: there is less.
        TransportError: the wire failed.
    """
    if size_bytes < ASKED_FROM_BYTES:
        return
    try:
        space = await board.ask(GetSpace(posixpath.dirname(name)))
    except BoardError:
        return  # nothing is known: the put will show
    if space.total_bytes and size_bytes > space.free_bytes:
        raise BoardError(ENOSPC, f"it has {size_bytes:,} bytes, and {space.free_bytes:,} are free")
