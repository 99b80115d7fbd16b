"""Running the application: sockets from `[HOST]:PORT`, and uvicorn as one task of ours among others."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
from typing import TYPE_CHECKING

import uvicorn

from webrepl_link.errors import OpenError
from webrepl_transports.keepalive import notice_vanished_peer

from .dialects import MESSAGE_BYTES_MAX, WebReplWebSocket

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from starlette.types import ASGIApp

    from ..certificates import Certificate

log = logging.getLogger(__name__)

SHUTDOWN_S = 2.0
"""How long clients may take for their goodbye when the bridge stops."""

BACKLOG = 100
"""Connections that may wait to be accepted."""


def parse_listen(listen: str) -> tuple[str, int]:
    """Split `[HOST]:PORT` into host and port; the host is empty for all interfaces, IPv6 stands in brackets.

    Raises:
        OpenError: it is not of that form.
    """
    host, colon, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    well_formed = colon and port.isascii() and port.isdigit() and int(port) < 1 << 16
    if not well_formed or (":" in host) != bracketed or "[" in host or "]" in host:
        raise OpenError(f"cannot listen on {listen!r}: write HOST:PORT or :PORT, such as :8266 or [::1]:8266")
    return host, int(port)


def open_listeners(listen: str) -> list[socket.socket]:
    """Open the listening sockets for one `[HOST]:PORT`: one for each address that the host has.

    Raises:
        OpenError: malformed, unknown, in use, or not permitted; the message says what to do.
    """
    host, port = parse_listen(listen)
    with contextlib.ExitStack() as opened:
        sockets: list[socket.socket] = []
        for family, address in _addresses(listen, host, port):
            try:
                sock = _listener(family, address, sockets[0].getsockname()[1] if sockets else port)
            except OSError as error:
                raise OpenError(f"cannot listen on {listen!r}: {_advice(error, port)}") from error
            sockets.append(opened.enter_context(sock))
        opened.pop_all()
        return sockets


def _addresses(listen: str, host: str, port: int) -> Iterator[tuple[socket.AddressFamily, str]]:
    if not host:
        if _dual_stack_works():
            yield socket.AF_INET6, ""
        else:
            yield socket.AF_INET, ""
        return
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise OpenError(f"cannot listen on {listen!r}: no interface here is called {host!r}") from error
    yield from dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found)


def _dual_stack_works() -> bool:
    if not socket.has_dualstack_ipv6():
        return False
    try:
        socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True).close()
    except OSError:  # compiled in, and switched off here
        return False
    return True


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    everywhere = family is socket.AF_INET6 and not address
    sock = socket.create_server((address, port), family=family, backlog=BACKLOG, dualstack_ipv6=everywhere)
    notice_vanished_peer(sock)  # what is accepted here inherits it, before it is a WebSocket too
    return sock


def _advice(error: OSError, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is in use; stop what uses it, or choose another port"
        case errno.EACCES | errno.EPERM:
            return f"no permission for port {port}; choose one from 1024 on"
        case errno.EADDRNOTAVAIL:
            return "no interface here has that address"
        case _:
            return os.strerror(error.errno) if error.errno else str(error)


async def serve(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    *,
    stop: asyncio.Event,
    ready: Callable[[], object] | None = None,
    certificate: Certificate | None = None,
) -> None:
    """Serve `app` on `sockets` until `stop` is set or the task is cancelled; closes the sockets.

    Clients are told that the bridge is stopping (close code 1001) and have SHUTDOWN_S seconds to take it.

    Args:
        app: an ASGI application.
        sockets: listening sockets.
        stop: set it to stop.
        ready: called once connections are accepted.
        certificate: serve HTTPS and wss with it, and nothing else.
    """
    config = uvicorn.Config(
        app,
        http="h11",
        ws=WebReplWebSocket,
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_ping_interval=None,  # webrepl_cli.py never answers one
        ws_per_message_deflate=False,  # nor could it read this
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        ssl_certfile=certificate.certificate if certificate else None,
        ssl_keyfile=certificate.key if certificate else None,
    )
    server = _Server(config, stop, ready)
    try:
        await server.serve(list(sockets))
    finally:
        await server.shutdown(list(sockets))


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers and its ten polls a second: one task among others."""

    def __init__(self, config: uvicorn.Config, stop: asyncio.Event, ready: Callable[[], object] | None) -> None:
        super().__init__(config)
        self._stop = stop
        self._ready = ready
        self._shut_down = False
        self.servers: list[asyncio.Server] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def main_loop(self) -> None:
        if self._ready:
            self._ready()
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._shut_down:
            return
        self._shut_down = True
        for server in self.servers:
            server.close()
        for sock in sockets or []:
            sock.close()
        connections, tasks = self.server_state.connections, self.server_state.tasks
        for connection in list(connections):
            connection.shutdown()
        websockets = [connection for connection in connections if isinstance(connection, WebReplWebSocket)]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_S):
                for websocket in websockets:
                    await websocket.closed.wait()
                if tasks:
                    await asyncio.wait(tasks)
        for connection in list(connections):
            connection.transport.abort()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=SHUTDOWN_S)
        for task in tasks:
            log.error("a client's task does not end: %r", task)
