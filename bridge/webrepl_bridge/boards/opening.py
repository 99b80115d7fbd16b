"""From a URL to a board: the one place that knows which kind of board is behind which kind of address."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webrepl_transports import ResetOnOpen, open_stream

from ..protocol.wiring import Wiring
from .auto import Framing, make_board
from .lending import LendableStream
from .remote import WEBSOCKET_SCHEMES, open_remote
from .stock import WhileRunning

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .base import Board


@dataclass(frozen=True)
class BoardOptions:
    """Where a board is, and how to serve it.

    Attributes:
        url: what `webrepl_transports.open_stream` takes, or `ws://…` or `wss://…` of a board's own WebREPL or of
            another bridge.
        baud: bits per second of a serial line, unless the URL says otherwise.
        reset_on_open: what opening a serial port does with DTR and RTS, unless the URL says otherwise.
        while_running: what a file operation on a stock board does when a program is running.
        framing: how the messages between the bridge and the board are framed.
        wiring: where DTR and RTS of its wire go.
        board_password: what the firmware's own WebREPL asks for.
    """

    url: str
    baud: int = 115200
    reset_on_open: ResetOnOpen = ResetOnOpen.KEEP
    while_running: WhileRunning = WhileRunning.INTERRUPT
    framing: Framing = Framing.AUTO
    board_password: str = ""
    wiring: Wiring = Wiring.AUTO


@asynccontextmanager
async def open_board(options: BoardOptions) -> AsyncIterator[Board]:
    """Open the way to a board, and close it when the block ends; the block runs the board.

    Raises:
        OpenError: it could not be opened; one line that says what to do.
    """
    if options.url.partition("://")[0].lower() in WEBSOCKET_SCHEMES:
        async with open_remote(options.url, options.while_running, options.board_password) as remote:
            yield remote
        return
    stream = LendableStream(await open_stream(options.url, baud=options.baud, reset_on_open=options.reset_on_open))
    try:
        board = make_board(stream, options.framing, options.while_running, options.board_password)
        board.description = stream.description
        board.wire = stream
        board.wiring = options.wiring
        yield board
    finally:
        await stream.aclose()
