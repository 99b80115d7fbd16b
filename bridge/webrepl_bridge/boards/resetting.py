"""Starting a board anew, or its boot loader: by the lines of its wire where it has such, else by what it runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from webrepl_link.errors import BoardError

from ..protocol.errnos import ENOTSUP
from ..protocol.wiring import BOOTLOADER, RESET, Wiring

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..protocol.wiring import Step
    from .base import Board


async def hard_reset(board: Board) -> None:
    """Start a board anew, as its reset button does.

    Raises:
        BoardError: it has no such lines, and did not come to its prompt.
        TransportError: the wire failed.
    """
    await _by_lines_or_code(board, RESET, b"reset")


async def enter_bootloader(board: Board) -> None:
    """Start a board's boot loader. It is up to the board what that speaks, and on which wire.

    Raises:
        BoardError: its wiring knows no way there, or it has none and did not come to its prompt.
        TransportError: the wire failed.
    """
    await _by_lines_or_code(board, BOOTLOADER, b"bootloader")


async def _by_lines_or_code(board: Board, ways: Mapping[Wiring, tuple[Step, ...]], function: bytes) -> None:
    control = board.wire.control if board.wire is not None else None
    wiring = board.wiring
    if wiring is Wiring.AUTO:
        has_line = board.wire is not None and board.wire.line_rate_baud is not None
        wiring = Wiring.ESP if control is not None and has_line else Wiring.NONE
    if wiring is Wiring.NONE or control is None:
        await board.release()
        await board.type_at_prompt(b"import machine; machine.%s()\r" % function)
        return
    if wiring not in ways:
        raise BoardError(ENOTSUP, f"the wiring {wiring.value!r} has no way to do that")
    for step in ways[wiring]:
        await control.set_lines(dtr=step.dtr, rts=step.rts)
        await asyncio.sleep(step.wait_ms / 1000)
