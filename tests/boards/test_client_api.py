"""A board as Python has it, through a bridge and without one."""

from __future__ import annotations

import asyncio
import errno
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from board_kinds import in_loop
from client_kit import Way, way
from serving import PASSWORD
from webrepl_bridge.client import BoardError, Files, OpenError, PasswordError, ProgramError, TransportError, connect
from webrepl_bridge.client.files import RESUMABLE_BYTES

PATIENCE_S = 30


@pytest.fixture(params=["bridge", "serial", "shim", "webrepl"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    with way(request.param, tmp_path / "board") as opened:
        yield opened


def some_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@in_loop
async def test_files(there: Way) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        files = board.files
        await files.mkdir("/lib/deep", parents=True)
        for size in (0, 1, RESUMABLE_BYTES, 20_000):
            await files.write(f"/lib/deep/{size}", some_bytes(size))
            assert await files.read(f"/lib/deep/{size}") == some_bytes(size)
        listed = await files.list("/lib", recursive=True)
        assert [(entry.name, entry.size_bytes) for entry in listed if not entry.is_directory] == [
            (f"deep/{size}", size) for size in (0, 1, RESUMABLE_BYTES, 20_000)
        ]
        assert (await files.stat("/lib/deep")).is_directory
        await files.rename("/lib/deep/1", "/one")
        assert await files.exists("/one")
        assert not await files.exists("/lib/deep/1")
        await files.remove("/one")
        with pytest.raises(BoardError, match=r"^/lib: ") as failed:
            await files.rmdir("/lib")
        assert failed.value.code == errno.ENOTEMPTY
        await files.remove("/lib", recursive=True)
        assert await files.list("/") == []
        space = await files.space()
        assert 0 < space.free_bytes <= space.total_bytes


@in_loop
async def test_many_files(there: Way) -> None:
    sizes = (0, 10, 500, 4000, 5000, 20, 20_000, 3000, 3000, 3000, 3000, 3000)
    contents = {f"sub/{number}": some_bytes(size + number) for number, size in enumerate(sizes)}
    stored: list[str] = []
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        for _ in range(2):
            await board.files.write_all("/", [("sub/", b""), *contents.items()], stored.append)
            for name, content in contents.items():
                assert await board.files.read(name) == content
        assert stored == ["sub/", *contents] * 2
        with pytest.raises(BoardError, match=r"^/missing/b: ") as failed:
            await board.files.write_all("/", [("a", b"1"), ("missing/b", b"2"), ("c", b"3")])
        assert failed.value.code == errno.ENOENT
        assert [entry.name for entry in await board.files.list("/")] == ["a", "sub"]


@in_loop
async def test_a_file_that_is_not_there_has_its_name_and_errno(there: Way, tmp_path: Path) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        files = board.files
        for operation in (
            files.read,
            files.stat,
            files.remove,
            files.list,
            lambda name: files.get(name, tmp_path / "never"),
        ):
            with pytest.raises(BoardError, match=r"^gone: no such file or directory$") as failed:
                await operation("gone")
            assert failed.value.code == errno.ENOENT
    assert os.listdir(tmp_path) == ["board"]


NAMES = ["with space", "quote'\"", "bräunlich", "日本", "percent%20", "-dash", "semi;colon", "a" * 100]


@in_loop
async def test_odd_names(there: Way) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        for name in NAMES:
            await board.files.write(name, name.encode())
        assert sorted(entry.name for entry in await board.files.list()) == sorted(NAMES)
        for name in NAMES:
            assert await board.files.read(name) == name.encode()


class Cut(Exception):
    """What breaks a transfer."""


async def put_and_break(files: Files, name: str, content: bytes) -> None:
    def on_progress(done_bytes: int) -> None:
        if done_bytes >= len(content) // 2:
            raise Cut

    with pytest.raises(Cut):
        await files.write(name, content, on_progress)


@in_loop
async def test_a_put_that_was_cut_goes_on_where_it_was(there: Way) -> None:
    content = some_bytes(there.large_bytes)
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        await board.files.write("big", b"what was there before")
        await put_and_break(board.files, "big", content)
        assert await board.files.read("big") == b"what was there before"
        progress: list[int] = []
        await board.files.write("big", content, progress.append)
        assert progress[0] > 0
        assert progress[-1] == len(content)
        assert await board.files.read("big") == content
        assert [entry.name for entry in await board.files.list()] == ["big"]


@in_loop
async def test_a_put_of_something_else_begins_anew(there: Way) -> None:
    content = some_bytes(20_000)
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        await put_and_break(board.files, "big", some_bytes(there.large_bytes))
        await board.files.write("big", content)
        assert await board.files.read("big") == content
        assert [entry.name for entry in await board.files.list()] == ["big"]


@in_loop
async def test_a_get_that_was_cut_goes_on_where_it_was(there: Way, tmp_path: Path) -> None:
    content = some_bytes(there.large_bytes)
    (there.folder / "big").write_bytes(content)
    target = tmp_path / "big"
    target.write_bytes(b"what was here before")

    def cut(done_bytes: int) -> None:
        if done_bytes >= len(content) // 2:
            raise Cut

    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        with pytest.raises(Cut):
            await board.files.get("big", target, cut)
        assert target.read_bytes() == b"what was here before"
        progress: list[int] = []
        await board.files.get("big", target, progress.append)
        assert progress[0] >= len(content) // 2
        assert target.read_bytes() == content
        (tmp_path / "big~").write_bytes(bytes(1000))  # of something else
        await board.files.get("big", target)
    assert target.read_bytes() == content
    assert sorted(os.listdir(tmp_path)) == ["big", "board"]


@in_loop
async def test_exec_streams_what_is_printed(there: Way) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        pieces: asyncio.Queue[str] = asyncio.Queue()
        running = asyncio.create_task(board.exec("print('ready ä'); print(input())", pieces.put_nowait))
        printed = ""
        while "ready ä\n" not in printed:
            printed += await pieces.get()
        assert not running.done()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await board.exec("print(6*7)") == "42\n"


@in_loop
async def test_exec_of_much(there: Way) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        assert await board.exec("print('line ä')\n" * 1000) == "line ä\n" * 1000
        assert await board.exec("") == ""


@in_loop
async def test_exceptions_on_the_board(there: Way) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        printed: list[str] = []
        with pytest.raises(ProgramError, match="ENOENT") as failed:
            await board.exec("import os\nprint('before')\nos.stat('gone')", printed.append)
        assert failed.value.code == errno.ENOENT
        assert "line 3, in <module>" in failed.value.traceback
        assert "".join(printed) == "before\n"
        with pytest.raises(ProgramError, match="SyntaxError"):
            await board.exec("x = (")
        with pytest.raises(ValueError, match="Ctrl-A"):
            await board.exec("print('\x04')")
        assert await board.exec("print(1)") == "1\n"


@in_loop
async def test_exec_interrupts_what_runs(there: Way) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        with board.terminal() as terminal:
            await terminal.write(b"print('go')\rwhile True: pass\r\r")
            printed = b""
            while b"pass\r\n... \r\n" not in printed:
                printed += await terminal.read()
        assert await board.exec("print(1)") == "1\n"


@in_loop
async def test_files_and_code_take_turns(there: Way) -> None:
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        await board.files.write("m.py", b"X = 5\n")
        assert await board.exec("import m; print(m.X)") == "5\n"
        assert await board.files.read("m.py") == b"X = 5\n"
        assert await board.version() == (1, 29, 0)


WRITER = """
f = open("/log", "w")
for i in range(1000000):
    f.write("line %d\\n" % i)
    f.flush()
    i == 100 and print("wri" + "ting")
"""


@in_loop
async def test_a_file_that_the_program_is_writing(tmp_path: Path) -> None:
    with way("shim", tmp_path / "board") as there:
        async with asyncio.timeout(PATIENCE_S), connect(there.url) as board:
            with board.terminal() as terminal:
                await terminal.write(b"\x05" + WRITER.replace("\n", "\r").encode() + b"\x04")
                seen = b""
                while b"writing\r\n" not in seen:
                    seen += await terminal.read()
                *lines, _ = (await board.files.read("/log")).decode().split("\n")
                assert len(lines) > 100
                assert lines == [f"line {number}" for number in range(len(lines))]
                await board.interrupt()


@in_loop
async def test_a_wrong_password(tmp_path: Path) -> None:
    with way("bridge", tmp_path) as there, pytest.raises(PasswordError):
        async with connect(there.url, password="wrong"):
            pass


@in_loop
async def test_nothing_there() -> None:
    for url in ("ws://127.0.0.1:1/", "/dev/ttyNoSuchBoard"):
        with pytest.raises(OpenError):
            async with connect(url):
                pass


@in_loop
async def test_a_bridge_that_goes_away(tmp_path: Path) -> None:
    opened = way("bridge", tmp_path)
    there = opened.__enter__()
    async with asyncio.timeout(PATIENCE_S), connect(there.url, password=PASSWORD) as board:
        printed = asyncio.Event()
        running = asyncio.create_task(board.exec("print(1)\nwhile True: pass", lambda _: printed.set()))
        await printed.wait()
        await asyncio.to_thread(opened.__exit__, None, None, None)
        with pytest.raises(TransportError):
            await running
        with pytest.raises(TransportError):
            await board.files.list()
