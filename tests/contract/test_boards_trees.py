"""What `Board.ask` promises, for every kind of board: lists, what files are, changes of names and trees, and space."""

from __future__ import annotations

import random
from binascii import crc32
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from board_kinds import Desk, in_loop, serve
from contract.conftest import Rig
from webrepl_bridge.protocol.file_requests import (
    Entry,
    GetSpace,
    GetStat,
    ListDirectory,
    MakeDirectory,
    Remove,
    RemoveDirectory,
    Rename,
)
from webrepl_bridge.protocol.put_files import PutFiles
from webrepl_link.errors import BoardError

ENOENT, EEXIST, ENOTDIR, EISDIR, EINVAL, ENOSYS, ENOTEMPTY = 2, 17, 20, 21, 22, 38, 39
DATA = random.Random(1).randbytes(500)


@asynccontextmanager
async def refused(*codes: int) -> AsyncIterator[None]:
    with pytest.raises(BoardError) as error:
        yield
    assert error.value.code in codes


async def listed(desk: Desk, request: ListDirectory) -> list[Entry]:
    """What is there, but for what the kind of board has of its own."""
    entries = await desk.board.ask(request)
    return [entry for entry in entries if entry.name.partition("/")[0] not in desk.kind.own_files]


async def tree(desk: Desk, top: str = "") -> list[str]:
    return [entry.name for entry in await listed(desk, ListDirectory(top, deep=True))]


