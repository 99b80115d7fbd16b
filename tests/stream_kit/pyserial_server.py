"""pySerial's own RFC 2217 server half, with a port behind it that echoes and writes down what it is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import serial
import serial.rfc2217
from serial.urlhandler.protocol_loop import Serial as LoopPort

from stream_kit.sockets import tcp_server


class RecordingPort(LoopPort):
    """A loop:// port.

    Attributes:
        lines: each change of a line, such as "dtr+", "rts-" or "break+".
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        super().__init__("loop://", timeout=0)
        self.lines.clear()

    def _update_dtr_state(self) -> None:
        self.lines.append("dtr+" if self.dtr else "dtr-")
        super()._update_dtr_state()

    def _update_rts_state(self) -> None:
        self.lines.append("rts+" if self.rts else "rts-")
        super()._update_rts_state()

    def _update_break_state(self) -> None:
        self.lines.append("break+" if self.break_condition else "break-")
        super()._update_break_state()


@dataclass(frozen=True)
class PyserialServer:
    """A running server: its address, and the port that it serves."""

    url: str
    tcp_port: int
    port: RecordingPort


@asynccontextmanager
async def pyserial_server() -> AsyncIterator[PyserialServer]:
    """Serve a port to one client after another, until the block ends."""
    port = RecordingPort()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        manager = serial.rfc2217.PortManager(port, SimpleNamespace(write=writer.write))  # type: ignore[arg-type]
        while data := await reader.read(1024):
            writer.write(b"".join(manager.escape(b"".join(manager.filter(data)))))
            manager.check_modem_lines()

    try:
        async with tcp_server(serve) as tcp_port:
            yield PyserialServer(f"rfc2217://127.0.0.1:{tcp_port}", tcp_port, port)
    finally:
        port.close()
