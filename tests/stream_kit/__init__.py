"""Streams for tests, each with the peer at its other end.

A kind of stream is one entry of `KINDS`: how to open it, and what its peer can do. Every kind has to pass
tests/contract/test_streams.py; a new transport joins by adding an entry.
"""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, ParamSpec

from stream_kit import spi
from webrepl_transports import BrokenError, ByteStream, EndOfStreamError, OpenOptions, TransportError, open_stream
from webrepl_transports.uart import open_uart

P = ParamSpec("P")


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in an event loop of its own, for at most a minute."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        async def limited() -> None:
            async with asyncio.timeout(60):
                await test(*arguments, **named)

        asyncio.run(limited())

    return run


class Peer(ABC):
    """The other end of a stream: it reads only when asked to."""

    @abstractmethod
    async def receive(self) -> bytes:
        """Read some bytes."""

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Write all of `data`."""

    @abstractmethod
    def vanish(self) -> None:
        """End without a goodbye."""


@dataclass(frozen=True)
class Joined:
    """A stream, its peer, and how to open the same wire once more after it was closed."""

    stream: ByteStream
    peer: Peer
    open_again: Callable[[], Awaitable[ByteStream]]


@dataclass(frozen=True)
class Kind:
    """One kind of stream.

    Attributes:
        join: opens a stream and its peer, and frees both.
        vanished: what a receive raises when the peer has vanished.
        buffered_bytes: more than the operating system keeps on the way for somebody who does not read.
    """

    join: Callable[[], AbstractAsyncContextManager[Joined]]
    vanished: type[TransportError]
    buffered_bytes: int


class PtyPeer(Peer):
    """The master of a pseudo terminal."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd

    async def receive(self) -> bytes:
        loop = asyncio.get_running_loop()
        while True:
            with suppress(BlockingIOError):
                return os.read(self._fd, 65536)
            await _ready(self._fd, loop.add_reader, loop.remove_reader)

    async def send(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        rest = memoryview(data)
        while rest:
            with suppress(BlockingIOError):
                rest = rest[os.write(self._fd, rest) :]
                continue
            await _ready(self._fd, loop.add_writer, loop.remove_writer)

    def vanish(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


async def _ready(fd: int, add: Callable[..., None], remove: Callable[[int], bool]) -> None:
    ready = asyncio.Event()
    add(fd, ready.set)
    try:
        await ready.wait()
    finally:
        remove(fd)


class SocketPeer(Peer):
    """The server's side of a TCP connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection

    async def receive(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self._socket, 65536)

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)

    def vanish(self) -> None:
        self._socket.close()


@asynccontextmanager
async def _uart(*, watch: bool) -> AsyncIterator[Joined]:
    import pty

    master, slave = pty.openpty()
    device = os.ttyname(slave)

    async def open_again() -> ByteStream:
        return await open_uart(device, OpenOptions(), watch=watch)

    stream = await open_again()
    os.close(slave)
    peer = PtyPeer(master)
    try:
        yield Joined(stream, peer, open_again)
    finally:
        await stream.aclose()
        peer.vanish()


@asynccontextmanager
async def _tcp() -> AsyncIterator[Joined]:
    loop = asyncio.get_running_loop()
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        url = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        stream = await open_stream(url)
        connection, _ = await loop.sock_accept(listener)
        peer = SocketPeer(connection)
        try:
            yield Joined(stream, peer, lambda: open_stream(url))
        finally:
            await stream.aclose()
            peer.vanish()


class SpiPeer(Peer):
    """The other end of an SPI wire, a stream itself."""

    def __init__(self, wire: spi.Wire, end: ByteStream) -> None:
        self._wire = wire
        self._end = end

    async def receive(self) -> bytes:
        return await self._end.receive()

    async def send(self, data: bytes) -> None:
        await self._end.send(data)

    def vanish(self) -> None:
        self._wire.cut()


@asynccontextmanager
async def _spi(*, clocks: bool) -> AsyncIterator[Joined]:
    async with spi.joined_ends(clocks=clocks) as (wire, stream, end):

        async def open_again() -> ByteStream:
            return spi.open_end(wire, clocks=clocks)

        yield Joined(stream, SpiPeer(wire, end), open_again)


KINDS: dict[str, Kind] = {"tcp": Kind(_tcp, EndOfStreamError, 16_000_000)}
KINDS["spi"] = Kind(functools.partial(_spi, clocks=True), BrokenError, 300_000)
KINDS["spi-peripheral"] = Kind(functools.partial(_spi, clocks=False), BrokenError, 300_000)
if sys.platform != "win32":
    KINDS["uart"] = Kind(functools.partial(_uart, watch=True), BrokenError, 300_000)
    KINDS["uart-threads"] = Kind(functools.partial(_uart, watch=False), BrokenError, 300_000)
