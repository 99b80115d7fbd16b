"""What a keeper makes of boards that end, cannot be opened, or show a fault of ours."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from fake_opening import Opener
from lab_kit import until
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab import keeper as keeper_module
from webrepl_bridge.lab.hotplug import PortWatch
from webrepl_bridge.lab.keeper import Keeper
from webrepl_bridge.session import Session
from webrepl_link.errors import AddressError, BrokenError, OpenError

URL = "tcp://10.0.0.7:5000"


@pytest.fixture
def delays_s(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a keeper of a board on the network would have waited, each time."""
    delays: list[float] = []
    sleep = asyncio.sleep

    async def no_time(delay_s: float) -> None:
        if delay_s >= 0.25:  # the others are the test's own
            delays.append(delay_s)
        await sleep(0)

    monkeypatch.setattr(keeper_module.asyncio, "sleep", no_time)
    return delays


def keeping(test: Callable[[Keeper, Session], Awaitable[None]], *, required: bool = False) -> None:
    async def run() -> None:
        session = Session("lab1")
        keeper = Keeper(session, BoardOptions(URL), PortWatch(), required=required, chance=lambda: 1.0)
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            task = tasks.create_task(keeper.run())
            await test(keeper, session)
            task.cancel()

    asyncio.run(run())


def test_a_board_that_ends_is_opened_again(monkeypatch: pytest.MonkeyPatch, delays_s: list[float]) -> None:
    opener = Opener(monkeypatch)

    async def test(keeper: Keeper, session: Session) -> None:
        for number in range(1, 4):
            await until(lambda: len(opener.opened) == number and session.board is not None)  # noqa: B023
            assert keeper.failure is None
            opener.opened[-1][1].ending.set_result(BrokenError("it broke"))
        await until(lambda: len(opener.opened) == 4)
        assert delays_s[:3] == [0.5, 1.0, 2.0]
        assert (session.absence, session.counters.losses) == ("it broke", 3)

    keeping(test)
    assert not opener.is_open


def test_a_fault_of_ours_is_logged_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, delays_s: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    opener = Opener(monkeypatch)

    async def test(_: Keeper, session: Session) -> None:
        await until(lambda: session.board is not None)
        opener.opened[-1][1].ending.set_result(ZeroDivisionError("our fault"))
        await until(lambda: len(opener.opened) == 2 and session.board is not None)

    keeping(test)
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("required", [True, False])
def test_why_it_cannot_be_opened_is_logged_once(
    required: bool, monkeypatch: pytest.MonkeyPatch, delays_s: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    opener = Opener(monkeypatch)
    opener.refusal = OpenError("nothing listens")

    async def test(keeper: Keeper, session: Session) -> None:
        await keeper.tried.wait()
        assert keeper.failure is opener.refusal
        assert keeper.description == "not there yet: nothing listens"
        await until(lambda: len(delays_s) > 8)
        assert delays_s[5:8] == [16.0, 30.0, 30.0]
        opener.refusal = None
        await until(lambda: session.board is not None)
        assert keeper.description == "a board"

    with caplog.at_level(logging.WARNING):
        keeping(test, required=required)
    assert caplog.text.count("nothing listens") == (0 if required else 1)


def test_an_address_that_is_wrong_is_said_at_once() -> None:
    async def test() -> None:
        with pytest.raises(AddressError):
            Keeper(Session("lab1"), BoardOptions("uart://COM1?baud=fast"), PortWatch())

    asyncio.run(test())


@pytest.mark.parametrize("url", ["auto", "id:E66038B713", "COM3"])
def test_a_file_that_is_called_like_a_port_is_none(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / url).touch()

    async def test() -> None:
        ports = PortWatch()
        monkeypatch.setattr(ports, "follow", pytest.fail)
        keeper = Keeper(Session("lab1"), BoardOptions(url), ports)
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            watching, task = tasks.create_task(ports.run()), tasks.create_task(keeper.run())
            await keeper.tried.wait()
            await until(lambda: ports._waiting > 0)  # not for a moment only: for ports to change
            for running in (watching, task):
                running.cancel()

    asyncio.run(test())
