"""A line that damages what crosses it: a file arrives right or its transfer fails, and the board goes on."""

from __future__ import annotations

import asyncio
import random

import pytest

from board_kinds import Desk, SlowLine, in_loop, serve
from contract.conftest import Rig
from webrepl_link.errors import BoardError, RemoteProtocolError
from webrepl_transports import ByteStream

OLD = b"the old file"


class BadLine(SlowLine):
    """A line that drops, flips and doubles bytes in both directions, each time from a given seed.

    Attributes:
        bad: whether it does so now.
    """

    def __init__(self, inner: ByteStream, seed: int, good_bytes: int) -> None:
        super().__init__(inner, 115_200)
        self.bad = False
        self._chance = random.Random(seed)
        self._good_bytes = good_bytes

    def _damage(self, data: bytes) -> bytes:
        if not self.bad:
            return data
        damaged = bytearray()
        for byte in data:
            fault = self._chance.randrange(3 * self._good_bytes)
            if fault == 1:
                byte ^= 1 << self._chance.randrange(8)
            damaged += bytes((byte,)) * (0 if fault == 0 else 2 if fault == 2 else 1)
        return bytes(damaged)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        while not (data := self._damage(await self.inner.receive(max_bytes))):
            pass
        return data

    async def send(self, data: bytes) -> None:
        await self.inner.send(self._damage(data))


async def attempt(desk: Desk, line: BadLine, name: str, data: bytes | None) -> bytes | None:
    """Put `data`, or get, on the bad line; None if it failed."""
    line.bad = True
    try:
        if data is None:
            return await desk.get(name)
        await desk.put(name, data)
    except (BoardError, RemoteProtocolError):
        return None
    finally:
        line.bad = False
        await at_last(desk)
    return data


async def at_last(desk: Desk) -> None:
    """Use the prompt, at which something strange may be half typed."""
    await desk.type("\x03print('at', 'last')\r")
    await desk.expect("\r\nat last\r\n>>> ")


@pytest.mark.kinds.with_args(lambda kind: kind.is_wire)
@pytest.mark.parametrize(("seed", "good_bytes"), [(0, 300), (1, 10_000)])
@in_loop
async def test_damage(rig: Rig, seed: int, good_bytes: int) -> None:
    size = min(10_000, rig.kind.large_bytes)
    lines: list[BadLine] = []

    def spoil(stream: ByteStream) -> BadLine:
        lines.append(BadLine(stream, seed, good_bytes))
        return lines[0]

    contents = [OLD]
    async with serve(rig.kind, rig.url, wrap=spoil) as desk:
        await desk.put("file", OLD)
        for number in range(6 if rig.kind.baud is None else 2):
            new = random.Random(number).randbytes(size)
            stored = await attempt(desk, lines[0], "file", new)
            contents = [new] if stored else [*contents, new]
            fetched = await attempt(desk, lines[0], "file", None)
            there = await desk.get("file")
            assert there in contents
            assert fetched in (None, there)
            contents = [there]
        await desk.put("file", b"and on")
        assert await desk.get("file") == b"and on"
        await at_last(desk)


class OneFault(SlowLine):
    """A line that damages one byte: the one that completes `target` for the `nth` time after `nth` was set.

    Attributes:
        nth: how often `target` has to come until the fault; 0 for never (again).
    """

    def __init__(self, inner: ByteStream, target: bytes, *, to_board: bool, instead: bytes) -> None:
        super().__init__(inner, 115_200)
        self.nth = 0
        self._target = target
        self._to_board = to_board
        self._instead = instead
        self._recent = b""

    def _damage(self, data: bytes) -> bytes:
        damaged = bytearray()
        for byte in data:
            self._recent = (self._recent + bytes((byte,)))[-len(self._target) :]
            damaged.append(byte)
            if self.nth and self._recent == self._target:
                self.nth -= 1
                if not self.nth:
                    damaged[-1:] = self._instead
        return bytes(damaged)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        data = b""
        while not data:
            data = await self.inner.receive(max_bytes)
            if not self._to_board:
                data = self._damage(data)
        return data

    async def send(self, data: bytes) -> None:
        await self.inner.send(self._damage(data) if self._to_board else data)


