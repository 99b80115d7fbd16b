"""A real board that runs the firmware's own WebREPL behind a WebSocket: the firmware's C modules at the other end."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from board_kinds import Desk, Kind, in_loop
from board_kit.pico import Pico
from board_kit.webrepl_py import WebReplPy, webrepl_py
from clients.official import TEXT, OfficialClient
from serving import PASSWORD, serving
from webrepl_bridge.boards.opening import BoardOptions, open_board
from webrepl_bridge.boards.remote import RemoteBoard
from webrepl_link.errors import BoardError, OpenError, TransportError

pytestmark = pytest.mark.pico

KIND = Kind(lambda folder: None, RemoteBoard, (1, 25, 0))
BOARD_PASSWORD = "secret789"  # the firmware takes no longer one
ENOENT = 2


@asynccontextmanager
async def served(server: WebReplPy, password: str = BOARD_PASSWORD) -> AsyncIterator[Desk]:
    """The board, and a person in front of it."""
    async with open_board(BoardOptions(server.url, board_password=password)) as board:
        assert isinstance(board, RemoteBoard)
        desk = Desk(KIND, board)
        running = asyncio.create_task(board.run())
        await desk.expect(">>> ")
        yield desk
        await board.settle()
        running.cancel()
        with suppress(asyncio.CancelledError, TransportError):
            await running


async def use(desk: Desk) -> None:
    """Terminal, a paste, a file there and back, and errors."""
    await desk.at_prompt()
    lines = "".join(f"x+={number}#{'abc' * 5}\r" for number in range(100))
    await desk.type("x=0\r" + lines + "print('e'+'nd')\r")
    await desk.expect("end\r\n>>> ")
    assert await desk.evaluate("x") == sum(range(100))
    await desk.type("print(chr(382) + 'lu' + chr(357))\r")  # its line editor takes ASCII only
    await desk.expect("\r\nžluť\r\n>>> ")

    data = random.Random(1).randbytes(5000)
    began = time.monotonic()
    await desk.put("data.bin", data)
    middle = time.monotonic()
    assert await desk.get("data.bin") == data
    print(f"put {5 / (middle - began):.1f} kB/s, get {5 / (time.monotonic() - middle):.1f} kB/s")
    for name in ("missing.bin", "missing/data.bin"):
        with pytest.raises(BoardError) as refusal:
            await (desk.get(name) if name == "missing.bin" else desk.put(name, b"data"))
        assert refusal.value.code == ENOENT
    await desk.put("empty", b"")
    assert await desk.get("empty") == b""
    await desk.type("exec('print(42)\\nwhile True: pass')\r")
    await desk.expect("\r\n42\r\n")
    await desk.board.interrupt()
    await desk.expect("KeyboardInterrupt")
    await desk.expect(">>> ")
    await desk.at_prompt()


@in_loop
async def test_the_firmware(pico_webrepl: Pico) -> None:
    async with webrepl_py(pico_webrepl, BOARD_PASSWORD) as server:
        for wrong in ("", "guess", BOARD_PASSWORD + "0"):
            with pytest.raises(OpenError, match="does not accept the password"):
                async with served(server, wrong):
                    pass
            await server.free.wait()
        for clients in (4, 5):
            async with served(server) as desk:
                await use(desk)
                assert await desk.board.version() == (1, 25, 0)
                with pytest.raises(OpenError, match="one client at a time"):
                    async with served(server):
                        pass
                assert server.clients == clients
            await server.free.wait()


@in_loop
async def test_several_clients_share_its_one_connection(pico_webrepl: Pico) -> None:
    data = random.Random(2).randbytes(2000)
    async with (
        webrepl_py(pico_webrepl, BOARD_PASSWORD) as server,
        served(server) as desk,
        serving(desk.board) as running,
        AsyncClients(running.host, running.port) as (first, second),
    ):
        await first.send_frame(b"6*7\r", TEXT)
        for client in (first, second):
            await client.read_text_until("42\r\n>>> ")
        async with asyncio.TaskGroup() as both:
            both.create_task(first.put_file("one.bin", data))
            both.create_task(second.put_file("two.bin", data[::-1]))
        assert await second.get_file("one.bin") == data
        assert await first.get_file("two.bin") == data[::-1]
        assert server.clients == 1


class AsyncClients:
    """Two official clients, logged in."""

    def __init__(self, host: str, port: int) -> None:
        self._connections = [OfficialClient.connect(host, port) for _ in range(2)]

    async def __aenter__(self) -> list[OfficialClient]:
        clients = [await connection.__aenter__() for connection in self._connections]
        for client in clients:
            await client.login(PASSWORD)
            await client.read_text_until("WebREPL connected\r\n>>> ")
        return clients

    async def __aexit__(self, *error: object) -> None:
        for connection in self._connections:
            await connection.__aexit__(*error)
