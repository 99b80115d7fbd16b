"""Running the application on a free port, for tests."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from webrepl_bridge.frontends.app import create_app
from webrepl_bridge.frontends.passwords import PasswordGate
from webrepl_bridge.frontends.server import open_listeners, serve
from webrepl_bridge.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from webrepl_bridge.boards.base import Board

PASSWORD = "secret"


class Running:
    """A running bridge."""

    def __init__(self, session: Session, host: str, port: int, stop: asyncio.Event) -> None:
        self.session = session
        self.host = host
        self.port = port
        self.stop = stop


@asynccontextmanager
async def serving(board: Board, listen: str = "127.0.0.1:0", name: str = "fake") -> AsyncIterator[Running]:
    """Serve `board` until the block ends; everything must end within the time that `serve` promises."""
    session = Session(name)
    sockets = open_listeners(listen)
    host, port = sockets[0].getsockname()[:2]
    stop, ready = asyncio.Event(), asyncio.Event()
    app = create_app(session, PasswordGate(PASSWORD))
    with session.serve(board):
        async with asyncio.TaskGroup() as tasks:
            server = tasks.create_task(serve(app, sockets, stop=stop, ready=ready.set))
            await ready.wait()
            try:
                yield Running(session, host, port, stop)
            finally:
                stop.set()
                async with asyncio.timeout(6):
                    await server
