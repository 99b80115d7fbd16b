"""What runs on a board is found out by listening, and again whenever it changes."""

from __future__ import annotations

import asyncio

import pytest

from board_kinds import in_loop
from board_kit.unix_vm import UnixVM
from linked_board import BANNER, Rig, Wire, rig
from unit.protocol.test_link_watch import hello_of_version
from webrepl_bridge.boards.auto import AutoBoard, Framing, LinkFoundError, make_board
from webrepl_bridge.boards.linked import LinkedBoard
from webrepl_bridge.boards.plain import PlainBoard
from webrepl_bridge.boards.stock import StockBoard, WhileRunning
from webrepl_link.errors import TransportError
from webrepl_link.link import VERSION, Link
from webrepl_transports import open_stream


@in_loop
async def test_a_shim_that_calls_from_the_start() -> None:
    async with rig(AutoBoard) as r:
        await r.put("file", bytes(range(256)))
        assert await r.get("file") == bytes(range(256))
        assert await r.board.version() == (1, 25, 0)
        await r.board.write(b"hello\r")
        text = await r.expect(b"HELLO\r\n>>> ")
        assert b"\xa5" not in text
        assert text.startswith(b"\r\n" + BANNER)


@in_loop
async def test_a_shim_that_does_not_know_that_the_bridge_has_gone() -> None:
    async with rig(LinkedBoard) as r:
        await r.put("file", b"data")
        await r.replace_bridge(AutoBoard(r.wire.bridge))
        await r.notice("runs the shim")  # the shim calls after a silence of its own
        assert await r.get("file") == b"data"


@in_loop
async def test_operations_wait_until_it_is_known_what_runs() -> None:
    async with rig(AutoBoard, shim=False) as r:
        putting = asyncio.create_task(r.put("file", b"data"))
        typing = asyncio.create_task(r.board.write(b"hello\r"))
        await r.turns(20)
        assert bytes(r.wire.board._arrived) == b"\x02"
        r.start_shim()
        await putting
        await typing
        assert r.store.files == {b"file": b"data"}
        await r.expect(b"HELLO\r\n>>> ")


@in_loop
async def test_a_late_call() -> None:
    async with rig(AutoBoard, shim=False) as r:
        r.start_plain()
        await r.expect(BANNER)
        await r.board.write(b"plain\r")
        await r.expect(b"PLAIN\r\n>>> ")
        await r.stop()
        r.start_shim()
        await r.notice("runs the shim")
        await r.put("file", b"data")
        await r.board.write(b"linked\r")
        text = await r.expect(b"LINKED\r\n>>> ")
        assert b"\xa5" not in text
        assert r.store.files == {b"file": b"data"}


@in_loop
async def test_an_operation_under_way_ends_when_a_call_comes() -> None:
    async with rig(AutoBoard, shim=False) as r:
        r.start_plain()
        await r.expect(BANNER)
        putting = asyncio.create_task(r.put("file", b"data"))
        while b"\x05A\x01" not in r.plain.repl.typed:
            await r.turns(1)
        await r.stop()
        r.start_shim()
        with pytest.raises(TransportError):
            await putting
        await r.put("file", b"data")


@in_loop
async def test_a_shim_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrepl_bridge.protocol.link_watch.GONE_MS", 300)
    async with rig(AutoBoard) as r:
        await r.put("file", b"data")
        await r.expect(BANNER)
        await r.stop()
        r.start_plain()
        await r.wire.board.send(b"\r\n" + BANNER)
        await r.notice("no shim on the board")
        await r.board.write(b"plain again\r")
        await r.expect(b"PLAIN AGAIN\r\n>>> ")
        await r.stop()
        r.start_shim()
        r.notices.clear()
        await r.notice("runs the shim")
        assert await r.get("file") == b"data"


@in_loop
async def test_a_shim_that_is_gone_when_framing_is_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrepl_bridge.protocol.link_watch.GONE_MS", 300)
    async with rig(LinkedBoard) as r:
        await r.put("file", b"data")
        await r.stop()
        await r.wire.board.send(b"\r\n" + BANNER)
        await r.notice("no shim on the board")
        r.start_shim()
        assert await r.get("file") == b"data"


@in_loop
async def test_a_shim_of_another_version() -> None:
    async with rig(AutoBoard, shim=False) as r:
        r.start_plain()
        await r.expect(BANNER)
        for _ in range(2):
            await r.wire.board.send(hello_of_version(VERSION + 1, b"more"))
        await r.notice(f"version {VERSION + 1:#x}")
        await r.board.write(b"plain\r")
        assert await r.expect(b"PLAIN\r\n>>> ") == b"plain\r\nPLAIN\r\n>>> "
        assert len(r.notices) == 1


@in_loop
async def test_a_shim_of_another_version_when_framing_is_link() -> None:
    async with rig(LinkedBoard, shim=False) as r:
        for _ in range(2):
            await r.wire.board.send(hello_of_version(VERSION + 1))
        await r.notice(f"version {VERSION + 1:#x}")
        r.start_shim()
        await r.put("file", b"data")
        assert len(r.notices) == 1


@in_loop
async def test_a_stock_board_is_served_as_ever(unix_vm: UnixVM) -> None:
    stream = await open_stream(unix_vm.device)
    board = AutoBoard(stream)
    r = Rig.of(board)
    running = asyncio.create_task(board.run())
    try:
        start = asyncio.get_running_loop().time()
        await r.expect(b">>> ")
        assert asyncio.get_running_loop().time() - start < 1
        call = Link(1, 1).data_to_send(0)
        content = call + "å>>> \n".encode() * 500 + call[:-1]
        await r.put("file", content)
        assert (unix_vm.folder / "file").read_bytes() == content
        assert await r.get("file") == content  # a call in a file is none
        await board.write(b"print('\\xe5' * 3)\r")
        await r.expect("\r\nååå\r\n>>> ".encode())
        assert await board.version() != (0, 0, 0)
        assert not r.notices
        await board.soft_reset()
        await r.expect(b"soft reboot")
    finally:
        running.cancel()
        await stream.aclose()


@in_loop
async def test_framings() -> None:
    stream = Wire().bridge
    for framing, kind in (
        (Framing.AUTO, AutoBoard),
        (Framing.NONE, StockBoard),
        (Framing.PLAIN, PlainBoard),
        (Framing.LINK, LinkedBoard),
    ):
        assert isinstance(make_board(stream, framing, WhileRunning.WAIT), kind)


def test_says_what_happened() -> None:
    assert "shim" in str(LinkFoundError())
