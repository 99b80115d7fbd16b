"""One running bridge: a board, its session, and the frontend; from start to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from webrepl_link.errors import AddressError

from .demo import demo_board
from .frontends.app import create_app
from .frontends.passwords import PasswordGate
from .frontends.server import open_listeners, serve
from .lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .boards.opening import BoardOptions


@dataclass(frozen=True)
class BridgeOptions:
    """What to bridge, and how.

    Attributes:
        board: where the board is, and how to serve it.
        listen: addresses of the form `[HOST]:PORT`.
        password: what clients must give.
        name: how clients call the board, beside `/`.
        wait: whether to wait for the board if it is not there at the start, and not to give up.
        demo: whether to run a board on this computer, in place of the one that `board` names.
    """

    board: BoardOptions
    listen: tuple[str, ...]
    password: str
    name: str
    wait: bool = False
    demo: bool = False


async def run_bridge(
    options: BridgeOptions, *, ready: Callable[[str, list[int]], None], stop: asyncio.Event | None = None
) -> None:
    """Bridge one board until asked to stop.

    Args:
        options: what to bridge.
        ready: called once clients can connect, with what the board is on and the ports that are listened on.
        stop: set it to stop; without one SIGINT and SIGTERM do.

    Raises:
        OpenError: the board or an address could not be opened at the start; one line that says what to do.
    """
    async with contextlib.AsyncExitStack() as stack:
        sockets = [sock for listen in options.listen for sock in open_listeners(listen)]
        for sock in sockets:
            stack.callback(sock.close)
        where = options.board
        if options.demo:
            where = replace(where, url=await stack.enter_async_context(demo_board()))
        if stop is None:
            stop = stack.enter_context(_stop_on_signals())

        lab = Lab()
        await stack.enter_async_context(lab.run())
        keeper = lab.add(options.name, where)
        await keeper.tried.wait()
        if keeper.failure is not None and (not options.wait or isinstance(keeper.failure, AddressError)):
            raise keeper.failure
        session = keeper.session
        app = create_app(session, PasswordGate(options.password))
        ports = [sock.getsockname()[1] for sock in sockets]
        await serve(app, sockets, stop=stop, ready=lambda: ready(keeper.description, ports))


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
