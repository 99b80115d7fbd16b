"""Serial ports of this computer, as pseudo terminals."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from stream_kit.base import Joined, Peer
from webrepl_transports import ByteStream, OpenOptions
from webrepl_transports.uart import open_uart


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


@asynccontextmanager
async def join_pty(*, watch: bool) -> AsyncIterator[Joined]:
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
