"""All boards of one bridge: their sessions, and the keepers that bring the boards to them."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from webrepl_link.errors import WebReplError

from ..session import Session
from .hotplug import PortWatch
from .keeper import Keeper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..boards.base import Board
    from ..boards.opening import BoardOptions

SETTLE_S = 2.0
"""How long the boards may take to come back to their prompts when the bridge stops in the middle of transfers."""


class Lab:
    """The boards by their names.

    Attributes:
        sessions: one for each board, whether it is there or not.
        keepers: what brings the boards to them.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.keepers: dict[str, Keeper] = {}
        self._ports = PortWatch()
        self._keeping: dict[str, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Keep the boards while the block runs; at its end they are let go at their prompts."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as self._tasks:
            watching = self._tasks.create_task(self._ports.run())
            try:
                yield
            except Exception as error:
                failure = error  # not as one of a group
            finally:
                await self._settle(*self.sessions)
                for task in (watching, *self._keeping.values()):
                    task.cancel()
        if failure is not None:
            raise failure

    def add(self, name: str, options: BoardOptions) -> Keeper:
        """Keep one more board from now on; inside `run`.

        Raises:
            AddressError: its URL is not well formed.
        """
        assert self._tasks is not None
        session = Session(name)
        keeper = Keeper(session, options, self._ports)
        self.sessions[name] = session
        self.keepers[name] = keeper
        self._keeping[name] = self._tasks.create_task(keeper.run())
        return keeper

    async def _settle(self, *names: str) -> None:
        boards = [session.board for session in map(self.sessions.__getitem__, names) if session.board is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S), asyncio.TaskGroup() as settling:
                for board in boards:
                    settling.create_task(_settle(board))


async def _settle(board: Board) -> None:
    with contextlib.suppress(WebReplError):
        await board.settle()
