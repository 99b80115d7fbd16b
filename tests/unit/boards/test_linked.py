"""LinkedBoard against a board in CPython, over a wire that does what wires do."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest

from board_kinds import in_loop
from linked_board import BANNER, Damage, Rig, Wire, rig
from webrepl_bridge.boards.linked import LinkedBoard
from webrepl_link.errors import BoardError, BrokenError, LocalProtocolError, TransportError

ENOENT, EINVAL, ENOSPC, ECONNRESET = 2, 22, 28, 104
NOISY = Damage(drop=0.05, flip=0.05, insert=0.05)


def some_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize("damage", [Damage(), NOISY], ids=["clean", "noisy"])
@in_loop
async def test_gives_back_what_was_put(damage: Damage) -> None:
    async with rig(LinkedBoard, Wire(1, damage)) as r:
        for size in (0, 1, 99, 100, 101, 5000):
            await r.put("a.bin", some_bytes(size))
            assert r.store.files == {b"a.bin": some_bytes(size)}
            assert await r.get("a.bin") == some_bytes(size)


@in_loop
async def test_the_terminal_works_on_a_noisy_wire() -> None:
    async with rig(LinkedBoard, Wire(2, NOISY)) as r:
        await r.expect(BANNER)
        await r.board.write(b"hello\r" * 20)
        for _ in range(20):
            assert await r.expect(b">>> ") == b"hello\r\nHELLO\r\n>>> "
        counters = r.board.link_counters
        assert counters["sessions"] == 1
        assert counters["resent_frames"] > 0
        assert counters["bad_frames"] > 0


@in_loop
async def test_the_terminal_goes_on_during_a_transfer() -> None:
    async with rig(LinkedBoard) as r:
        await r.expect(BANNER)
        async with r.board.put("a.bin", 100) as writer:
            await r.board.write(b"hello\r")
            await r.expect(b"HELLO\r\n>>> ")
            await writer.write(bytes(100))
            await writer.finish()
        assert r.store.files[b"a.bin"] == bytes(100)
        assert not r.notices


@in_loop
async def test_what_was_typed_before_a_transfer_comes_before_it() -> None:
    async with rig(LinkedBoard) as r:
        await r.expect(BANNER)
        await r.board.write(b"hello\r" * 10)
        await r.put("a.bin", b"data")
        assert r.shim.repl.typed.count(b"hello\r") == 10


@in_loop
async def test_says_what_firmware_it_is() -> None:
    async with rig(LinkedBoard) as r:
        assert await r.board.version() == (1, 25, 0)
        assert await r.board.version() == (1, 25, 0)
        assert r.shim.requests == 1


@in_loop
async def test_interrupt_and_soft_reset() -> None:
    async with rig(LinkedBoard) as r:
        await r.expect(BANNER)
        await r.board.write(b"half")
        await r.expect(b"half")
        await r.board.soft_reset()
        await r.expect(b"soft reboot\r\n" + BANNER)
        await r.board.interrupt()
        await r.expect(b"\r\n>>> ")
        assert bytes(r.shim.repl.typed).endswith(b"half\x03\x04\x03")


@in_loop
async def test_a_client_that_leaves_raw_mode_behind() -> None:
    async with rig(LinkedBoard) as r:
        await r.expect(BANNER)
        await r.board.write(b"\x01")
        await r.expect(b"raw REPL; CTRL-B to exit\r\n>")
        await r.board.release()
        await r.expect(BANNER)


@in_loop
async def test_the_boards_errors() -> None:
    async with rig(LinkedBoard) as r:
        with pytest.raises(BoardError, match="no such file") as error:
            await r.get("missing")
        assert error.value.code == ENOENT
        r.store.free_bytes = 1000
        with pytest.raises(BoardError, match="no space left") as error:
            await r.put("large", bytes(3000))
        assert error.value.code == ENOSPC
        for name in ("", "nul\0inside", "x" * 2049):
            with pytest.raises(BoardError) as error:
                await r.get(name)
            assert error.value.code == EINVAL
        await r.put("small", b"fits")
        assert r.store.files == {b"small": b"fits"}


@in_loop
async def test_a_file_of_another_size_than_announced() -> None:
    async with rig(LinkedBoard) as r:
        for size in (4, 6):
            with pytest.raises(LocalProtocolError):
                await r.put("file", b"fives", size)
        await r.put("other", b"5")
        assert r.store.files == {b"other": b"5"}


@in_loop
async def test_a_transfer_that_a_client_leaves_is_given_up() -> None:
    async with rig(LinkedBoard) as r:
        await r.put("file", some_bytes(5000))
        await r.expect(BANNER)
        with suppress(ZeroDivisionError):
            async with r.board.put("file", 9000) as writer:
                await writer.write(bytes(2500))
                raise ZeroDivisionError
        async with r.board.get("file") as reader:
            assert await reader.read() == some_bytes(5000)[:100]
        assert await r.get("file") == some_bytes(5000)
        assert r.store.log == ["stored file", "given up", "given up"]
        assert not r.notices  # and all in one session
        assert r.shim.requests == 4


@in_loop
async def test_operations_take_turns() -> None:
    async with rig(LinkedBoard) as r:
        await r.put("there", b"5")
        async with asyncio.TaskGroup() as tasks:
            for number in range(3):
                tasks.create_task(r.put(f"f{number}", bytes([number]) * 900))
                tasks.create_task(r.get("there"))
                tasks.create_task(r.board.version())
        assert [r.store.files[b"f%d" % number] for number in range(3)] == [bytes([n]) * 900 for n in range(3)]


@in_loop
async def test_a_put_begins_again_when_the_board_is_reset() -> None:
    data = some_bytes(20_000)
    async with rig(LinkedBoard) as r:
        await r.expect(BANNER)
        async with r.board.put("file", len(data)) as writer:
            await writer.write(data[:10_000])
            await r.reset_shim()
            await writer.write(data[10_000:])
            await r.reset_shim()
            await writer.finish()
        assert r.store.files == {b"file": data}
        assert r.store.log == ["stored file"]
        assert await r.notice("started anew")


async def put_with_resets(r: Rig) -> None:
    async with r.board.put("file", 100_000) as writer:
        for _ in range(100):
            await writer.write(bytes(1000))
            await r.reset_shim()
        await writer.finish()


@in_loop
async def test_a_put_ends_with_an_error_when_the_board_is_reset_all_the_time() -> None:
    async with rig(LinkedBoard) as r:
        with pytest.raises(BoardError, match="started anew") as error:
            await put_with_resets(r)
        assert error.value.code == ECONNRESET
        await r.put("other", b"5")
        assert r.store.files == {b"other": b"5"}


async def get_with_reset(r: Rig) -> None:
    async with r.board.get("file") as reader:
        await reader.read()
        await r.reset_shim()
        while await reader.read():
            pass


@in_loop
async def test_a_get_ends_with_an_error_when_the_board_is_reset() -> None:
    async with rig(LinkedBoard) as r:
        await r.put("file", some_bytes(5000))
        with pytest.raises(BoardError, match="started anew") as error:
            await get_with_reset(r)
        assert error.value.code == ECONNRESET
        assert await r.get("file") == some_bytes(5000)


@in_loop
async def test_a_wire_that_is_pulled_ends_no_transfer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrepl_bridge.boards.link_wire.SILENCE_MS", 300)
    data = some_bytes(20_000)
    async with rig(LinkedBoard) as r:
        await r.expect(BANNER)
        async with r.board.put("file", len(data)) as writer:
            await writer.write(data[:10_000])
            r.wire.is_pulled = True
            await r.notice("silent")
            r.wire.is_pulled = False
            await writer.write(data[10_000:])
            await writer.finish()
        await r.notice("is back")
        assert r.store.files == {b"file": data}
        assert r.shim.requests == 1


@in_loop
async def test_a_bridge_that_starts_anew_takes_over() -> None:
    async with rig(LinkedBoard) as r:
        await r.put("file", b"data")
        await r.replace_bridge(LinkedBoard(r.wire.bridge))
        assert await r.get("file") == b"data"


@in_loop
async def test_a_board_without_a_shim_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrepl_bridge.boards.linked.SESSION_TIMEOUT_MS", 100)
    async with rig(LinkedBoard, shim=False) as r:
        with pytest.raises(BoardError, match="does not answer"):
            await r.put("file", b"data")
        assert await r.board.version() == (0, 0, 0)


@in_loop
async def test_a_board_that_does_not_answer_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrepl_bridge.boards.records.ANSWER_TIMEOUT_MS", 200)
    monkeypatch.setattr("webrepl_bridge.boards.linked.GIVE_UP_TIMEOUT_MS", 200)
    async with rig(LinkedBoard) as r:
        r.shim.hold.clear()
        with pytest.raises(BoardError, match="does not answer"):
            await r.put("file", bytes(5000))
        r.shim.hold.set()
        await r.put("file", b"data")
        assert r.store.files == {b"file": b"data"}


@in_loop
async def test_the_end_of_the_wire_ends_everything() -> None:
    async with rig(LinkedBoard) as r:
        r.shim.hold.clear()
        async with asyncio.TaskGroup() as tasks:
            operations = [tasks.create_task(outcome(r)) for _ in range(2)]
            await r.shim.asked.wait()
            r.wire.bridge.fail(BrokenError("unplugged"))
        assert all(isinstance(task.result(), TransportError) for task in operations)


async def outcome(r: Rig) -> Exception | None:
    try:
        await r.put("file", bytes(50_000))
    except TransportError as error:
        return error
    return None
