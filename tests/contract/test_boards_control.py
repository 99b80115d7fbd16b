"""Control over a board: its version, interrupting it, restarting it, and taking it back from a client that has left."""

from __future__ import annotations

import pytest

from board_kinds import Desk, in_loop, serve
from contract.conftest import Rig

RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"


@in_loop
async def test_the_version(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        assert await desk.board.version() == rig.kind.version
        assert desk.board.known_version == rig.kind.version
        await desk.put("file", b"data")
        assert await desk.board.version() == rig.kind.version
        await desk.at_prompt()


@in_loop
async def test_the_version_right_away(rig: Rig) -> None:
    async with serve(rig.kind, rig.url, wait=False) as desk:
        assert await desk.board.version() in (rig.kind.version, (0, 0, 0))


@in_loop
async def test_interrupting_a_program(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("exec('print(42)\\nwhile True: pass')\r")
        await desk.expect("\r\n42\r\n")
        await desk.type("typed ahead of it\r")
        await desk.board.interrupt()
        await desk.expect("KeyboardInterrupt")
        await desk.expect(">>> ")
        await desk.at_prompt()


@in_loop
async def test_interrupting_at_the_prompt(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("half a li")
        await desk.expect("half a li")
        await desk.board.interrupt()
        await desk.expect("\r\n>>> ")
        await desk.at_prompt()


async def reset(desk: Desk) -> None:
    await desk.board.soft_reset()
    await desk.expect("reboot\r\n" if desk.kind.announces_reset else "MicroPython ")
    await desk.expect(">>> ")
    assert "NameError" in await desk.enter("mark")
    await desk.put("file", b"data")
    assert await desk.get("file") == b"data"
    await desk.at_prompt()


@in_loop
async def test_soft_reset(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("file", b"old")
        for _ in range(2):
            await desk.enter("mark = 1")
            await reset(desk)
            assert await desk.board.version() == rig.kind.version


@pytest.mark.parametrize("typed", ["print(", "for i in range(3):\rprint(i)\r", "print('''a\rb"])
@in_loop
async def test_soft_reset_with_something_half_typed(rig: Rig, typed: str) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("mark = 1")
        await desk.type(typed)
        await reset(desk)


@in_loop
async def test_soft_reset_while_a_program_runs(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("mark = 1; exec('print(42)\\nwhile True: pass')\r")
        await desk.expect("\r\n42\r\n")
        await reset(desk)


@in_loop
async def test_soft_reset_right_after_a_transfer(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("mark = 1")
        await desk.put("file", b"data")
        await reset(desk)


@in_loop
async def test_main_py_that_runs_for_ever(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("main.py", b"n = 0\nprint('main', 'runs')\nwhile True:\n  n += 1\n")
        await desk.board.soft_reset()
        await desk.expect("main runs\r\n")
    async with serve(rig.kind, rig.url, wait=False) as desk:
        assert await desk.board.version() in (rig.kind.version, (0, 0, 0))
        assert b">>>" not in desk.seen
        await desk.put("main.py", b"print('main', 'is', 'short')\n")
        if desk.kind.files_beside_programs:
            assert b"KeyboardInterrupt" not in desk.seen
            await desk.board.interrupt()
        await desk.expect("KeyboardInterrupt")
        await desk.expect(">>> ")
        await desk.at_prompt()
        await desk.board.soft_reset()
        await desk.expect("main is short\r\n")
        await desk.expect(">>> ")
        assert await desk.board.version() == rig.kind.version
        await desk.at_prompt()


@in_loop
async def test_main_py_that_prints_for_ever(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("main.py", b"while True: print('main runs')\n")
        await desk.board.soft_reset()
        await desk.expect("main runs\r\nmain runs\r\n")
    async with serve(rig.kind, rig.url, wait=False) as desk:
        await desk.put("main.py", b"")
        assert await desk.get("main.py") == b""
        if desk.kind.files_beside_programs:
            await desk.board.interrupt()
        await desk.type("\r")
        await desk.expect(">>> ")
        await desk.at_prompt()


async def in_raw_mode(desk: Desk) -> None:
    await desk.type("\x01")
    await desk.expect(RAW_PROMPT)


async def with_half_of_raw_code(desk: Desk) -> None:
    await in_raw_mode(desk)
    await desk.type("print('half of the co")


async def with_a_raw_program_running(desk: Desk) -> None:
    await in_raw_mode(desk)
    await desk.type("print('on'); exec('while True: pass')\x04")
    await desk.expect("OKon")


async def in_paste_mode(desk: Desk) -> None:
    await desk.type("\x05print('pasted")
    await desk.expect("=== print('pasted")


async def at_the_prompt(desk: Desk) -> None:
    await desk.type("print('half")
    await desk.expect("print('half")


@pytest.mark.parametrize(
    "leave", [in_raw_mode, with_half_of_raw_code, with_a_raw_program_running, in_paste_mode, at_the_prompt]
)
@in_loop
async def test_a_client_that_has_left(rig: Rig, leave: object) -> None:
    assert callable(leave)
    async with serve(rig.kind, rig.url) as desk:
        await leave(desk)
        await desk.board.release()
        await desk.type(" and whole')\r" if leave is at_the_prompt else "print('half and whole')\r")
        await desk.expect("\r\nhalf and whole\r\n>>> ")
        await desk.put("file", b"data")
        assert await desk.get("file") == b"data"
        await desk.at_prompt()


@in_loop
async def test_a_client_that_has_left_its_program_running(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("exec('print(42)\\nwhile True: pass')\r")
        await desk.expect("\r\n42\r\n")
        await desk.board.release()
        assert b">>>" not in desk.unread
        await desk.board.interrupt()
        await desk.expect("KeyboardInterrupt")
        await desk.expect(">>> ")
        await desk.at_prompt()
