"""A board somewhere on the network, with a WebREPL of its own: the firmware's, or another bridge's."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from webrepl_link.errors import BrokenError, EndOfStreamError, OpenError
from webrepl_transports import ByteStream
from webrepl_transports.websocket import SCHEMES as WEBSOCKET_SCHEMES
from webrepl_transports.websocket import open_websocket

from ..protocol.webrepl_server import SUBPROTOCOL
from .bridged import BridgedBoard
from .plain import ASKED, DENIED
from .stock import WhileRunning
from .webrepl_board import WebReplBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from webrepl_transports.websocket import WebSocket

__all__ = ["WEBSOCKET_SCHEMES", "PasswordError", "RemoteBoard", "connect", "open_remote"]

CONNECTED = b"\r\nWebREPL connected\r\n>>> "

LOGIN_TIMEOUT_S = 10.0
"""How long a board may take to ask for the password, or to answer it."""

LOGIN_BYTES_MAX = 4096


class PasswordError(OpenError):
    """The password is not accepted.

    Attributes:
        where: what does not accept it.
    """

    def __init__(self, where: str) -> None:
        super().__init__(f"{where} does not accept the password: give the board's (--board-password)")
        self.where = where


@asynccontextmanager
async def open_remote(
    url: str, while_running: WhileRunning = WhileRunning.INTERRUPT, password: str = ""
) -> AsyncIterator[RemoteBoard | BridgedBoard]:
    """Connect to a board, log in, and close the connection when the block ends; the block runs the board.

    Args:
        url: `ws://HOST[:PORT][/PATH]` or `wss://…`.
        while_running: what a file operation does when a program is running; another bridge has its own mind.
        password: the board's, or the other bridge's.

    Raises:
        OpenError: it could not be opened; one line that says what to do.
    """
    websocket = await connect(url, password)
    try:
        if websocket.subprotocol == SUBPROTOCOL:
            yield BridgedBoard(websocket, lambda: connect(url, password))
        else:
            yield RemoteBoard(websocket, while_running)
    finally:
        await websocket.aclose()


async def connect(url: str, password: str) -> WebSocket:
    """Connect and log in.

    Raises:
        OpenError: one line that says what to do.
    """
    websocket = await open_websocket(url, SUBPROTOCOL)
    try:
        await _log_in(websocket, password)
    except BaseException:
        await websocket.aclose()
        raise
    return websocket


async def _log_in(websocket: WebSocket, password: str) -> None:
    """Give the password when it is asked for, and wait until it has been accepted.

    Raises:
        OpenError: it is not asked for, or not accepted; the message is one line that says what to do.
    """
    try:
        async with asyncio.timeout(LOGIN_TIMEOUT_S):
            await _read_until(websocket, ASKED)
            await websocket.send_text(password.encode() + b"\r")
            await _read_until(websocket, CONNECTED)
    except TimeoutError:
        raise OpenError(f"{websocket.description} is there, but it does not ask for a password as a WebREPL") from None
    except (EndOfStreamError, BrokenError) as error:
        raise OpenError(f"{error}; a board's WebREPL serves one client at a time: close the other one") from None


async def _read_until(websocket: WebSocket, end: bytes) -> None:
    text = b""
    while not text.endswith(end):
        message = await websocket.receive()
        text = (text + message.data)[-LOGIN_BYTES_MAX:]
        if text.endswith(DENIED):
            raise PasswordError(websocket.description)


class RemoteBoard(WebReplBoard):
    """A board that runs the firmware's own WebREPL, logged in.

    What the terminal needs it gets: the firmware drops what is typed faster than the board reads, as on a wire. The
    records that the firmware knows are not used; see docs/adr.

    Args:
        websocket: the connection; closed by its owner.
        while_running: what a file operation does when a program is running.
    """

    def __init__(self, websocket: WebSocket, while_running: WhileRunning = WhileRunning.INTERRUPT) -> None:
        super().__init__(_Text(websocket), while_running)
        self.description = websocket.description


class _Text(ByteStream):
    """The terminal's bytes, in text messages."""

    reliable = True
    line_rate_baud = None

    def __init__(self, websocket: WebSocket) -> None:
        self.description = websocket.description
        self._websocket = websocket
        self._text = b""

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """See ByteStream."""
        while not self._text:
            message = await self._websocket.receive()
            if message.is_text:
                self._text = message.data
        text, self._text = self._text[:max_bytes], self._text[max_bytes:]
        return text

    async def send(self, data: bytes) -> None:
        """See ByteStream."""
        await self._websocket.send_text(data)

    async def aclose(self) -> None:
        """See ByteStream."""
        await self._websocket.aclose()
