"""Boards that come by themselves, beside those that the lab opens."""

from __future__ import annotations

import asyncio

from board_kinds import in_loop
from fake_board import FakeBoard
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.lab import ABSENT_MAX, Lab
from webrepl_bridge.lab.plan import LabPlan

NOWHERE = BoardOptions("tcp://127.0.0.1:1")


@in_loop
async def test_a_name_is_one_board() -> None:
    lab = Lab()
    async with lab.run():
        session = lab.admit("kitchen")
        assert session is not None
        assert lab.admit("kitchen") is session
        assert lab.default == "kitchen"
        await lab.apply(LabPlan({"bench": NOWHERE}, (), "secret"))
        assert lab.admit("bench") is None
        assert lab.admit("kitchen") is session


@in_loop
async def test_the_operators_boards_come_first() -> None:
    lab = Lab()
    async with lab.run():
        session = lab.admit("kitchen")
        assert session is not None
        with session.attach("here") as client:
            await lab.apply(LabPlan({"kitchen": NOWHERE}, (), "secret"))
            assert lab.sessions["kitchen"] is not session
            assert lab.admit("kitchen") is None
            assert "another board has this name now" in await the_end_of(client)


async def the_end_of(client: object) -> str:
    try:
        async with asyncio.timeout(10):
            while True:
                await client.receive()  # type: ignore[attr-defined]
    except Exception as error:
        return str(error)


@in_loop
async def test_those_that_are_gone_and_not_waited_for_are_forgotten_in_the_end() -> None:
    lab = Lab()
    async with lab.run():
        await lab.apply(LabPlan({"bench": NOWHERE}, (), "secret"))
        present, waited_for = lab.admit("present"), lab.admit("waited-for")
        assert present is not None
        assert waited_for is not None
        with present.serve(FakeBoard()), waited_for.attach("here"):
            for number in range(3 * ABSENT_MAX):
                lab.admit(f"b{number}")
                assert len(lab.sessions) <= ABSENT_MAX + 4
            assert {"bench", "present", "waited-for"} <= lab.sessions.keys()