@in_loop
async def test_list_and_stat(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        assert await listed(desk, ListDirectory("")) == []
        names = ["a.py", "it's", "new\nline", "žluť", " ", "%d"]
        for name in names:
            await desk.put(name, name.encode() + DATA)
        entries = await listed(desk, ListDirectory("", hashed=True))
        assert [entry.name for entry in entries] == sorted(names)
        for entry in entries:
            content = entry.name.encode() + DATA
            assert (entry.is_directory, entry.size_bytes, entry.crc) == (False, len(content), crc32(content))
            found = await desk.board.ask(GetStat(entry.name))
            assert (found.size_bytes, found.crc) == (len(content), 0)
            assert (await desk.board.ask(GetStat(entry.name, hashed=True))).crc == crc32(content)
        for name in ("", "/"):
            assert (await desk.board.ask(GetStat(name))).is_directory
        async with refused(ENOENT):
            await desk.board.ask(GetStat("missing"))
        await desk.at_prompt()


@in_loop
async def test_remove(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("file", DATA)
        await desk.board.ask(Remove("file"))
        async with refused(ENOENT):
            await desk.board.ask(Remove("file"))
        assert await desk.files() == []


@in_loop
async def test_requests_that_cannot_be(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        for request in (Remove(""), Remove("nul\0"), Rename("a", ""), MakeDirectory("", deep=True)):
            async with refused(EINVAL):
                await desk.board.ask(request)
        await desk.at_prompt()


@in_loop
async def test_parts_of_a_file(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("file", DATA)
        for offset, size in ((0, 10), (100, None), (63, 2), (64, 64), (490, 100), (500, 5), (600, 5), (7, 0)):
            data = b""
            async with desk.board.get("file", offset, size) as reader:
                while piece := await reader.read():
                    data += piece
            assert data == DATA[offset : None if size is None else offset + size]
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories)
@in_loop
async def test_trees(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        ask = desk.board.ask
        await ask(MakeDirectory("lib"))
        async with refused(EEXIST):
            await ask(MakeDirectory("lib"))
        async with refused(ENOENT):
            await ask(MakeDirectory("missing/lib"))
        for name in ("lib/a/b", "/lib/a/b", "lib/a/../a/b/"):
            await ask(MakeDirectory(name, deep=True))
        await desk.put("lib/a/b/c.py", DATA)
        await desk.put("lib/d.py", b"")
        assert await tree(desk) == ["lib", "lib/a", "lib/a/b", "lib/a/b/c.py", "lib/d.py"]
        assert await tree(desk, "lib/a/") == await tree(desk, "/lib/a") == ["b", "b/c.py"]
        assert [entry.name for entry in await ask(ListDirectory("lib"))] == ["a", "d.py"]
        assert (await ask(GetStat("lib"))).is_directory
        hashed = {entry.name: entry.crc for entry in await ask(ListDirectory("lib", deep=True, hashed=True))}
        assert hashed == {"a": 0, "a/b": 0, "a/b/c.py": crc32(DATA), "d.py": 0}
        async with refused(EISDIR):
            await ask(Remove("lib/a/b"))
        async with refused(ENOTDIR):
            await ask(RemoveDirectory("lib/d.py"))
        async with refused(ENOTEMPTY):
            await ask(RemoveDirectory("lib/a"))
        async with refused(EEXIST, ENOTDIR):
            await ask(MakeDirectory("lib/d.py", deep=True))
        async with refused(ENOTDIR, ENOENT):
            await ask(ListDirectory("lib/d.py"))
        await ask(Rename("lib/a/b/c.py", "e.py"))
        await ask(Rename("lib/a", "lib/z"))
        await ask(RemoveDirectory("lib/z/b"))
        assert await tree(desk) == ["e.py", "lib", "lib/d.py", "lib/z"]
        async with refused(ENOENT):
            await ask(Rename("missing", "other"))
        await ask(Remove("lib", deep=True))
        await ask(Remove("e.py", deep=True))
        assert await tree(desk) == []
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories)
@in_loop
async def test_a_deep_tree_with_long_names(rig: Rig) -> None:
    name = "/".join(f"{depth}" + "x" * 20 for depth in range(12))
    async with serve(rig.kind, rig.url) as desk:
        await desk.board.ask(MakeDirectory(name, deep=True))
        await desk.put(f"{name}/file", DATA)
        assert await desk.get(f"{name}/file") == DATA
        assert (await desk.board.ask(GetStat(f"{name}/file", hashed=True))).crc == crc32(DATA)
        assert len(await tree(desk)) == 13
        await desk.board.ask(Rename(f"{name}/file", f"{name}/other"))
        await desk.board.ask(Remove(name.partition("/")[0], deep=True))
        assert await tree(desk) == []


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories)
@in_loop
async def test_many_small_files_at_once(rig: Rig) -> None:
    files = {f"{number} it's": random.Random(number).randbytes(number * 100) for number in range(12)}
    request = PutFiles("lib", (("deep/", b""), *((f"deep/{name}", content) for name, content in files.items())))
    async with serve(rig.kind, rig.url) as desk:
        await desk.board.ask(MakeDirectory("lib/deep", deep=True))
        await desk.put("lib/deep/3 it's", b"old")
        if not rig.kind.takes_bundles:
            async with refused(ENOSYS):
                await desk.board.ask(request)
            return
        for _ in range(2):
            await desk.board.ask(request)
            found = {entry.name: entry.crc for entry in await desk.board.ask(ListDirectory("lib/deep", hashed=True))}
            assert found == {name: crc32(content) for name, content in files.items()}
        async with refused(ENOENT):
            await desk.board.ask(PutFiles("", (("first", b"1"), ("missing/second", b"2"))))
        assert await desk.files() == ["first", "lib"]
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories)
@in_loop
async def test_space(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        space = await desk.board.ask(GetSpace())
        assert 0 < space.free_bytes <= space.total_bytes
        assert (await desk.board.ask(GetSpace("/"))).total_bytes == space.total_bytes


@pytest.mark.kinds.with_args(lambda kind: not kind.has_directories)
@in_loop
async def test_what_the_firmware_cannot_do(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        for request in (GetSpace(), MakeDirectory("a"), Rename("a", "b"), RemoveDirectory("a"), Remove("a", deep=True)):
            async with refused(ENOSYS):
                await desk.board.ask(request)
        async with refused(ENOSYS), desk.board.put("file", 10, 10):
            pass
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories)
@in_loop
async def test_a_put_goes_on_where_it_broke(rig: Rig) -> None:
    data = random.Random(2).randbytes(20_000)
    async with serve(rig.kind, rig.url) as desk:
        async with desk.board.put("file", len(data), keep=True) as writer:
            for start in range(0, 16_000, 1000):
                await writer.write(data[start : start + 1000])
        there = await desk.board.ask(GetStat("file~", hashed=True))
        assert crc32(data[: there.size_bytes]) == there.crc
        for offset in (there.size_bytes + 1, 1):
            async with refused(EINVAL), desk.board.put("file", 10, offset):
                pass
        rest = data[there.size_bytes :]
        async with desk.board.put("file", len(rest), there.size_bytes) as writer:
            await writer.write(rest)
            await writer.finish()
        assert await desk.get("file") == data
        assert await desk.files() == ["file"]
