"""Transfers that are given up, or whose bridge dies: the board is back at its prompt and the old file as it was."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from board_kinds import Desk, Kind, in_loop, serve
from contract.conftest import Rig
from webrepl_link.errors import TransportError
from webrepl_transports import ByteStream

OLD = b"the old file"
SOON_S = 10


class GiveUpError(Exception):
    """Somebody has lost interest."""


def some_bytes(kind: Kind) -> bytes:
    return random.Random(7).randbytes(min(5_000, kind.large_bytes // 3))


async def put_until(desk: Desk, data: bytes, sent_bytes: int) -> None:
    async with desk.board.put("file", len(data)) as writer:
        await writer.write(data[:sent_bytes])
        raise GiveUpError


async def get_until(desk: Desk, wanted_bytes: int) -> None:
    async with desk.board.get("file") as reader:
        while wanted_bytes > 0:
            wanted_bytes -= len(await reader.read())
        raise GiveUpError


async def check_undisturbed(desk: Desk, content: bytes) -> None:
    """Check that the board is where it was, soon: half-typed line, files and content."""
    await desk.type("2)\r")
    await desk.expect("\r\n2\r\n>>> ", SOON_S)
    assert await desk.files() == ["file"]
    assert await desk.get("file") == content
    await desk.put("file", b"and on")
    assert await desk.get("file") == b"and on"


@in_loop
async def test_a_put_that_is_left(rig: Rig) -> None:
    data = some_bytes(rig.kind)
    async with serve(rig.kind, rig.url) as desk:
        for part in (0.0, 0.5, 0.999):
            await desk.put("file", OLD)
            await desk.type("print(")
            with pytest.raises(GiveUpError):
                await put_until(desk, data, int(len(data) * part))
            await check_undisturbed(desk, OLD)


@in_loop
async def test_a_put_that_is_left_with_all_sent_and_unfinished(rig: Rig) -> None:
    data = some_bytes(rig.kind)
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("file", OLD)
        with pytest.raises(GiveUpError):
            await put_until(desk, data, len(data))
        assert await desk.get("file") in (OLD, data)
        assert await desk.files() == ["file"]


@in_loop
async def test_a_get_that_is_left(rig: Rig) -> None:
    data = some_bytes(rig.kind)
    async with serve(rig.kind, rig.url) as desk:
        for part in (0.0, 1.0):
            await desk.put("file", data)
            await desk.type("print(")
            with pytest.raises(GiveUpError):
                await get_until(desk, int(len(data) * part))
            await check_undisturbed(desk, data)


@pytest.mark.parametrize("direction", ["put", "get"])
@in_loop
async def test_a_transfer_that_is_cancelled_anywhere(rig: Rig, direction: str) -> None:
    chance = random.Random(direction)
    old, new = some_bytes(rig.kind), some_bytes(rig.kind)[::-1]
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("file", old)
        whole_s = 0.03 if rig.kind.baud is None else 1.0
        for _ in range(12 if rig.kind.baud is None else 4):
            with suppress(TimeoutError):
                async with asyncio.timeout(chance.random() * whole_s):
                    if direction == "put":
                        await desk.put("file", new)
                    else:
                        await desk.get("file")
            assert await desk.files() == ["file"]
            assert await desk.get("file") in (old, new)
        await desk.at_prompt()


@in_loop
async def test_nobody_waits_for_the_turn_of_one_who_has_left(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        async with desk.board.put("file", 5) as writer:
            waiting = asyncio.create_task(desk.put("other", b"never"))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            await writer.write(b"there")
            await writer.finish()
        assert await desk.files() == ["file"]


async def cut_in_mid_put(desk: Desk, data: bytes, wire: ByteStream) -> None:
    async with desk.board.put("file", len(data)) as writer:
        await writer.write(data[: len(data) // 2])
        await wire.aclose()
        await writer.write(data[len(data) // 2 :])


async def cut_in_mid_get(desk: Desk, data: bytes, wire: ByteStream) -> None:
    async with desk.board.get("file") as reader:
        await reader.read()
        await wire.aclose()
        while await reader.read():
            pass


@pytest.mark.parametrize("cut_in_the_middle", [cut_in_mid_put, cut_in_mid_get])
@pytest.mark.kinds.with_args(lambda kind: kind.is_wire)
@in_loop
async def test_a_bridge_that_dies_in_the_middle(
    rig: Rig, cut_in_the_middle: Callable[[Desk, bytes, ByteStream], Coroutine[Any, Any, None]]
) -> None:
    data = some_bytes(rig.kind)
    wires: list[ByteStream] = []

    def keep(stream: ByteStream) -> ByteStream:
        wires.append(stream)
        return stream

    async with serve(rig.kind, rig.url, wrap=keep) as desk:
        await desk.put("file", data)
        with pytest.raises(TransportError):
            await cut_in_the_middle(desk, data, wires[0])
        with pytest.raises(TransportError):
            await desk.put("file", data)
        with pytest.raises(TransportError):
            await desk.get("file")

    async with serve(rig.kind, rig.url, wait=False) as desk:
        assert await desk.get("file") == data
        await desk.put("new", b"new")
        assert await desk.get("new") == b"new"
        await desk.at_prompt()
