"""The firmware's own WebREPL on the wire: logging in, staying in step, and saying what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from board_kinds import in_loop
from linked_board import BANNER, Rig, rig
from plain_board import PlainWebRepl
from webrepl_bridge.boards import plain
from webrepl_bridge.boards.auto import AutoBoard
from webrepl_bridge.boards.plain import PlainBoard
from webrepl_bridge.protocol.plain_frames import encode_text, resync
from webrepl_link.errors import TransportError


@asynccontextmanager
async def served(password: str = "", board_password: bytes = b"") -> AsyncIterator[Rig]:
    """A board whose WebREPL has just been started, and a bridge."""
    async with rig(lambda stream: PlainBoard(stream, password=password), shim=False) as r:
        start_webrepl(r, board_password)
        yield r


def start_webrepl(r: Rig, password: bytes = b"", *, logged_in: bool = False) -> PlainWebRepl:
    board = PlainWebRepl(r.wire.board, password, logged_in=logged_in)
    r.plain = board  # type: ignore[assignment]
    r._running = r._tasks.create_task(board.run())
    return board


async def arrived(r: Rig, end: bytes) -> bytes:
    """What has arrived at a board that nobody runs, once `end` is its end."""
    while not r.wire.board._arrived.endswith(end):
        await r.turns(1)
    return bytes(r.wire.board._arrived)


async def type_and_read(r: Rig) -> None:
    await r.board.write(b"hello\r")
    await r.expect(b"HELLO\r\n>>> ")


@in_loop
async def test_logs_in_and_serves_the_terminal() -> None:
    async with served() as r:
        text = await r.expect(BANNER)
        assert b"Password" not in text
        await type_and_read(r)
        assert await r.board.version() == (1, 25, 0)
        assert not r.notices


@in_loop
async def test_gives_the_boards_password() -> None:
    async with served(password="secret", board_password=b"secret") as r:
        await r.expect(BANNER)
        await type_and_read(r)


@in_loop
async def test_a_wrong_password_ends_the_bridge() -> None:
    async with served(password="guess", board_password=b"secret") as r:
        with pytest.raises(TransportError, match="password"):
            await r.put("file", b"data")
        await r._bridging


@in_loop
async def test_a_board_that_is_logged_in_already() -> None:
    async with served() as r:
        await type_and_read(r)
        await r.replace_bridge(PlainBoard(r.wire.bridge))
        await r.expect(BANNER)
        await type_and_read(r)


@in_loop
async def test_half_a_frame_of_the_bridge_before() -> None:
    async with served() as r:
        await type_and_read(r)
        await r.wire.bridge.send(encode_text(b"x" * 100)[:50])
        await r.replace_bridge(PlainBoard(r.wire.bridge))
        await r.board.interrupt()
        await type_and_read(r)


@in_loop
async def test_a_board_that_starts_anew_gets_its_password_again() -> None:
    async with served(password="secret", board_password=b"secret") as r:
        await r.expect(BANNER)
        await r.stop()
        start_webrepl(r, b"secret")
        await r.expect(b"WebREPL connected")
        await type_and_read(r)


@in_loop
async def test_found_out_by_listening() -> None:
    async with rig(lambda stream: AutoBoard(stream, board_password="secret"), shim=False) as r:
        await r.turns(20)
        r.wire.board._arrived.clear()  # a UART that is not in use
        start_webrepl(r, b"secret")
        await r.notice("framing plain")
        await r.expect(BANNER)
        await type_and_read(r)


@in_loop
async def test_ctrl_c_brings_a_board_into_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "ANSWER_MS", 0)
    async with served() as r:
        await type_and_read(r)
        await r.wire.bridge.send(b"\x81\x7e\x10\x00")  # 4096 bytes of text will follow, the board believes
        for _ in range(len(plain.FILLER_BYTES)):
            await r.board.interrupt()
            await r.turns(20)
        await type_and_read(r)
        assert len(r.plain.repl.typed) > 4000


@in_loop
async def test_every_ctrl_c_comes_with_filler_and_more_if_it_had_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "ANSWER_MS", 0)
    monkeypatch.setattr(plain, "LOGIN_TIMEOUT_MS", 10)
    async with rig(PlainBoard, shim=False) as r:
        await arrived(r, b"\x81\x01\x02")
        for filler_bytes in (*plain.FILLER_BYTES, plain.FILLER_BYTES[-1]):
            r.wire.board._arrived.clear()
            await r.board.interrupt()
            assert await arrived(r, b"\x81\x01\x03") == resync(filler_bytes) + b"\x81\x01\x03"


@in_loop
async def test_a_frame_that_stays_unfinished_is_shown_after_a_moment() -> None:
    async with served() as r:
        await type_and_read(r)
        await r.wire.board.send(b"\x81\x09unfin")
        await r.expect(b"unfin")
        await type_and_read(r)


@in_loop
async def test_says_that_there_is_no_webrepl() -> None:
    async with rig(PlainBoard, shim=False) as r:
        r.start_plain()
        await r.wire.board.send(b"MicroPython v1.25.0 and so on, a REPL without frames\r\n>>> " * 3)
        assert "not in frames" in await r.notice("frames")


@in_loop
async def test_says_that_the_webrepl_has_ended() -> None:
    async with served() as r:
        await type_and_read(r)
        await r.wire.bridge.send(b"\x88\x00")
        await r.notice("has ended its WebREPL")
        start_webrepl(r)
        await r.expect(b"WebREPL connected")
        await type_and_read(r)


@in_loop
async def test_a_silent_board_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "LOGIN_TIMEOUT_MS", 10)
    async with rig(PlainBoard, shim=False) as r:
        assert await arrived(r, b"\x81\x01\x02") == b"\x81\x01\r" + resync(plain.FILLER_BYTES[0]) + b"\x81\x01\x02"
