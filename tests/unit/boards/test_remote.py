"""A board on the network that runs the firmware's own WebREPL: logging in, and what is said when it fails."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from board_kinds import in_loop
from linked_board import BANNER
from plain_board import PlainWebRepl
from webrepl_bridge.boards import remote
from webrepl_bridge.boards.base import Board
from webrepl_bridge.boards.opening import BoardOptions, open_board
from webrepl_bridge.boards.remote import RemoteBoard
from webrepl_link.errors import BrokenError, EndOfStreamError, OpenError, TransportError
from webrepl_transports import ByteStream

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Connection(ByteStream):
    """The board's end of a TCP connection."""

    description = "a socket"
    reliable = True
    line_rate_baud = None

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def receive(self, max_bytes: int = 65536) -> bytes:
        if not (data := await self._reader.read(max_bytes)):
            raise EndOfStreamError("the bridge has left")
        return data

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def aclose(self) -> None:
        self.writer.close()


class Firmware:
    """micropython-lib's webrepl.py, with a model of the C modules behind it: one client at a time.

    Attributes:
        password: the board's.
        requests: the handshakes that came, as they came.
        says_nothing: whether there is no WebREPL behind the handshake.
    """

    def __init__(self, password: bytes = b"secret") -> None:
        self.password = password
        self.requests: list[bytes] = []
        self.says_nothing = False
        self.connection: Connection | None = None
        self.port = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(request)
        key = next(line[19:] for line in request.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key: "))
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        if self.connection is None:
            self.connection = Connection(reader, writer)
            with suppress(TransportError, ConnectionError):
                if self.says_nothing:
                    await self.connection.receive()
                else:
                    await PlainWebRepl(self.connection, self.password).run()
            self.connection = None
        writer.close()


@asynccontextmanager
async def firmware() -> AsyncIterator[Firmware]:
    board = Firmware()
    async with await asyncio.start_server(board.accept, "127.0.0.1", 0) as server:
        board.port = server.sockets[0].getsockname()[1]
        yield board


@asynccontextmanager
async def served(
    board: Firmware, password: str = "secret"
) -> AsyncIterator[tuple[Board, bytearray, asyncio.Task[None]]]:
    shown = bytearray()
    options = BoardOptions(f"ws://127.0.0.1:{board.port}/", board_password=password)
    async with open_board(options) as remote_board, asyncio.timeout(10):
        remote_board.on_output = shown.extend
        running = asyncio.create_task(remote_board.run())
        yield remote_board, shown, running
        running.cancel()
        with suppress(asyncio.CancelledError, TransportError):
            await running


async def until(shown: bytearray, text: bytes) -> None:
    while text not in shown:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def refusal(board: Firmware, password: str = "secret") -> str:
    with pytest.raises(OpenError) as caught:
        async with served(board, password):
            pass
    line = str(caught.value)
    assert "\n" not in line
    assert f"ws://127.0.0.1:{board.port}/" in line
    return line


@in_loop
async def test_logs_in_and_serves_the_terminal() -> None:
    async with firmware() as board, served(board) as (remote_board, shown, _):
        assert isinstance(remote_board, RemoteBoard)
        await until(shown, BANNER)
        assert b"Password" not in shown
        await remote_board.write(b"hello\r")
        await until(shown, b"HELLO\r\n>>> ")
        assert await remote_board.version() == (1, 25, 0)


@in_loop
async def test_says_nothing_that_the_firmware_does_not_understand() -> None:
    async with firmware() as board, served(board):
        (request,) = board.requests
    assert request.startswith(b"GET / HTTP/1.1\r\n")
    assert b"Extensions" not in request


@in_loop
async def test_comes_again_after_it_has_left() -> None:
    async with firmware() as board:
        for _ in range(2):
            async with served(board) as (_, shown, _):
                await until(shown, BANNER)
            while board.connection:  # noqa: ASYNC110
                await asyncio.sleep(0.001)


@pytest.mark.parametrize("password", ["guess", "", "secret and more", "much too long for the firmware"])
@in_loop
async def test_a_wrong_password(password: str) -> None:
    async with firmware() as board:
        assert "does not accept the password" in await refusal(board, password)


@in_loop
async def test_a_board_that_has_another_client() -> None:
    async with firmware() as board, served(board):
        assert "one client at a time" in await refusal(board)


@in_loop
async def test_a_server_that_asks_for_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "LOGIN_TIMEOUT_S", 0.05)
    async with firmware() as board:
        board.says_nothing = True
        assert "does not ask for a password" in await refusal(board)


@in_loop
async def test_a_board_that_goes_away() -> None:
    async with firmware() as board, served(board) as (remote_board, shown, running):
        await until(shown, BANNER)
        assert board.connection
        board.connection.writer.transport.abort()
        with pytest.raises(TransportError):
            await running
        with pytest.raises(TransportError):
            async with remote_board.get("file"):
                pass


@in_loop
async def test_a_board_that_ends_its_webrepl() -> None:
    async with firmware() as board, served(board) as (_, shown, running):
        await until(shown, BANNER)
        assert board.connection
        await board.connection.send(b"\x88\x00")
        with pytest.raises(EndOfStreamError):
            await running


@in_loop
async def test_a_bridge_that_sends_what_nobody_has_asked_for() -> None:
    async def flood(connection: ServerConnection) -> None:
        await connection.send("Password: ")
        await connection.recv()
        await connection.send("\r\nWebREPL connected\r\n>>> ")
        with suppress(ConnectionClosed):
            while True:
                await connection.send(bytes(1000))

    async with serve(flood, "127.0.0.1", 0, subprotocols=["webrepl-bridge"]) as server:  # type: ignore[list-item]
        port = next(iter(server.sockets)).getsockname()[1]
        async with open_board(BoardOptions(f"ws://127.0.0.1:{port}/")) as board, asyncio.timeout(10):
            with pytest.raises(BrokenError, match="nobody has asked for"):
                await board.run()
