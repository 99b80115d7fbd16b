"""One REPL among several clients, on a fake board."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import pytest

from fake_board import FakeBoard
from webrepl_bridge.protocol import floor
from webrepl_bridge.protocol.file_requests import Answer, FileRequest, GetSpace, Space
from webrepl_bridge.protocol.repl_tracker import Mode
from webrepl_bridge.session import Client, ClientEndedError, Limits, Session
from webrepl_link.errors import BoardError


def run(
    test: Callable[[Session, FakeBoard], Awaitable[None]],
    limits: Limits | None = None,
    kind: type[FakeBoard] = FakeBoard,
) -> None:
    async def serve() -> None:
        session, served = Session("lab1", limits or Limits()), kind()
        async with asyncio.timeout(20):
            with session.serve(served):
                await test(session, served)

    asyncio.run(serve())


@asynccontextmanager
async def doing(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Start something, and wait for its end when the block ends."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work)
        for _ in range(5):
            await asyncio.sleep(0)
        yield task


def test_input_waits_while_another_client_has_the_repl() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("b") as b:
            await a.write(b"\x01")
            board.hold(True)
            assert session.holder is a
            async with doing(b.write(b"b")) as waiting:
                await a.write(b"code\x04")
                assert not waiting.done()
                told = "\r\n[lab1: a#1 has the REPL in raw mode: what you type waits]\r\n"
                assert (a.take(), b.take()) == ("\x01code\x04", f"\x01{told}code\x04")
                board.hold(False)
            assert board.typed == b"\x01code\x04b"
            assert session.holder is None

    run(test)


def test_a_holder_that_has_stalled_loses_the_repl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "STALL_MS", 50)

    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("b") as b:
            await a.write(b"\x01")
            board.hold(True)
            await b.write(b"b")
            assert board.log == ["write", "release", "write"]
            assert board.typed == b"\x01b"
            assert "[lab1: back to the prompt: a#1 has fallen silent]" in b.take()
            await a.write(b"code\x04")
            await a.write(b"more code\x04")
            assert a.take().count("the REPL has been taken from you: Ctrl-C begins anew") == 1
            await a.write(b"rest\x03x")
            assert board.typed == b"\x01b\x03x"

    run(test)


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "WAIT_MS", 50)

    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("b") as b:
            await a.write(b"\x01")
            board.hold(True)
            await b.write(b"b")
            assert b.take().endswith("[lab1: a#1 has the REPL in raw mode: what you typed is dropped]\r\n")
            assert board.typed == b"\x01"

    run(test)


def test_a_takeover_is_at_once() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("b") as b:
            await session.take_over("nobody has it")
            assert board.log == []
            await a.write(b"\x01")
            board.hold(True)
            async with doing(b.write(b"b")):
                await session.take_over("b needs it")
            assert board.typed == b"\x01b"
            assert "[lab1: back to the prompt: b needs it]" in b.take()

    run(test)


def test_what_waits_is_lost_with_the_board() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("b") as b:
            await a.write(b"\x01")
            board.hold(True)
            async with doing(b.write(b"b")):
                session.board = None
                board.hold(False)
            assert "not connected: what you type is lost" in b.take()

    run(test)


def test_a_watcher_changes_nothing() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("w", watches_only=True) as watcher:
            for _ in range(2):
                await watcher.write(b"x\x03")
            for refused in (watcher.put("f", 1), watcher.get("f")):
                with pytest.raises(BoardError) as caught:
                    async with refused:
                        pass
                assert caught.value.code == 13
            await a.write(b"1+1\r")
            assert watcher.take() == "\r\n[lab1: you are here to watch: what you type is lost]\r\n1+1\r\n>>> "
            assert await watcher.version() == (1, 29, 0)
            assert board.log == ["write"]

    run(test)


def test_no_more_clients_than_there_may_be() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a"), session.attach_tool("t"):
            assert session.is_full
            for attach in (session.attach, session.attach_tool):
                with pytest.raises(ClientEndedError, match="no more than 2 clients"), attach("b"):
                    pass
            with session.watch("recorder"):
                pass
        with session.attach("b"):
            assert not session.is_full

    run(test, Limits(clients_max=2))


def test_who_comes_late_is_shown_what_was_shown_before() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a:
            await a.write(b"1+1\r")
            board.hold(True)
            board.on_output(b"for tools only")
            board.hold(False)
            board.on_output(b"half ty")
        with session.attach("late", replay=True) as late, session.attach("tool") as other:
            shown = "\r\n[lab1: connected]\r\n1+1\r\n>>> half ty"
            assert late.take() == f"\r\n[lab1: what was shown before]\r\n{shown}"
            assert other.take() == ""

    run(test)


def test_nothing_is_kept_when_that_is_switched_off() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        board.on_output(b"seen by nobody")
        with session.attach("late", replay=True) as late:
            assert late.take() == ""

    run(test, Limits(scrollback_chars=0))


def test_files_are_moved_in_the_order_in_which_they_were_asked_for() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("b") as b:

            async def put(name: str) -> None:
                with suppress(BoardError):
                    async with b.put(name, 0) as writer:
                        await writer.finish()

            async with doing(put("second")), doing(put("third")):
                pass  # in their order, and alone
            board.log.clear()
            async with asyncio.TaskGroup() as tasks, a.put("first", 0) as writer:
                for name in ("second", "third"):
                    tasks.create_task(put(name))
                    await asyncio.sleep(0)
                queue = [(entry.client, entry.kind, entry.name) for entry in session.files.operations]
                assert queue == [("a#1", "put", "first"), ("b#2", "put", "second"), ("b#2", "put", "third")]
                await writer.finish()
                board.fault = BoardError(28, "no space left")
            assert board.log == ["put first 0", "stored first", "put third 0", "stored third"]
            assert session.files.operations == []
            assert (session.files.done, session.files.failed) == ({"put": 5}, 1)

    run(test)


class SmallBoard(FakeBoard):
    """One with room for 200,000 bytes, which it tells."""

    async def ask(self, request: FileRequest[Answer]) -> Answer:
        assert request == GetSpace("lib")
        return cast("Answer", Space(1 << 20, 200_000))


def test_a_large_file_without_room_is_refused_before_anything_is_sent() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a:
            with pytest.raises(BoardError) as caught:
                async with a.put("lib/f", 200_001):
                    pass
            assert caught.value.code == 28
            assert board.log == []
            async with a.put("lib/f", 200_000):
                pass
            async with a.put("f", 1000):  # is not asked for
                pass
            assert board.log[0] == "put lib/f 200000"

    run(test, kind=SmallBoard)


def test_where_nothing_is_known_of_room_the_put_will_show() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a:
            async with a.put("f", 1 << 20):
                pass
        assert board.log[:2] == ["GetSpace(name='')", "put f 1048576"]

    run(test)


def test_two_clients_put_one_file_and_both_are_stored_whole_one_after_the_other() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("b") as b:

            async def put(client: Client[str], content: bytes) -> None:
                async with client.put("f", len(content)) as writer:
                    for start in range(0, len(content), 10):
                        await writer.write(content[start : start + 10])
                        await asyncio.sleep(0)
                    await writer.finish()

            async def get() -> bytes:
                async with b.get("f") as reader:
                    return await reader.read()

            async with asyncio.TaskGroup() as tasks:
                first = tasks.create_task(put(a, b"a" * 100))
                await asyncio.sleep(0)
                got = tasks.create_task(get())
                await asyncio.sleep(0)
                tasks.create_task(put(b, b"b" * 50))
            assert first.done()
            assert got.result() == b"a" * 100
            assert board.files == {"f": b"b" * 50}

    run(test)


def test_who_waits_for_a_file_when_the_board_goes_is_told() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("b") as b:

            async def get() -> None:
                with pytest.raises(BoardError) as caught:
                    async with b.get("f"):
                        pass
                assert caught.value.code == 19

            async with asyncio.TaskGroup() as tasks, a.put("first", 0):
                tasks.create_task(get())
                await asyncio.sleep(0)
                session.board = None

    run(test)


def test_a_file_takes_back_a_paste_mode_that_was_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "STALL_MS", 0)

    async def test(session: Session, board: FakeBoard) -> None:
        with session.attach("a") as a, session.attach("b") as b:
            await a.write(b"\x05")
            board.hold(True, Mode.PASTE)
            async with b.put("f", 0) as writer:
                await writer.finish()
            assert board.log == ["write", "release", "put f 0", "stored f"]

    run(test)


def test_nothing_is_typed_while_the_board_is_brought_to_its_prompt() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        released = asyncio.Event()
        release = board.release

        async def release_slowly() -> None:
            await released.wait()
            await release()

        board.release = release_slowly  # type: ignore[method-assign]
        with session.attach("a") as a, session.attach("b") as b:
            await a.write(b"\x01")
            board.hold(True)
            async with doing(session.take_over("b needs it")), doing(b.write(b"b")) as typing:
                assert not typing.done()
                released.set()
            assert board.log == ["write", "release", "write"]

    run(test)


def test_another_scrollback_keeps_what_fits() -> None:
    async def test(session: Session, board: FakeBoard) -> None:
        board.on_output(b"first\r\nlast\r\n")
        session.restrict(Limits(scrollback_chars=10))
        with session.attach("late", replay=True) as late:
            assert late.take().endswith("shown before]\r\nlast\r\n")

    run(test)
