"""What `Board` promises about files, for every kind of board: what was put is what is there, and what one gets."""

from __future__ import annotations

import random

import pytest

from board_kinds import in_loop, serve
from contract.conftest import Rig
from webrepl_bridge.boards.stock import BLOCK_BYTES_MAX

NAMES = [
    "a" * 64,
    "it's",
    '"double"',
    "both ' and \"",
    "back\\slash",
    "\\n",
    "new\nline",
    "tab\tand\rreturn",
    " leading and trailing ",
    "žluť-🐎",
    "percent %s %d {}",
    "#hash",
    "-dash",
    "plus+~",
]


def some_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@in_loop
async def test_gives_back_what_was_put(rig: Rig) -> None:
    contents = [
        b"",
        b"\x00",
        b"\x03",
        b"\x04",
        bytes(range(256)),
        b"\x04\x04>OK\x04>raw REPL; CTRL-B to exit\r\n>\r\n>>> ",
        b"\r\nMicroPython v9.9.9 on 2000-01-01; x\r\n>>> ",
        "žluťoučký kůň 🐎".encode(),
    ]
    async with serve(rig.kind, rig.url) as desk:
        for number, content in enumerate(contents):
            await desk.put(f"f{number}", content)
        for number, content in enumerate(contents):
            assert await desk.get(f"f{number}") == content
        assert await desk.files() == [f"f{number}" for number in range(len(contents))]


@in_loop
async def test_sizes_around_a_block(rig: Rig) -> None:
    sizes = [63, 64, 65, 128]
    if rig.kind.large_bytes > 4 * BLOCK_BYTES_MAX:
        block = BLOCK_BYTES_MAX
        sizes += [
            255,
            256,
            257,
            block - 4,
            block - 1,
            block,
            block + 1,
            block + 4,
            2 * block - 1,
            2 * block,
            2 * block + 1,
        ]
    async with serve(rig.kind, rig.url) as desk:
        for size in sizes:
            await desk.put("same", some_bytes(size))
            assert await desk.get("same") == some_bytes(size)


@in_loop
async def test_a_large_file(rig: Rig) -> None:
    content = some_bytes(rig.kind.large_bytes)
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("large.bin", content)
        assert await desk.get("large.bin") == content
        assert await desk.files() == ["large.bin"]
        await desk.at_prompt()


@in_loop
async def test_text_with_noise_in_it(rig: Rig) -> None:
    text = b"".join(b"    line %d of a text that repeats itself\n" % number for number in range(500))
    content = text[:9000] + some_bytes(9000) + text[9000:]
    content = content[: rig.kind.large_bytes]
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("text", content)
        assert await desk.get("text") == content
        await desk.at_prompt()


@in_loop
async def test_a_file_of_one_byte_repeated(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        for byte in b"\x00\x03\x04\x06\x15":
            content = bytes([byte]) * min(2500, rig.kind.large_bytes // 7)
            await desk.put("same", content)
            assert await desk.get("same") == content


@in_loop
async def test_overwriting_gives_the_new_file(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        for content in (b"first", b"", b"a longer second", b"3"):
            await desk.put("file", content)
            assert await desk.get("file") == content
        assert await desk.files() == ["file"]


@in_loop
async def test_names(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        for name in NAMES:
            await desk.put(name, name.encode())
        for name in NAMES:
            assert await desk.get(name) == name.encode()
        assert await desk.files() == sorted(NAMES)


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories)
@in_loop
async def test_names_in_directories(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("import os")
        await desk.enter("os.mkdir('lib'); os.mkdir('/lib/it\\'s deep')")
        for name in ("lib/x.py", "/lib/y.py", "/lib/it's deep/z.py", "./w.py", "lib/../v.py"):
            await desk.put(name, name.encode())
            assert await desk.get(name) == name.encode()


@pytest.mark.kinds.with_args(lambda kind: kind.has_directories and kind.one_interpreter)
@in_loop
async def test_names_in_the_current_directory(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("import os; os.mkdir('/lib'); os.chdir('/lib')")
        await desk.put("here", b"here")
        assert await desk.get("/lib/here") == b"here"
        assert await desk.files() == ["here"]


@in_loop
async def test_one_after_the_other(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        for number in range(5):
            await desk.put(f"file{number % 3}", bytes([number]) * number)
            assert await desk.get(f"file{number % 3}") == bytes([number]) * number
