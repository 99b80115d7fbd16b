"""A board behind another bridge: what must not show through, and what happens when one of the bridges goes away."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from board_kinds import Desk, Kind, in_loop
from board_kit.unix_vm import UnixVM
from clients.official import TEXT, OfficialClient
from serving import PASSWORD, Running, serving
from webrepl_bridge.boards.auto import Framing
from webrepl_bridge.boards.bridged import BridgedBoard
from webrepl_bridge.boards.opening import BoardOptions, open_board
from webrepl_link.errors import BoardError, EndOfStreamError, TransportError

KIND = Kind(lambda folder: None, BridgedBoard, (1, 29, 0))
PATIENCE_S = 30


@asynccontextmanager
async def far_bridge(vm: UnixVM) -> AsyncIterator[Running]:
    """The bridge that has the board."""
    async with open_board(BoardOptions(vm.device, framing=Framing.NONE)) as board:
        running = asyncio.create_task(board.run())
        async with serving(board, name="far") as far:
            yield far
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def behind(far: Running) -> AsyncIterator[tuple[Desk, asyncio.Task[None]]]:
    """A person in front of the other bridge's board, and the task that runs it."""
    async with open_board(BoardOptions(f"ws://127.0.0.1:{far.port}/", board_password=PASSWORD)) as board:
        assert isinstance(board, BridgedBoard)
        desk = Desk(KIND, board)
        running = asyncio.create_task(board.run())
        await desk.expect(">>> ")
        yield desk, running
        running.cancel()
        with suppress(asyncio.CancelledError, TransportError):
            await running


def some_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@in_loop
async def test_those_at_the_other_bridge_see_the_terminal_and_nothing_of_files(unix_vm: UnixVM) -> None:
    async with (
        far_bridge(unix_vm) as far,
        behind(far) as (desk, _),
        asyncio.timeout(PATIENCE_S),
        OfficialClient.connect(far.host, far.port) as watcher,
    ):
        await watcher.login(PASSWORD)
        await watcher.read_text_until("WebREPL connected\r\n>>> ")
        await desk.type("6*")
        await watcher.read_text_until("6*")
        data = some_bytes(30_000)
        await desk.put("data.bin", data)
        assert await desk.get("data.bin") == data
        await desk.type("7\r")
        assert await watcher.read_text_until("42\r\n>>> ") == "7\r\n42\r\n>>> "
        await watcher.send_frame(b"'from the other side'\r", TEXT)
        await desk.expect("\r\n'from the other side'\r\n>>> ")


@in_loop
async def test_what_was_typed_before_comes_before_a_file(unix_vm: UnixVM) -> None:
    async with far_bridge(unix_vm) as far, behind(far) as (desk, _):
        for number in range(20):
            await desk.type(f"import os; os.mkdir('d{number}')\r")
            await desk.put(f"d{number}/file", b"x")


@in_loop
async def test_files_of_several_at_once(unix_vm: UnixVM) -> None:
    async with far_bridge(unix_vm) as far, behind(far) as (desk, _):
        async with asyncio.TaskGroup() as tasks:
            for number in range(8):
                tasks.create_task(desk.put(f"f{number}", some_bytes(1000 * number)))
        for number in range(8):
            assert await desk.get(f"f{number}") == some_bytes(1000 * number)
        assert len(far.session.clients) == 1


async def put_half(desk: Desk, running: asyncio.Task[None]) -> None:
    async with desk.board.put("file", 100_000) as writer:
        await writer.write(bytes(50_000))
        running.cancel()
        await asyncio.wait([running])
        await writer.write(bytes(50_000))
        await writer.finish()


@in_loop
async def test_a_bridge_that_dies_in_mid_put_leaves_the_old_file(unix_vm: UnixVM) -> None:
    (unix_vm.folder / "file").write_bytes(b"the old file")
    async with far_bridge(unix_vm) as far:
        async with behind(far) as (desk, running):
            with pytest.raises(TransportError):
                await put_half(desk, running)
        async with behind(far) as (desk, _):
            assert await desk.get("file") == b"the old file"
            assert await desk.files() == ["file"]


@in_loop
async def test_the_other_bridge_stops_in_mid_get(unix_vm: UnixVM) -> None:
    (unix_vm.folder / "file").write_bytes(some_bytes(2_000_000))

    async def read_on(desk: Desk, far: Running) -> None:
        async with desk.board.get("file") as reader:
            await reader.read()
            far.stop.set()
            while await reader.read():
                pass

    async with far_bridge(unix_vm) as far, behind(far) as (desk, running):
        with pytest.raises((TransportError, BoardError)):
            await read_on(desk, far)
        with pytest.raises(EndOfStreamError, match="the bridge is stopping"):
            await running
        with pytest.raises(TransportError):
            await desk.get("file")
