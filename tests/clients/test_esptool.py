"""Real esptool, through the bridge, with an ESP32's boot loader, as far as that goes without a chip; and back again."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import serial

from clients.official import TEXT, OfficialClient
from esp import Esp
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.plan import Door, LabPlan, Listener
from webrepl_bridge.serve import run_bridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from webrepl_bridge.lab.lab import Lab

OFF, ON = False, True


@asynccontextmanager
async def watched(esp: Esp) -> AsyncIterator[tuple[OfficialClient, str]]:
    """Bridge `esp`; yields somebody who watches it, and its URL for tools."""
    webrepl, tools = Listener("127.0.0.1:0", ""), Listener("127.0.0.1:0", "", Door.RFC2217)
    ready: asyncio.Future[Mapping[Listener, int]] = asyncio.get_running_loop().create_future()

    def note(_: Lab, ports: Mapping[Listener, int]) -> None:
        ready.set_result(ports)

    stop = asyncio.Event()
    async with asyncio.timeout(90), esp.listen() as url, asyncio.TaskGroup() as tasks:
        plan = LabPlan({"esp": BoardOptions(url)}, (webrepl.address,), "secret", tools=(tools,))
        tasks.create_task(run_bridge(plan, ready=note, stop=stop))
        ports = await ready
        async with OfficialClient.connect("127.0.0.1", ports[webrepl]) as watcher:
            await watcher.login("secret")
            await watcher.send_frame(b"\r", TEXT)
            await watcher.read_text_until("\r\n>>> ")
            yield watcher, f"rfc2217://127.0.0.1:{ports[tools]}"
        stop.set()


async def sees_the_board_go_and_come(watcher: OfficialClient) -> None:
    await watcher.read_text_until("resets the board and has it alone until it leaves]")
    await watcher.read_text_until("[esp: disconnected]")
    await watcher.read_text_until("[esp: back]")
    await watcher.send_frame(b"1\r", TEXT)
    await watcher.read_text_until("1\r\n>>> ")


def test_esptool_speaks_to_the_boot_loader_and_gives_the_board_back() -> None:
    async def test() -> None:
        esp = Esp()
        async with watched(esp) as (watcher, url):
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "esptool", "--port", url, "--chip", "esp32", "--no-stub", "read-mem", "0x40001000"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            printed, _ = await process.communicate()
            assert process.returncode == 0, printed.decode()
            assert "0x00f01d83" in printed.decode()
            await sees_the_board_go_and_come(watcher)
        into_boot_loader, back = [(OFF, ON), (ON, OFF), (OFF, OFF)], [(OFF, ON), (OFF, OFF)]
        assert esp.lines[1:6] == into_boot_loader + back
        assert not esp.in_boot_loader

    asyncio.run(test())


@pytest.mark.filterwarnings("ignore:setDaemon", "ignore:setName")  # pySerial's
def test_a_tool_has_the_lines_from_its_first_reset_on_and_the_speed_with_them() -> None:
    def use(url: str, esp: Esp) -> None:
        with serial.serial_for_url(url, baudrate=9600, timeout=10) as port:
            port.write(b"2\r")
            port.read_until(b"2\r\n>>> ")
            port.rts = False
            port.dtr = False
            assert esp.lines == [(ON, ON)]
            assert esp.bauds == []
            port.rts = True  # a reset
            port.dtr = True  # would start the program: waits
            assert esp.lines[-1] == (OFF, ON)
            assert esp.bauds == [9600]
            port.rts = False
            assert esp.lines[-1] == (ON, OFF)
            port.baudrate = 74880
            assert esp.bauds == [9600, 74880]
            assert port.read_until(b"download\r\n") == b"waiting for download\r\n"

    async def test() -> None:
        esp = Esp()
        async with watched(esp) as (watcher, url):
            await asyncio.to_thread(use, url, esp)
            await watcher.read_text_until("[esp: back]")

    asyncio.run(test())
