"""What micropython-lib's webrepl.py does on a board with a network, for the emulated Pico, which has none.

It answers the HTTP handshake, and lets no second client in. The frames it passes on as they are to the UART, at which
the firmware's own C modules `websocket` and `_webrepl` do the rest.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from .pico import Pico
from .repl import open_repl

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
KEY = b"Sec-WebSocket-Key: "

SET_UP = (
    "import os, machine, time, _webrepl, websocket",
    "uart = machine.UART(1, 115200, rxbuf=1024, txbuf=8192)",
    "_webrepl.password({password!r})",
)
ACCEPT = (
    "os.dupterm(_webrepl._webrepl(websocket.websocket(uart, False))) and None",
    "uart.irq(os.dupterm_notify, machine.UART.IRQ_RXIDLE) and None",
)
HANG_UP = ("os.dupterm(None) and None", "time.sleep_ms(100)", "uart.read() and None")
"""A socket's bytes end with it; the UART's wait for the next client."""


class WebReplPy:
    """The server.

    Attributes:
        url: where it is.
        clients: how many have been let in.
        free: set while there is none.
    """

    def __init__(self, pico: Pico, password: str) -> None:
        self.url = ""
        self.clients = 0
        self.free = asyncio.Event()
        self._pico = pico
        self.free.set()
        self._on_board(*(line.format(password=password) for line in SET_UP), fresh=True)

    def _on_board(self, *lines: str, fresh: bool = False) -> None:
        with open_repl(self._pico.usb_url) as repl:
            if fresh:
                repl.to_prompt()
            for line in lines:
                repl.evaluate(line)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client."""
        request = await reader.readuntil(b"\r\n\r\n")
        key = next(line[len(KEY) :] for line in request.split(b"\r\n") if line.startswith(KEY))
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(hashlib.sha1(key + GUID).digest()) + b"\r\n\r\n"
        )
        if self.free.is_set():
            self.free.clear()
            self.clients += 1
            await self._serve(reader, writer)
            self.free.set()
        writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self._pico.uart1_url.removeprefix("socket://").partition(":")
        from_board, to_board = await asyncio.open_connection(host, int(port))
        await asyncio.to_thread(self._on_board, *ACCEPT)
        down = asyncio.create_task(_copy(reader, to_board))
        up = asyncio.create_task(_copy(from_board, writer))
        await asyncio.wait([down, up], return_when=asyncio.FIRST_COMPLETED)
        down.cancel()
        up.cancel()
        await asyncio.wait([down, up])
        await asyncio.to_thread(self._on_board, *HANG_UP)
        to_board.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def webrepl_py(pico: Pico, password: str = "") -> AsyncIterator[WebReplPy]:
    """Serve the Pico's WebREPL until the block ends."""
    server = await asyncio.to_thread(WebReplPy, pico, password)
    async with await asyncio.start_server(server.accept, "127.0.0.1", 0) as listener:
        server.url = f"ws://127.0.0.1:{listener.sockets[0].getsockname()[1]}/"
        try:
            yield server
        finally:
            await server.free.wait()
