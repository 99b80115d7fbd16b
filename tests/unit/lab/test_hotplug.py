"""Hints that ports have come or gone, from inotify and from looking."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from webrepl_bridge.lab import hotplug
from webrepl_bridge.lab.hotplug import PortWatch
from webrepl_transports import PortKind, SerialPort


def watching(test: Callable[[PortWatch], Awaitable[None]]) -> None:
    async def run() -> None:
        ports = PortWatch()
        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(ports.run())
            await asyncio.sleep(0)
            await test(ports)
            watch.cancel()

    asyncio.run(run())


@pytest.fixture(params=["inotify", "polling"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How changes are noticed."""
    if request.param == "polling":
        monkeypatch.setattr(hotplug, "POLL_S", 0.01)
        monkeypatch.setattr(hotplug, "_open_inotify", lambda stack: None)
    elif sys.platform != "linux":
        pytest.skip("inotify is Linux's")
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_a_device_that_comes_and_goes(tmp_path: Path) -> None:
    async def test(ports: PortWatch) -> None:
        device = tmp_path / "ttyUSB0"
        ports.follow(str(device))
        for step in (device.touch, device.unlink):
            waiting = asyncio.create_task(ports.change(ports.changes))
            await asyncio.sleep(0)
            seen = device.exists()
            step()
            await waiting
            while device.exists() == seen:
                await ports.change(ports.changes)

    watching(test)


@pytest.mark.usefixtures("way")
def test_a_device_in_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    async def test(ports: PortWatch) -> None:
        device = tmp_path / "serial" / "by-id" / "lab1"
        ports.follow(str(device))
        for step in (device.parent.parent.mkdir, device.parent.mkdir, device.touch):
            seen = ports.changes
            step()
            await ports.change(seen)
            ports.follow(str(device))

    watching(test)


def test_what_happened_between_looking_and_waiting_is_not_missed(tmp_path: Path) -> None:
    async def test(ports: PortWatch) -> None:
        ports.follow(str(tmp_path / "ttyUSB0"))
        seen = ports.changes
        (tmp_path / "ttyUSB0").touch()
        while ports.changes == seen:
            await ports.change(seen)
        await ports.change(seen)

    watching(test)


def test_a_change_is_told_again_when_udev_must_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("inotify is Linux's")
    monkeypatch.setattr(hotplug, "SETTLE_S", (0.01, 0.02))

    async def test(ports: PortWatch) -> None:
        ports.follow(str(tmp_path / "ttyUSB0"))
        seen = ports.changes
        (tmp_path / "ttyUSB0").touch()
        for count in range(1, 4):
            while ports.changes < seen + count:
                await ports.change(ports.changes)

    watching(test)


def test_without_anybody_waiting_nothing_is_polled(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []
    monkeypatch.setattr(hotplug, "POLL_S", 0.0)
    monkeypatch.setattr(hotplug, "_open_inotify", lambda stack: None)
    monkeypatch.setattr(hotplug, "list_ports", lambda: looked.append(1) or [])

    async def test(ports: PortWatch) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        assert not looked
        await ports.change(ports.changes)
        assert looked

    watching(test)


def test_who_asks_at_the_same_time_shares_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []

    def look() -> list[SerialPort]:
        looked.append(1)
        return [SerialPort(f"/dev/ttyACM{len(looked)}", "a board", PortKind.BOARD)]

    monkeypatch.setattr(hotplug, "list_ports", look)

    async def test(ports: PortWatch) -> None:
        answers = await asyncio.gather(*(ports.ports() for _ in range(50)))
        assert len(looked) == 2  # one for the first who asked, one for those who asked meanwhile
        assert answers[-1][0].device == "/dev/ttyACM2"
        assert (await ports.ports())[0].device == "/dev/ttyACM3"

    asyncio.run(test(PortWatch()))
