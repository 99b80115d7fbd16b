"""Running the application on a free port, for tests."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from webrepl_bridge.boards.auto import Framing
from webrepl_bridge.boards.opening import BoardOptions, open_board
from webrepl_bridge.frontends.app import create_app
from webrepl_bridge.frontends.guard import Guard
from webrepl_bridge.frontends.passwords import PasswordGate
from webrepl_bridge.frontends.server import open_listeners, serve
from webrepl_bridge.lab.lab import Lab
from webrepl_bridge.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from webrepl_bridge.boards.base import Board
    from webrepl_bridge.certificates import Certificate

PASSWORD = "secret"


class Running:
    """A running bridge."""

    def __init__(self, session: Session, host: str, port: int, stop: asyncio.Event) -> None:
        self.session = session
        self.host = host
        self.port = port
        self.stop = stop


@asynccontextmanager
async def serving(
    board: Board,
    listen: str = "127.0.0.1:0",
    name: str = "fake",
    certificate: Certificate | None = None,
    watch_password: str | None = None,
) -> AsyncIterator[Running]:
    """Serve `board` until the block ends; everything must end within the time that `serve` promises."""
    session = Session(name)
    sockets = open_listeners(listen)
    host, port = sockets[0].getsockname()[:2]
    stop, ready = asyncio.Event(), asyncio.Event()
    lab = Lab()
    lab.sessions[name] = session
    app = Guard(create_app(lab, PasswordGate(PASSWORD, watch_password)))
    with session.serve(board):
        async with asyncio.TaskGroup() as tasks:
            server = tasks.create_task(serve(app, sockets, stop=stop, ready=ready.set, certificate=certificate))
            await ready.wait()
            try:
                yield Running(session, host, port, stop)
            finally:
                stop.set()
                async with asyncio.timeout(6):
                    await server


@contextmanager
def bridge(device: str) -> Iterator[int]:
    """Serve the stock board at `device` in a thread of its own until the block ends; yields the port."""
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        async with open_board(BoardOptions(device, framing=Framing.NONE)) as board:
            running_board = asyncio.create_task(board.run())
            async with serving(board) as running:
                stop = asyncio.Event()
                started.set_result((running.port, asyncio.get_running_loop(), stop))
                await stop.wait()
            running_board.cancel()
            with suppress(asyncio.CancelledError):
                await running_board

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="bridge")
    thread.start()
    try:
        port, loop, stop = started.result(10)
        yield port
        loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()
