"""Tools on raw TCP and RFC 2217, on a fake board: their bytes, their requests, their leaving."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import serial

from clients.official import OfficialClient
from fake_board import FakeBoard
from serving import PASSWORD, Running, serving
from webrepl_bridge.frontends.server import open_listeners
from webrepl_bridge.frontends.tools import serve_tools
from webrepl_bridge.lab.plan import Door
from webrepl_bridge.session import BACKLOG_CHARS_MAX, Limits, Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

BYTES = bytes(range(256))


def run(test: Coroutine[None, None, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test

    asyncio.run(bounded())


@asynccontextmanager
async def doors(board: FakeBoard, door: Door) -> AsyncIterator[tuple[Running, int]]:
    """Serve `board` to WebREPL clients and to tools; yields the bridge and the tools' port."""
    async with serving(board) as running, asyncio.TaskGroup() as tasks:
        (listening,) = open_listeners("127.0.0.1:0")
        port = listening.getsockname()[1]
        stop = asyncio.Event()
        tasks.create_task(serve_tools(lambda: running.session, door, [listening], stop=stop))
        try:
            yield running, port
        finally:
            stop.set()


class Tool:
    """A tool on raw TCP; for `async with`."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Tool:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.writer.transport.abort()


def test_a_tool_gets_the_boards_bytes_and_no_notices() -> None:
    async def test() -> None:
        board = FakeBoard()
        async with doors(board, Door.TCP) as (running, port), Tool(port) as tool:
            tool.writer.write(b"\r")
            assert await tool.reader.readexactly(6) == b"\r\n>>> "
            async with OfficialClient.connect(running.host, running.port) as watcher:
                await watcher.login(PASSWORD)
                await watcher.get_ver()
                board.on_notice("something about people")
                board.on_output(b"\xff\x80" + BYTES)
                assert await tool.reader.readexactly(258) == b"\xff\x80" + BYTES
                assert "\ufffd\ufffd\x00\x01" in await watcher.read_text_until("\x7f")
                tool.writer.write(b"seen by all")
                await watcher.read_text_until("seen by all")

    run(test())


def test_last_words_are_typed_and_the_board_is_taken_back() -> None:
    async def test() -> None:
        board = FakeBoard()
        async with doors(board, Door.TCP) as (_, port):
            board.go.clear()
            async with Tool(port) as tool:
                tool.writer.write(b"\r\x02")
                await tool.writer.drain()
                tool.writer.write_eof()
                board.go.set()
                assert await tool.reader.read() == b"\r\n>>> \x02"
            await board.wait_for("release")
            assert bytes(board.typed) == b"\r\x02"

    run(test())


def test_a_tool_that_takes_nothing_is_let_go() -> None:
    async def test() -> None:
        board = FakeBoard()
        async with doors(board, Door.TCP) as (running, port), Tool(port) as tool:
            tool.writer.write(b"x")
            assert await tool.reader.readexactly(1) == b"x"
            for _ in range(8):
                board.on_output(bytes(BACKLOG_CHARS_MAX))
                await asyncio.sleep(0)
            while await tool.reader.read(1 << 16):
                pass
            await board.wait_for("release")
            assert running.session.tools == []

    run(test())


@pytest.mark.filterwarnings("ignore:setDaemon", "ignore:setName")  # pySerial's
def test_pyserial_opens_types_and_reads() -> None:
    def use(port: int) -> None:
        with serial.serial_for_url(f"rfc2217://127.0.0.1:{port}", baudrate=921600, timeout=10) as wire:
            wire.write(BYTES)
            expected = BYTES.replace(b"\r", b"\r\n>>> ")
            assert wire.read(len(expected)) == expected
            wire.dtr = False
            wire.rts = False
            assert wire.cts
            wire.break_condition = True
            wire.break_condition = False
            wire.reset_input_buffer()
            wire.reset_output_buffer()
            wire.baudrate = 9600
            wire.write(b"\xff\xff")
            assert wire.read(2) == b"\xff\xff"

    async def test() -> None:
        board = FakeBoard()
        async with doors(board, Door.RFC2217) as (_, port):
            await asyncio.to_thread(use, port)
            await board.wait_for("release")
        assert bytes(board.typed) == BYTES + b"\xff\xff"

    run(test())


@pytest.mark.parametrize(
    "nonsense",
    [b"\xff", b"\xff\xf0", b"\xff\xfa\x2c\x03\x09\xff\xf0", b"\xff\xfa" + bytes(5000) + b"\xff\xf0", b"\xff\xfd\x63"],
)
def test_nonsense_of_one_tool_harms_nobody(nonsense: bytes) -> None:
    async def test() -> None:
        board = FakeBoard()
        async with doors(board, Door.RFC2217) as (_, port):
            async with Tool(port) as tool:
                tool.writer.write(nonsense + b"\r")
                await tool.writer.drain()
            async with Tool(port) as tool:
                tool.writer.write(b"\xff\xfb\x00hello")
                await tool.reader.readuntil(b"hello")

    run(test())


def test_purging_drops_what_waits_in_both_directions() -> None:
    async def test() -> None:
        board = FakeBoard()
        board.go.clear()
        async with doors(board, Door.RFC2217) as (running, port), Tool(port) as tool:
            tool.writer.write(b"\xff\xfb\x00\xff\xfb\x2ca")
            await tool.reader.readuntil(b"\xff\xfa\x2c\x6b\xb0\xff\xf0")
            tool.writer.write(b"dropped\xff\xfa\x2c\x0c\x03\xff\xf0b")
            await tool.reader.readuntil(b"\xff\xfa\x2c\x70\x03\xff\xf0")
            board.go.set()
            await tool.reader.readuntil(b"ab")
            assert len(running.session.tools) == 1

    run(test())


def test_a_tool_goes_when_the_board_goes_and_comes_when_it_is_there() -> None:
    async def test() -> None:
        session = Session("lab1")
        (listening,) = open_listeners("127.0.0.1:0")
        port = listening.getsockname()[1]
        async with asyncio.TaskGroup() as tasks:
            stop = asyncio.Event()
            tasks.create_task(serve_tools(lambda: session, Door.TCP, [listening], stop=stop))
            async with Tool(port) as tool:
                assert await tool.reader.read() == b""
            board = FakeBoard()
            with session.serve(board):
                tool = Tool(port)
                await tool.__aenter__()
                tool.writer.write(b"here")
                assert await tool.reader.readexactly(4) == b"here"
            assert await tool.reader.read() == b""
            await tool.__aexit__()
            stop.set()

    run(test())


@pytest.mark.parametrize("door", [Door.TCP, Door.RFC2217])
@pytest.mark.parametrize("sent", [b"POST / HTTP/1.1\r\n\r\n\x03\x01evil()\x04", b"\x16\x03\x01\x02\x00"])
def test_a_web_page_cannot_type(door: Door, sent: bytes) -> None:
    async def test() -> None:
        board = FakeBoard()
        async with doors(board, door) as (_, port):
            async with Tool(port) as tool:
                tool.writer.write(sent)
                await tool.reader.read()
            async with Tool(port) as tool:
                tool.writer.write(b"\xff\xfb\x00hello" if door is Door.RFC2217 else b"hello")
                await tool.reader.readuntil(b"hello")
        assert bytes(board.typed) == b"hello"

    run(test())


def test_a_fault_of_the_bridge_ends_one_tool_only(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        board = FakeBoard()
        async with doors(board, Door.TCP) as (_, port), Tool(port) as other:
            async with Tool(port) as tool:
                board.fault = RuntimeError("a mistake of ours")
                tool.writer.write(b"x")
                assert await tool.reader.read() == b""
            other.writer.write(b"still here")
            assert await other.reader.readexactly(10) == b"still here"

    run(test())
    assert "a mistake of ours" in caplog.text


def test_a_tool_that_is_one_too_many_is_turned_away() -> None:
    async def test() -> None:
        session = Session("lab1", Limits(clients_max=1))
        (listening,) = open_listeners("127.0.0.1:0")
        port = listening.getsockname()[1]
        stop = asyncio.Event()
        with session.serve(FakeBoard()):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(serve_tools(lambda: session, Door.TCP, [listening], stop=stop))
                async with Tool(port) as first:
                    first.writer.write(b"first")
                    assert await first.reader.readexactly(5) == b"first"
                    async with Tool(port) as second:
                        assert await second.reader.read() == b""
                    first.writer.write(b"goes on")
                    assert await first.reader.readexactly(7) == b"goes on"
                stop.set()

    run(test())