@pytest.mark.parametrize("instead", [b"", b"\x06\x06"], ids=["lost", "doubled"])
@pytest.mark.kinds.with_args(lambda kind: kind.is_wire and kind.baud is None and kind.files_stop_programs)
@in_loop
async def test_a_damaged_answer_to_a_block(rig: Rig, instead: bytes) -> None:
    lines: list[OneFault] = []

    def spoil(stream: ByteStream) -> OneFault:
        lines.append(OneFault(stream, b"\x06", to_board=False, instead=instead))
        return lines[0]

    data = random.Random(3).randbytes(25_000)
    async with serve(rig.kind, rig.url, wrap=spoil) as desk:
        await desk.put("file", OLD)
        lines[0].nth = 4
        try:
            await desk.put("file", data)
            stored = True
        except (BoardError, RemoteProtocolError):
            stored = False
        assert lines[0].nth == 0
        await at_last(desk)
        there = await desk.get("file")
        assert there == data or (not stored and there == OLD)
        assert await desk.files() == ["file"]


@pytest.mark.parametrize("instead", [b"", b"d", b"ee"], ids=["lost", "other", "doubled"])
@pytest.mark.kinds.with_args(lambda kind: kind.is_wire)
@in_loop
async def test_a_damaged_name(rig: Rig, instead: bytes) -> None:
    lines: list[OneFault] = []

    def spoil(stream: ByteStream) -> OneFault:
        lines.append(OneFault(stream, b"'file", to_board=True, instead=instead))
        return lines[0]

    async with serve(rig.kind, rig.url, wrap=spoil) as desk:
        await desk.put("file", OLD)
        lines[0].nth = 1
        try:
            await desk.put("file", b"new")
            expected = b"new"
        except (BoardError, RemoteProtocolError):
            expected = OLD
        await at_last(desk)
        assert await desk.get("file") == expected
        assert "file" in await desk.files()


class PulledLine(SlowLine):
    """A line that can be pulled.

    Attributes:
        is_pulled: whether it is.
    """

    is_pulled = False

    async def receive(self, max_bytes: int = 65536) -> bytes:
        while True:
            data = await self.inner.receive(max_bytes)
            if not self.is_pulled:
                return data

    async def send(self, data: bytes) -> None:
        if not self.is_pulled:
            await self.inner.send(data)


@pytest.mark.kinds.with_args(lambda kind: kind.files_beside_programs)
@in_loop
async def test_a_wire_that_is_pulled_and_put_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webrepl_bridge.boards.link_wire.KEEPALIVE_MS", 400)
    monkeypatch.setattr("webrepl_bridge.boards.link_wire.SILENCE_MS", 1000)
    lines: list[PulledLine] = []

    def wrap(stream: ByteStream) -> PulledLine:
        lines.append(PulledLine(stream, 115_200))
        return lines[0]

    async def pull(desk: Desk) -> None:
        lines[0].is_pulled = True
        await desk.notice("silent")
        lines[0].is_pulled = False
        await desk.notice("is back")
        desk.notices.clear()

    data = random.Random(3).randbytes(12_000)
    async with serve(rig.kind, rig.url, wrap=wrap) as desk, asyncio.TaskGroup() as tasks:
        async with desk.board.put("file", len(data)) as writer:
            await writer.write(data[:5000])
            pulling = tasks.create_task(pull(desk))
            await writer.write(data[5000:])
            await writer.finish()
            await pulling
        async with desk.board.get("file") as reader:
            fetched = await reader.read()
            pulling = tasks.create_task(pull(desk))
            while piece := await reader.read():
                fetched += piece
            await pulling
        assert fetched == data
        assert not desk.notices  # that the board has started anew, say
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.files_beside_programs)
@in_loop
async def test_a_reset_in_the_middle_of_a_put(rig: Rig) -> None:
    data = random.Random(4).randbytes(12_000)
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("file", OLD)
        async with desk.board.put("file", len(data)) as writer:
            await writer.write(data[:9000])
            await desk.type("\x04")
            await desk.expect("MicroPython ")
            await desk.expect(">>> ")
            await writer.write(data[9000:])
            await writer.finish()
        assert await desk.get("file") == data
        assert await desk.files() == ["file"]
