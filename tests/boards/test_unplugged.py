"""A board that is pulled and plugged in again under its clients; MicroPython on a pty that comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from board_kit.cable import Cable
from clients.official import TEXT, OfficialClient, RefusedError, request
from lab_kit import ANYWHERE, BANNER_END, PASSWORD, bridging, evaluate, run
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.plan import LabPlan
from webrepl_bridge.serve import run_bridge
from webrepl_link.errors import OpenError

ENODEV = 19


def on_cable(folder: Path, test: Callable[[Cable], Awaitable[None]]) -> None:
    async def plugged() -> None:
        async with Cable(folder) as cable:
            await test(cable)

    run(plugged())


def plan_for(url: Path | str, *, required: bool = True) -> LabPlan:
    names = frozenset({"lab1"} if required else ())
    return LabPlan({"lab1": BoardOptions(str(url))}, (ANYWHERE,), PASSWORD, required=names)


async def see_banner(client: OfficialClient) -> None:
    await client.read_text_until(BANNER_END)


def test_clients_stay_and_go_on_when_the_board_is_back(tmp_path: Path) -> None:
    async def test(cable: Cable) -> None:
        await cable.plug_in()
        async with bridging(plan_for(cable.device)) as bridge, bridge.client() as client, bridge.client() as other:
            assert await evaluate(client, "6 * 7") == "42"
            for _ in range(3):
                await client.put_file("kept.txt", b"kept")
                await cable.pull()
                for one in (client, other):
                    await one.read_text_until("\r\n[lab1: disconnected]\r\n")
                await cable.plug_in()
                for one in (client, other):
                    await one.read_text_until("\r\n[lab1: back]\r\n")
                    await see_banner(one)
                assert await evaluate(client, "6 * 7") == "42"
                assert await other.get_file("kept.txt") == b"kept"

    on_cable(tmp_path, test)


def test_what_is_asked_of_a_board_that_is_not_there(tmp_path: Path) -> None:
    async def test(cable: Cable) -> None:
        await cable.plug_in()
        async with bridging(plan_for(cable.device)) as bridge, bridge.client() as client, bridge.client() as other:
            assert await evaluate(client, "6 * 7") == "42"
            await cable.pull()
            await client.read_text_until("[lab1: disconnected]\r\n")
            for _ in range(2):
                await client.send_frame(b"lost\r", TEXT)
            with pytest.raises(RefusedError, match=f"code {ENODEV}"):
                await client.put_file("a", b"x")
            with pytest.raises(RefusedError, match=f"code {ENODEV}"):
                await client.get_file("a")
            assert await client.get_ver() == (0, 0, 0)
            assert client.text == "\r\n[lab1: not connected: what you type is lost]\r\n"
            await cable.plug_in()
            seen = await other.read_text_until("[lab1: back]\r\n")
            assert "is lost" not in seen
            await see_banner(other)
            assert "lost" not in other.text

    on_cable(tmp_path, test)


@pytest.mark.parametrize("op", ["put", "get"])
def test_a_transfer_that_is_under_way_ends_with_an_error(op: str, tmp_path: Path) -> None:
    async def test(cable: Cable) -> None:
        (cable.files / "a").write_bytes(b"old" * 20_000)
        await cable.plug_in()
        async with bridging(plan_for(cable.device)) as bridge, bridge.client() as client:
            assert await evaluate(client, "6 * 7") == "42"
            await client.send_frame(request(1, b"a", 60_000) + bytes(30_000) if op == "put" else request(2, b"a"))
            assert await binary(client) == b"WB\0\0"
            if op == "get":
                await client.send_frame(b"\0")
                assert len(await binary(client)) > 2
            await cable.pull()
            await client.send_frame(bytes(30_000) if op == "put" else b"\0")
            reply = await binary(client)
            while op == "get" and reply != b"\0\0":  # what was on the way
                await client.send_frame(b"\0")
                reply = await binary(client)
            reply = await binary(client) if op == "get" else reply
            assert (reply[:2], reply[2:] != b"\0\0") == (b"WB", True)
            await cable.plug_in()
            await client.read_text_until("[lab1: back]\r\n")
            assert await client.get_file("a") == b"old" * 20_000

    on_cable(tmp_path, test)


async def binary(client: OfficialClient) -> bytes:
    """Read frames until a binary one."""
    while True:
        first_byte, payload = await client.read_frame()
        if first_byte != TEXT:
            return payload


def test_a_client_may_come_before_the_board(tmp_path: Path) -> None:
    async def test(cable: Cable) -> None:
        async with bridging(plan_for(cable.device, required=False)) as bridge, bridge.client() as client:
            await client.read_text_until("[lab1: not connected]\r\n")
            await cable.plug_in()
            await client.read_text_until("[lab1: connected]\r\n")
            await see_banner(client)
            assert await evaluate(client, "6 * 7") == "42"

    on_cable(tmp_path, test)


def test_a_board_that_is_not_there_at_the_start_ends_the_bridge(tmp_path: Path) -> None:
    async def test(cable: Cable) -> None:
        with pytest.raises(OpenError, match="there is no port"):
            await run_bridge(plan_for(cable.device), ready=print, stop=asyncio.Event())

    on_cable(tmp_path, test)


def test_waiting_mends_no_wrong_address(tmp_path: Path) -> None:
    async def test(_: Cable) -> None:
        for url in ("uart://auto?baud=fast", "hwgrp://pico"):
            with pytest.raises(OpenError):
                await run_bridge(plan_for(url, required=False), ready=print, stop=asyncio.Event())

    on_cable(tmp_path, test)
