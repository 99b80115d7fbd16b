"""One running bridge: a stream, the board on it, its session, and the frontend; from start to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webrepl_link.errors import TransportError
from webrepl_transports import open_stream

from .boards.auto import Framing, make_board
from .boards.stock import WhileRunning
from .demo import demo_board
from .frontends.app import STATIC_HOST, create_app
from .frontends.passwords import PasswordGate
from .frontends.server import open_listeners, serve
from .session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .boards.base import Board


SETTLE_S = 2.0
"""How long the board may take to come back to its prompt when the bridge stops in the middle of a transfer."""


@dataclass(frozen=True)
class BridgeOptions:
    """What to bridge, and how.

    Attributes:
        serial: what `webrepl_transports.open_stream` takes; None for the demo board.
        listen: addresses of the form `[HOST]:PORT`.
        password: what clients must give.
        name: how clients call the board, beside `/`.
        baud: bits per second of a serial line.
        reset_on_open: see `webrepl_transports.ResetOnOpen`.
        while_running: what a file operation does when a program is running.
        framing: how the messages between the bridge and the board are framed.
        board_password: what the firmware's own WebREPL asks for, with plain framing.
        static_host: where the page's script comes from.
    """

    serial: str | None
    listen: tuple[str, ...]
    password: str
    name: str
    baud: int = 115200
    reset_on_open: str = "keep"
    while_running: WhileRunning = WhileRunning.INTERRUPT
    framing: Framing = Framing.AUTO
    board_password: str = ""
    static_host: str = STATIC_HOST


async def run_bridge(
    options: BridgeOptions, *, ready: Callable[[str, list[int]], None], stop: asyncio.Event | None = None
) -> None:
    """Bridge one board until asked to stop.

    Args:
        options: what to bridge.
        ready: called once clients can connect, with what the board is on and the ports that are listened on.
        stop: set it to stop; without one SIGINT and SIGTERM do.

    Raises:
        OpenError: the board or an address could not be opened; one line that says what to do.
        TransportError: the board has gone.
    """
    async with contextlib.AsyncExitStack() as stack:
        sockets = [sock for listen in options.listen for sock in open_listeners(listen)]
        for sock in sockets:
            stack.callback(sock.close)
        serial = options.serial
        if serial is None:
            serial = await stack.enter_async_context(demo_board())
        stream = await open_stream(serial, baud=options.baud, reset_on_open=options.reset_on_open)
        stack.push_async_callback(stream.aclose)
        if stop is None:
            stop = stack.enter_context(_stop_on_signals())

        board = make_board(stream, options.framing, options.while_running, options.board_password)
        session = Session(board, options.name)
        app = create_app(session, PasswordGate(options.password), static_host=options.static_host)
        ports = [sock.getsockname()[1] for sock in sockets]

        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(_run_board(board, stop))
            await serve(app, sockets, stop=stop, ready=lambda: ready(stream.description, ports))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    await board.settle()
            running.cancel()
        if not running.cancelled() and (failure := running.result()):
            raise failure


async def _run_board(board: Board, stop: asyncio.Event) -> TransportError | None:
    try:
        await board.run()
    except TransportError as error:
        stop.set()
        return error
    return None


@contextlib.contextmanager
def _stop_on_signals() -> Iterator[asyncio.Event]:
    """An event that SIGINT and SIGTERM set, inside the block; not by the loop, which has no handlers on Windows."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    before = {
        number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
