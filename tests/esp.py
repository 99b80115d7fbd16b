"""An ESP32 on a network serial port: a prompt, or a boot loader if DTR and RTS have sent it there.

The port speaks RFC 2217, so that its control lines are real to whoever uses it. The boot loader knows two commands,
which is what esptool needs to find out what chip it has.

Source: esptool documentation, "Serial protocol".
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from webrepl_bridge.protocol.rfc2217 import BaudRequested, LinesRequested, Rfc2217Server
from webrepl_transports.telnet import DataReceived

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

BANNER = b"\r\nMicroPython v1.25.0 on 2025-04-15; ESP32 module with ESP32\r\n>>> "
REGISTERS = {0x40001000: 0x00F01D83}
"""Where the ROM says which chip it is."""

SYNC, READ_REG = 0x08, 0x0A
RESET = (False, True)
BOOT = (True, False)


class Esp:
    """One board.

    Attributes:
        lines: what DTR and RTS have been since it was plugged in.
        bauds: the speeds that were asked for.
        in_boot_loader: whether it runs the boot loader.
    """

    def __init__(self) -> None:
        self.lines: list[tuple[bool, bool]] = [(True, True)]
        self.bauds: list[int] = []
        self.in_boot_loader = False
        self._packet = b""

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[str]:
        """Plug it in; yields its URL."""
        connections: set[asyncio.StreamWriter] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.add(writer)
            core = Rfc2217Server(115200)
            core.dtr, core.rts = self.lines[-1]
            writer.write(core.data_to_send())
            while data := await reader.read(65536):
                core.receive_data(data)
                lines = self.lines[-1]
                while (event := core.next_event()) is not None:
                    match event:
                        case DataReceived(typed):
                            core.send_data(self._answer(typed))
                        case BaudRequested(baud):
                            self.bauds.append(baud)
                        case LinesRequested(dtr, rts):
                            lines = dtr, rts
                # A capacitor holds the reset line for longer than two requests of one packet take.
                core.send_data(self._set_lines(lines))
                writer.write(core.data_to_send())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        try:
            yield f"rfc2217://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            for writer in connections:
                writer.transport.abort()

    def _set_lines(self, lines: tuple[bool, bool]) -> bytes:
        if lines == self.lines[-1]:
            return b""
        starts = self.lines[-1] == RESET
        self.lines.append(lines)
        if not starts:
            return b""
        self.in_boot_loader = lines == BOOT
        return b"waiting for download\r\n" if self.in_boot_loader else BANNER

    def _answer(self, data: bytes) -> bytes:
        if self.lines[-1] == RESET:
            return b""
        if not self.in_boot_loader:
            return data.replace(b"\x02", BANNER).replace(b"\r", b"\r\n>>> ")
        *packets, self._packet = (self._packet + data).split(b"\xc0")
        return b"".join(self._execute(packet) for packet in packets if len(packet) >= 8)

    def _execute(self, packet: bytes) -> bytes:
        packet = packet.replace(b"\xdb\xdc", b"\xc0").replace(b"\xdb\xdd", b"\xdb")
        _, command, _, _ = struct.unpack("<BBHI", packet[:8])
        if command == SYNC:
            return self._reply(command, 0x20120707) * 8
        if command == READ_REG:
            return self._reply(command, REGISTERS.get(int.from_bytes(packet[8:12], "little"), 0))
        return self._reply(command, 0, b"\x01\x05\x00\x00")

    def _reply(self, command: int, value: int, status: bytes = bytes(4)) -> bytes:
        body = struct.pack("<BBHI", 1, command, len(status), value) + status
        return b"\xc0" + body.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc") + b"\xc0"
