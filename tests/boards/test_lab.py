"""Several boards in one bridge: paths, addresses, a configuration that changes, boards that are found."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from serial.tools import list_ports as pyserial_list_ports
from serial.tools.list_ports_common import ListPortInfo
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from board_kit.cable import Cable
from lab_kit import ANYWHERE, PASSWORD, bridging, end_of, evaluate, run, until
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.config import ConfigError
from webrepl_bridge.lab import hotplug
from webrepl_bridge.lab.plan import LabPlan, Listener


@asynccontextmanager
async def cables(folder: Path, *names: str) -> AsyncIterator[list[Cable]]:
    """Boards that are plugged in."""
    async with AsyncExitStack() as stack:
        plugged = [await stack.enter_async_context(Cable(folder, name)) for name in names]
        for cable in plugged:
            await cable.plug_in()
        yield plugged


def plan_for(*boards: Cable) -> LabPlan:
    return LabPlan(
        {f"lab{board.device.name[-1]}": BoardOptions(str(board.device)) for board in boards}, (ANYWHERE,), PASSWORD
    )


def test_each_board_has_a_path_and_may_have_an_address(tmp_path: Path) -> None:
    async def test() -> None:
        async with cables(tmp_path, "tty1", "tty2") as (first, second):
            (first.files / "who").write_text("first")
            (second.files / "who").write_text("second")
            plan = replace(plan_for(first, second), board_listen={"lab2": ("127.0.0.1:0",)})
            async with bridging(plan) as bridge:
                own = bridge.ports[Listener("127.0.0.1:0", "lab2")]
                for path, port, expected in (
                    ("/lab1", None, b"first"),
                    ("/lab2", None, b"second"),
                    ("/", own, b"second"),
                    ("/lab1", own, b"first"),
                ):
                    async with bridge.client(path, port) as client:
                        assert await client.get_file("who") == expected

    run(test())


def test_what_is_at_the_root_of_several(tmp_path: Path) -> None:
    async def test() -> None:
        async with cables(tmp_path, "tty1", "tty2") as boards:
            async with bridging(plan_for(*boards)) as bridge:
                with pytest.raises(InvalidStatus) as caught:
                    await connect(f"ws://127.0.0.1:{bridge.port}/")
                assert caught.value.response.status_code == 404
                assert b"/lab1, /lab2" in caught.value.response.body
            (boards[1].files / "who").write_text("second")
            async with bridging(replace(plan_for(*boards), default="lab2")) as bridge, bridge.client() as client:
                assert await client.get_file("who") == b"second"

    run(test())


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP")
def test_a_new_configuration_leaves_alone_what_has_not_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with cables(tmp_path, "tty1", "tty2", "tty3") as (first, second, third):
            before = replace(plan_for(first, second), board_listen={"lab2": ("127.0.0.2:0",)})
            after = replace(plan_for(first, third), board_listen={"lab3": ("127.0.0.3:0",)})
            plans: list[LabPlan | ConfigError] = [ConfigError("lab.toml:7: it is wrong"), after, moved(after, second)]

            def reload() -> LabPlan:
                plan = plans.pop(0)
                if isinstance(plan, ConfigError):
                    raise plan
                return plan

            async with bridging(before, reload) as bridge, bridge.client("/lab1") as client:
                async with bridge.client("/lab2") as leaving:
                    assert await evaluate(client, "x = 42") == ""
                    os.kill(os.getpid(), signal.SIGHUP)
                    await until(lambda: "it is wrong" in caplog.text)
                    os.kill(os.getpid(), signal.SIGHUP)
                    code, reason = await end_of(leaving)
                    assert (code, reason) == (1001, "this board is no longer served")
                await until(lambda: "read anew" in caplog.text)
                assert list(bridge.lab.sessions) == ["lab1", "lab3"]
                assert {listener.board for listener in bridge.ports} == {"", "lab3"}
                await until(lambda: bridge.lab.sessions["lab3"].board is not None)
                async with bridge.client("/lab3") as new:
                    assert await evaluate(new, "6 * 7") == "42"
                    assert await evaluate(client, "x") == "42"
                    os.kill(os.getpid(), signal.SIGHUP)
                    await new.read_text_until("[lab3: disconnected]\r\n")
                    await new.read_text_until("[lab3: back]\r\n")
                assert await evaluate(client, "x") == "42"
                assert "disconnected" not in client.text

    with caplog.at_level(logging.INFO):
        run(test())


def moved(plan: LabPlan, to: Cable) -> LabPlan:
    return replace(plan, boards={**plan.boards, "lab3": BoardOptions(str(to.device))})


class Usb:
    """What pySerial lists: MicroPython boards on cables, with serial numbers."""

    def __init__(self) -> None:
        self.numbers: dict[Cable, str] = {}

    def comports(self) -> list[ListPortInfo]:
        ports = []
        for cable, number in self.numbers.items():
            if cable.device.exists():
                port = ListPortInfo(str(cable.device))
                port.vid, port.pid, port.serial_number = 0x2E8A, 0x0005, number
                ports.append(port)
        return ports


@pytest.fixture
def usb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Usb:
    usb = Usb()
    monkeypatch.setattr(pyserial_list_ports, "comports", usb.comports)
    monkeypatch.setattr(hotplug, "DEVICES", str(tmp_path / "dev"))
    return usb


def test_every_board_that_appears_is_served_by_its_serial_number(tmp_path: Path, usb: Usb) -> None:
    async def test() -> None:
        async with cables(tmp_path, "tty1", "tty2", "tty3") as (named, found, elsewhere):
            usb.numbers = {named: "E66038B7AA", found: "E66038B7BB", elsewhere: "E66038B7CC"}
            await elsewhere.pull()
            plan = replace(plan_for(named), auto=BoardOptions("auto"))
            async with bridging(plan) as bridge:
                sessions = bridge.lab.sessions
                await until(lambda: list(sessions) == ["lab1", "E66038B7BB"])
                async with bridge.client("/E66038B7BB") as client:
                    await until(lambda: sessions["E66038B7BB"].board is not None)
                    assert await evaluate(client, "6 * 7") == "42"
                    await found.pull()
                    await client.read_text_until("[E66038B7BB: disconnected]\r\n")
                    usb.numbers = {named: "E66038B7AA", elsewhere: "E66038B7BB"}
                    await elsewhere.plug_in()  # another hub, another device
                    await client.read_text_until("[E66038B7BB: back]\r\n")
                    assert await evaluate(client, "6 * 7") == "42"
                await until(lambda: not sessions["E66038B7BB"].clients)
                await elsewhere.pull()
                await until(lambda: list(sessions) == ["lab1"])

    run(test())


def test_a_board_on_a_known_port_is_followed(tmp_path: Path, usb: Usb) -> None:
    async def test() -> None:
        async with cables(tmp_path, "tty1", "tty2") as (here, there):
            usb.numbers = {here: "E66038B7AA", there: "E66038B7BB"}
            await there.pull()
            async with bridging(plan_for(here)) as bridge, bridge.client() as client:
                await here.pull()
                await client.read_text_until("[lab1: disconnected]\r\n")
                usb.numbers = {there: "E66038B7AA"}
                await there.plug_in()
                await client.read_text_until("[lab1: back]\r\n")
                assert await evaluate(client, "6 * 7") == "42"

    run(test())
