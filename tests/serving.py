"""Running the application on a free port, for tests."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed

from webrepl_bridge.boards.auto import Framing
from webrepl_bridge.boards.opening import BoardOptions, open_board
from webrepl_bridge.frontends.app import create_app
from webrepl_bridge.frontends.guard import Guard
from webrepl_bridge.frontends.passwords import PasswordGate
from webrepl_bridge.frontends.server import open_listeners, serve
from webrepl_bridge.lab.lab import Lab
from webrepl_bridge.session import Session
from webrepl_transports import open_stream

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
def bridge(device: str, name: str = "fake") -> Iterator[int]:
    """Serve the stock board at `device` in a thread of its own until the block ends; yields the port."""
    with _in_thread(_bridge(device, name)) as port:
        yield port


@asynccontextmanager
async def _bridge(device: str, name: str) -> AsyncIterator[int]:
    async with open_board(BoardOptions(device, framing=Framing.NONE)) as board:
        running_board = asyncio.create_task(board.run())
        async with serving(board, name=name) as running:
            yield running.port
        running_board.cancel()
        with suppress(asyncio.CancelledError):
            await running_board


@contextmanager
def text_webrepl(device: str) -> Iterator[int]:
    """Serve the REPL at `device` as the firmware's WebREPL does its own, without records; yields the port."""
    with _in_thread(_text_webrepl(device)) as port:
        yield port


@asynccontextmanager
async def _text_webrepl(device: str) -> AsyncIterator[int]:
    stream = await open_stream(device)

    async def talk(connection: ServerConnection) -> None:
        """One client; text of any bytes both ways."""
        await connection.send("Password: ")
        if await connection.recv() != f"{PASSWORD}\r":
            await connection.send("\r\nAccess denied\r\n")
            return
        await connection.send("\r\nWebREPL connected\r\n>>> ")
        up = asyncio.create_task(print_to(connection))
        with suppress(ConnectionClosed):
            while True:
                await stream.send(await connection.recv(decode=False))
        up.cancel()

    async def print_to(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                await connection.send(await stream.receive(256), text=True)

    try:
        async with serve_websocket(talk, "127.0.0.1", 0) as server:
            yield next(iter(server.sockets)).getsockname()[1]
    finally:
        await stream.aclose()


@contextmanager
def _in_thread(serving_at: AbstractAsyncContextManager[int]) -> Iterator[int]:
    """Serve in a thread of its own until the block ends; yields the port."""
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        async with serving_at as port:
            stop = asyncio.Event()
            started.set_result((port, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="server")
    thread.start()
    try:
        port, loop, stop = started.result(10)
        try:
            yield port
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()
