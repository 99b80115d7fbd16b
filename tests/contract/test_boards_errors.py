"""What a board refuses: an error with the errno, the old file as it was, and a board that goes on undisturbed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from board_kinds import Desk, in_loop, serve
from contract.conftest import Rig
from ram_disk import ram_disk
from webrepl_link.errors import BoardError, LocalProtocolError

EPERM, ENOENT, EACCES, EBUSY, EEXIST, ENOTDIR, EISDIR, EINVAL, ENOSPC, EROFS = 1, 2, 13, 16, 17, 20, 21, 22, 28, 30


@asynccontextmanager
async def refused(desk: Desk, *codes: int) -> AsyncIterator[None]:
    """The block ends in a BoardError with one of `codes`; the files and a half-typed line are as they were."""
    if "old" not in await desk.files():
        await desk.put("old", b"the old file")
    before = await desk.files()
    await desk.type("6*")
    await desk.expect("6*")
    with pytest.raises(BoardError) as error:
        yield
    assert error.value.code in codes
    assert str(error.value)
    await desk.type("7\r")
    assert await desk.expect(">>> ") == b"7\r\n42\r\n>>> "
    assert await desk.files() == before
    assert await desk.get("old") == b"the old file"


async def mount_ram_disk(desk: Desk, kind: str, blocks: int) -> None:
    """Mount a file system of 512-byte blocks at /ram, with a file `old` on it."""
    await desk.put("ram.py", ram_disk(kind, blocks).encode())
    assert await desk.enter("import ram") == ""


@in_loop
async def test_get_a_missing_file(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk, refused(desk, ENOENT):
        await desk.get("missing")


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories)
@in_loop
async def test_a_missing_directory(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        async with refused(desk, ENOENT):
            await desk.get("no such folder/file")
        async with refused(desk, ENOENT), desk.board.put("no such folder/file", 5):
            pytest.fail("opened")


@pytest.mark.parametrize("name", ["", "nul\0inside"])
@in_loop
async def test_names_that_no_file_system_has(rig: Rig, name: str) -> None:
    async with serve(rig.kind, rig.url) as desk:
        async with refused(desk, EINVAL):
            await desk.get(name)
        async with refused(desk, EINVAL):
            await desk.put(name, b"data")


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories)
@in_loop
async def test_put_over_a_directory(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("import os; os.mkdir('folder')")
        for name in ("folder", "folder/", "/", "."):
            # Which of them depends on the firmware, and comes from its `rename`.
            async with refused(desk, EPERM, ENOENT, EBUSY, EEXIST, ENOTDIR, EISDIR, EINVAL):
                await desk.put(name, b"data")
            assert await desk.evaluate("os.listdir('folder')") == []


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories)
@in_loop
async def test_get_a_directory(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("import os; os.mkdir('folder')")
        async with refused(desk, EISDIR):
            await desk.get("folder")


@pytest.mark.parametrize("file_system", ["VfsLfs2", "VfsFat"])
@pytest.mark.kinds.with_args(lambda kind: kind.has_mounts)
@in_loop
async def test_a_full_file_system(rig: Rig, file_system: str) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await mount_ram_disk(desk, file_system, 50)
        for name in ("/ram/new", "/ram/old"):
            async with refused(desk, ENOSPC):
                await desk.put(name, bytes(40_000))
            assert await desk.evaluate("os.listdir('/ram')") == ["old"]
        assert await desk.get("/ram/old") == b"the old file"
        await desk.put("/ram/old", b"fits")
        assert await desk.get("/ram/old") == b"fits"


@pytest.mark.parametrize("file_system", ["VfsLfs2", "VfsFat"])
@pytest.mark.kinds.with_args(lambda kind: kind.has_mounts)
@in_loop
async def test_put_over_a_directory_of_another_file_system(rig: Rig, file_system: str) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await mount_ram_disk(desk, file_system, 50)
        await desk.enter("import os; os.mkdir('/ram/folder')")
        async with refused(desk, EPERM, EACCES, EEXIST, EISDIR):
            await desk.put("/ram/folder", b"data")
        assert await desk.evaluate("sorted(os.listdir('/ram'))") == ["folder", "old"]


@pytest.mark.parametrize("file_system", ["VfsLfs2", "VfsFat"])
@pytest.mark.kinds.with_args(lambda kind: kind.has_mounts)
@in_loop
async def test_a_read_only_file_system(rig: Rig, file_system: str) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await mount_ram_disk(desk, file_system, 50)
        await desk.enter(
            f"vfs = ram.vfs; vfs.umount('/ram'); vfs.mount(vfs.{file_system}(ram.disk), '/ram', readonly=1)"
        )
        async with refused(desk, EROFS):
            await desk.put("/ram/old", b"the new file")
        assert await desk.get("/ram/old") == b"the old file"


@pytest.mark.kinds.with_args(lambda kind: kind.has_mounts)
@in_loop
async def test_a_name_that_fat_does_not_have(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await mount_ram_disk(desk, "VfsFat", 50)
        async with refused(desk, EINVAL):
            await desk.put("/ram/a:b?", b"data")


@pytest.mark.kinds.with_args(lambda kind: not kind.has_directories)
@in_loop
async def test_a_micro_bit_that_is_full(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("old", b"the old file")
        # This firmware removes the file that does not fit.
        for size in (1000, 100):
            fill = f"while 1:\\n f = open('{size}-%d' % n, 'wb'); f.write(bytes({size})); f.close(); n += 1"
            await desk.enter(f'n = 0; exec("{fill}")')
        async with refused(desk, ENOSPC):
            await desk.put("new", bytes(400))
        async with refused(desk, ENOSPC):
            await desk.put("old", bytes(400))


async def put_other_size(desk: Desk, name: str, size_bytes: int, data: bytes) -> None:
    async with desk.board.put(name, size_bytes) as writer:
        await writer.write(data)
        await writer.finish()


@in_loop
async def test_a_file_of_another_size_than_announced(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("old", b"the old file")
        for size_bytes in (4, 6):
            with pytest.raises(LocalProtocolError):
                await put_other_size(desk, "old", size_bytes, b"fives")
        assert await desk.get("old") in (b"the old file", b"five")
