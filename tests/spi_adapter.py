"""An adapter at the emulated Pico's SPI, where the Pico is the controller: two buffers, as an FT4222H has them.

A transport plug-in too: `spi+emulated://HOST:PORT?block=128&bit_errors=0.0001&lost=0.01`.
"""

from __future__ import annotations

import asyncio
import os
import random
import select
import socket
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from shim_kit import Mangler
from webrepl_transports import OpenOptions
from webrepl_transports.spi import FifoAdapter, SpiStream

ENTRY_POINT = "[webrepl_bridge.transports]\nspi+emulated = spi_adapter:open_emulated\n"


class EmulatedAdapter(FifoAdapter):
    """The adapter.

    Args:
        host, port: the Pico's SPI line.
        bit_errors: how likely a bit is damaged, on either wire.
        lost: how likely a block of the board's does not come at all.
    """

    def __init__(self, host: str, port: int, *, bit_errors: float = 0, lost: float = 0) -> None:
        super().__init__()
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._mangle_in = Mangler(bit_errors, 1)
        self._mangle_out = Mangler(bit_errors, 2)
        self._lost = lost
        self._random = random.Random(3)

    def exchange(self, block: bytes) -> bytes:
        came = super().exchange(block)
        if came and self._random.random() < self._lost:
            return b"\xff" * len(came)
        return came

    def write(self, data: bytes) -> None:
        self._socket.sendall(self._mangle_out(data))

    def read(self, timeout_s: float) -> bytes:
        if not select.select([self._socket], [], [], timeout_s)[0]:
            return b""
        if not (data := self._socket.recv(65536)):
            raise OSError("the board is gone")
        return self._mangle_in(data)

    def close(self) -> None:
        self._socket.close()


async def open_emulated(url: str, options: OpenOptions) -> SpiStream:
    """Open it."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    faults = {name: float(query.get(name, 0)) for name in ("bit_errors", "lost")}
    adapter = await asyncio.to_thread(EmulatedAdapter, str(parts.hostname), int(parts.port or 0), **faults)
    return SpiStream(adapter, f"emulated SPI at {url}", block_bytes=int(query.get("block", 128)), clocks=False)


def install_plug_in(folder: Path) -> dict[str, str]:
    """Make `spi+emulated://` known to a command; return what its environment needs."""
    info = folder / "emulated_spi-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: emulated-spi\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINT)
    return {"PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])}
