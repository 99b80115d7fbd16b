"""Two ends of an SPI wire, each an adapter, as the contract's kinds `spi` and `spi-peripheral`."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stream_kit.base import Joined, Peer
from webrepl_transports import ByteStream
from webrepl_transports.spi import SpiStream

READY_S = 1.0
ASK_AGAIN_S = 0.02


class Wire:
    """What is between a controller and a peripheral that has a ready line."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.loaded: bytes | None = None  # by the peripheral
        self.came: bytes | None = None  # for it
        self.is_ready = False
        self.is_cut = False
        self.exchanges = 0

    def cut(self) -> None:
        with self.changed:
            self.is_cut = True
            self.changed.notify_all()

    def check(self) -> None:
        if self.is_cut:
            raise OSError("pulled out")


class Controller:
    """The end that clocks."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def is_ready(self, *, ask: bool) -> bool:
        wire = self._wire
        with wire.changed:
            wire.check()
            if ask:
                wire.changed.wait_for(lambda: wire.loaded is not None or wire.is_cut, READY_S)
            return ask or (wire.is_ready and wire.loaded is not None)

    def exchange(self, block: bytes) -> bytes:
        wire = self._wire
        with wire.changed:
            wire.check()
            wire.exchanges += 1
            if wire.loaded is None:
                return b"\xff" * len(block)
            loaded, wire.loaded, wire.came = wire.loaded, None, block
            wire.changed.notify_all()
            return loaded


class Peripheral:
    """The other one."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def set_ready(self, *, ready: bool) -> None:
        self._wire.is_ready = ready

    def exchange(self, block: bytes) -> bytes:
        wire = self._wire
        with wire.changed:
            wire.check()
            if wire.came is None:
                wire.loaded = block
                wire.changed.notify_all()
                wire.changed.wait_for(lambda: wire.came is not None or wire.is_cut, ASK_AGAIN_S)
                wire.check()
            came, wire.came = wire.came, None
            return came or b""

    def close(self) -> None:
        with self._wire.changed:
            self._wire.loaded = self._wire.came = None


def open_end(wire: Wire, *, clocks: bool) -> ByteStream:
    adapter = Controller(wire) if clocks else Peripheral(wire)
    return SpiStream(adapter, "SPI on a test wire", block_bytes=256, clocks=clocks)


@asynccontextmanager
async def joined_ends(*, clocks: bool) -> AsyncIterator[tuple[Wire, ByteStream, ByteStream]]:
    """Open both ends; `clocks` says whether the first of them is the controller."""
    wire = Wire()
    ends = open_end(wire, clocks=clocks), open_end(wire, clocks=not clocks)
    try:
        yield wire, *ends
    finally:
        wire.cut()
        for end in ends:
            await end.aclose()


class SpiPeer(Peer):
    """The other end of an SPI wire, a stream itself."""

    def __init__(self, wire: Wire, end: ByteStream) -> None:
        self._wire = wire
        self._end = end

    async def receive(self) -> bytes:
        return await self._end.receive()

    async def send(self, data: bytes) -> None:
        await self._end.send(data)

    def vanish(self) -> None:
        self._wire.cut()


@asynccontextmanager
async def join_spi(*, clocks: bool) -> AsyncIterator[Joined]:
    async with joined_ends(clocks=clocks) as (wire, stream, end):

        async def open_again() -> ByteStream:
            return open_end(wire, clocks=clocks)

        yield Joined(stream, SpiPeer(wire, end), open_again)
