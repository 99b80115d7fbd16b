"""TCP, bare and with RFC 2217."""

from __future__ import annotations

import asyncio
import re
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from webrepl_transport_unix import open_unix

from stream_kit.base import Joined, Peer
from webrepl_transports import ByteStream, OpenOptions, open_stream


class SocketPeer(Peer):
    """The server's side of a TCP connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    async def receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._socket, 65536)

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def end_sending(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def vanish(self) -> None:
        self._socket.close()


@asynccontextmanager
async def tcp_server(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
) -> AsyncIterator[int]:
    """Serve each connection until the block ends and the clients have left; yields the port."""

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with asyncio.TaskGroup() as tasks:

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.create_task(run(reader, writer))

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()


@contextmanager
def _listener() -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        yield listener


@asynccontextmanager
async def join_unix() -> AsyncIterator[Joined]:
    """The example of a plug-in."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = f"{folder}/board"
        listener.bind(path)
        listener.listen()
        listener.setblocking(False)

        async def open_again() -> ByteStream:
            return await open_unix(f"unix://{path}", OpenOptions())

        stream = await open_again()
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        peer = SocketPeer(connection)
        try:
            yield Joined(stream, peer, open_again)
        finally:
            await stream.aclose()
            peer.vanish()


@asynccontextmanager
async def join_tcp() -> AsyncIterator[Joined]:
    with _listener() as listener:
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        stream = await open_stream(url)
        connection, _ = await asyncio.get_running_loop().sock_accept(listener)
        peer = SocketPeer(connection)
        try:
            yield Joined(stream, peer, lambda: open_stream(url))
        finally:
            await stream.aclose()
            peer.vanish()


_TELNET = re.compile(rb"\xff([\xfb-\xfe])(.)|\xff\xfa\x2c(.)(.*?)\xff\xf0|\xff(\xff)|([^\xff]+)", re.DOTALL)


class ComPortPeer(SocketPeer):
    """A server of RFC 2217 that agrees to everything; it answers requests while it reads."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self._rest = b""
        self.requests: list[bytes] = []

    async def receive(self) -> bytes:
        while data := await super().receive():
            if plain := await self._take(data):
                return plain
        return b""

    async def send(self, data: bytes) -> None:
        await self.raw(data.replace(b"\xff", b"\xff\xff"))

    async def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        await super().send(data)

    async def until_asked_for_a_baud_rate(self) -> None:
        while not [request for request in self.requests if request[0] == 1]:
            await self._take(await super().receive())

    async def _take(self, data: bytes) -> bytes:
        self._rest += data
        plain = b""
        while token := _TELNET.match(self._rest):
            self._rest = self._rest[token.end() :]
            verb, option, command, value, literal, text = token.groups()
            if verb == b"\xfb":  # WILL
                await self.raw(b"\xff\xfd" + option)
            elif verb == b"\xfd":  # DO
                await self.raw(b"\xff\xfb" + option)
            elif command:
                self.requests.append(command + value)
                await self.raw(b"\xff\xfa\x2c" + bytes([command[0] + 100]) + value + b"\xff\xf0")
            plain += literal or text or b""
        return plain


@asynccontextmanager
async def join_rfc2217() -> AsyncIterator[Joined]:
    """The first connection is the peer's; each later one is dropped when it is open."""
    peers: asyncio.Queue[ComPortPeer] = asyncio.Queue()

    async def accept(listener: socket.socket) -> None:
        while True:
            connection, _ = await asyncio.get_running_loop().sock_accept(listener)
            peer = ComPortPeer(connection)
            await peer.until_asked_for_a_baud_rate()
            await peers.put(peer)

    with _listener() as listener:
        url = f"rfc2217://127.0.0.1:{listener.getsockname()[1]}"

        async def open_again() -> ByteStream:
            stream = await open_stream(url)
            (await peers.get()).vanish()
            return stream

        async with asyncio.TaskGroup() as tasks:
            accepting = tasks.create_task(accept(listener))
            stream = await open_stream(url)
            peer = await peers.get()
            try:
                yield Joined(stream, peer, open_again)
            finally:
                await stream.aclose()
                accepting.cancel()
                peer.vanish()
