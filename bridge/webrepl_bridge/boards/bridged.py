"""A board that another webrepl-bridge serves: its terminal goes through, its files are asked for by records.

The other bridge loses nothing at the terminal, replaces files whole, and interrupts a program for one if its operator
wants that. It takes several connections, so each file has one of its own: closing it gives the file up, which no record
could ask for, and the terminal notices nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from webrepl_link.errors import TransportError

from ..protocol.webrepl_client import VersionTold
from .bridge_wire import BridgeWire
from .record_board import RecordBoard
from .records import Talk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from webrepl_transports.websocket import WebSocket


class BridgedBoard(RecordBoard):
    """A board behind another bridge.

    Args:
        websocket: the terminal's connection, logged in; closed by its owner.
        connect: makes another one.
    """

    chunks_ahead = 1  # A WebREPL server may take a byte after the end of a file for the next request.

    def __init__(self, websocket: WebSocket, connect: Callable[[], Awaitable[WebSocket]]) -> None:
        self._wire = BridgeWire(websocket, lambda data: self.on_output(data))
        super().__init__(self._wire)
        self.description = websocket.description
        self._connect = connect
        self._turn = asyncio.Lock()

    async def settle(self) -> None:
        """See Board. The other bridge sees to it."""

    async def type_at_prompt(self, keys: bytes) -> None:
        """See Board."""
        await self._end_program()
        await self._type_on_empty_line(keys)

    async def version(self) -> tuple[int, int, int]:
        """See Board. When this returns the other bridge has got all that was typed before."""
        async with self._turn:
            talk = Talk(self._wire)
            talk.client.ask_version()
            event = await talk.answer()
        if isinstance(event, VersionTold) and any(event.version):
            self._answered_version = event.version
        return self._answered_version or (0, 0, 0)

    @contextlib.asynccontextmanager
    async def _talk(self) -> AsyncIterator[Talk]:
        await self.version()
        websocket = await self._connect()
        try:
            wire = BridgeWire(websocket, lambda data: None)
            self._tasks.create_task(_run_files(wire))
            yield Talk(wire)
        finally:
            await websocket.aclose()


async def _run_files(wire: BridgeWire) -> None:
    with contextlib.suppress(TransportError):  # whoever waits for the file is told
        await wire.run()
