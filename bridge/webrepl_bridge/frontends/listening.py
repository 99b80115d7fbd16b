"""Where clients find the bridge: its addresses, each with the board that is at `/` there; changed while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from webrepl_link.errors import OpenError

from ..lab.plan import Door
from .server import open_listeners, serve
from .tools import serve_tools

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Callable, Iterable

    from starlette.types import ASGIApp

    from ..certificates import Certificate
    from ..lab.plan import Listener
    from ..session import Session

log = logging.getLogger(__name__)


class Listening:
    """Serves an application at each address, and tools at theirs.

    Args:
        make_app: makes the application for the addresses that have this board at `/`.
        find_session: finds the session of the board with this name, or of the default one for "".
        certificate: serve HTTPS and wss with it, at all addresses.

    Attributes:
        ports: the port at each address; another than in the address if that says 0.
    """

    def __init__(
        self,
        make_app: Callable[[str], ASGIApp],
        find_session: Callable[[str], Session | None],
        certificate: Certificate | None = None,
    ) -> None:
        self.ports: dict[Listener, int] = {}
        self._make_app = make_app
        self._find_session = find_session
        self._certificate = certificate
        self._stops: dict[Listener, asyncio.Event] = {}
        self._serving: dict[Listener, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Serve while the block runs; at its end clients are told that the bridge is stopping."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as self._tasks:
            try:
                yield
            except Exception as error:
                failure = error  # not as one of a group
            finally:
                await self._close(list(self.ports))
        if failure is not None:
            raise failure

    async def change(self, wanted: Iterable[Listener]) -> None:
        """Listen at `wanted`, and no longer anywhere else; inside `run`.

        Raises:
            OpenError: at one address it is not possible; all is as it was.
        """
        wanted = dict.fromkeys(wanted)
        closed = [listener for listener in self.ports if listener not in wanted]
        await self._close(closed)  # first, as one of the others may take its place
        try:
            await self._open(listener for listener in wanted if listener not in self.ports)
        except OpenError:
            for listener in closed:
                with contextlib.suppress(OpenError):
                    await self._open([listener])
            raise

    async def _open(self, listeners: Iterable[Listener]) -> None:
        with contextlib.ExitStack() as unused:
            opened: list[tuple[Listener, list[socket.socket]]] = []
            for listener in listeners:
                opened.append((listener, open_listeners(listener.address)))
                for sock in opened[-1][1]:
                    unused.callback(sock.close)
            unused.pop_all()
        for listener, sockets in opened:
            await self._serve(listener, sockets)

    async def _serve(self, listener: Listener, sockets: list[socket.socket]) -> None:
        assert self._tasks is not None
        stop, ready = asyncio.Event(), asyncio.Event()
        self.ports[listener] = sockets[0].getsockname()[1]
        self._stops[listener] = stop
        if listener.door is Door.WEBREPL:
            app = self._make_app(listener.board)
            serving = serve(app, sockets, stop=stop, ready=ready.set, certificate=self._certificate)
        else:
            serving = serve_tools(lambda: self._find_session(listener.board), listener.door, sockets, stop=stop)
            ready.set()
        self._serving[listener] = self._tasks.create_task(serving)
        await ready.wait()

    async def _close(self, listeners: list[Listener]) -> None:
        for listener in listeners:
            self._stops.pop(listener).set()
            del self.ports[listener]
        tasks = [self._serving.pop(listener) for listener in listeners]
        if tasks:
            await asyncio.wait(tasks)
