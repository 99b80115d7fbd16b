"""Commands that ask a running bridge: what they do to a real MicroPython, and to an ESP's lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

from click.testing import CliRunner, Result

from board_kit.unix_vm import UnixVM
from clients.official import TEXT, OfficialClient
from esp import Esp
from lab_kit import ANYWHERE, PASSWORD, RunningLab, bridging, evaluate, run, until
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.cli import cli
from webrepl_bridge.lab.plan import LabPlan


def controlling(url: str, test: Callable[[RunningLab, OfficialClient], Awaitable[None]], **changes: object) -> None:
    async def serve() -> None:
        plan = LabPlan({"lab1": BoardOptions(url)}, (ANYWHERE,), PASSWORD)
        async with bridging(replace(plan, **changes)) as bridge, bridge.client() as client:  # type: ignore[arg-type]
            await test(bridge, client)

    run(serve())


async def command(bridge: RunningLab, *arguments: str, password: str = PASSWORD) -> Result:
    url = f"http://127.0.0.1:{bridge.port}"
    where = ["--url", url, "--password", password] if password else ["--url", url]
    return await asyncio.to_thread(CliRunner(env={"WEBREPL_PASSWORD": None}).invoke, cli, [*arguments, *where])


async def done(bridge: RunningLab, *arguments: str) -> str:
    result = await command(bridge, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_interrupting_and_resetting(unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, client: OfficialClient) -> None:
        assert await evaluate(client, "mark = 1") == ""
        await client.send_frame(b"import time; print('begun'); time.sleep(100)\r", TEXT)
        await client.read_text_until("\nbegun\r\n")
        await done(bridge, "interrupt", "lab1")
        await client.read_text_until("[lab1: interrupt, by 127.0.0.1]\r\n")
        await client.read_text_until("KeyboardInterrupt")
        assert await evaluate(client, "mark") == "1"
        await done(bridge, "reset", "lab1")
        await client.read_text_until("soft reboot\r\n")
        await client.read_text_until(">>> ")
        assert "NameError" in await evaluate(client, "mark")

    controlling(unix_vm.device, test)


def test_a_reset_goes_before_whoever_has_the_repl(unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, client: OfficialClient) -> None:
        async with bridge.client() as tool:
            await tool.send_frame(b"\x01import time\ntime.sleep(100)\x04", TEXT)
            await tool.read_text_until("OK")
            said = json.loads(await done(bridge, "boards", "--json"))["boards"][0]
            assert (said["mode"], said["holder"]) == ("raw-running", "127.0.0.1#2")
            await done(bridge, "reset", "lab1")
            await client.read_text_until("soft reboot\r\n")
            await client.read_text_until(">>> ")
            assert await evaluate(client, "6 * 7") == "42"
            await tool.read_text_until("the REPL has been taken from you: Ctrl-C begins anew]")

    controlling(unix_vm.device, test)


def test_the_boards_in_a_table(unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, client: OfficialClient) -> None:
        assert await evaluate(client, "6 * 7") == "42"
        said = await done(bridge, "boards")
        for cell in ("lab1", "prompt", "127.0.0.1#1"):
            assert cell in said
        assert "lab1" in (await command(bridge, "boards", password="")).output

    controlling(unix_vm.device, test)


def test_what_fails_is_one_line(unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, _: OfficialClient) -> None:
        for arguments, password, said in (
            (["reset", "lab2"], PASSWORD, "there is no board lab2"),
            (["reset", "lab1"], "wrong", "wrong password"),
            (["reset", "lab1"], "", "this needs the password"),
        ):
            result = await command(bridge, *arguments, password=password)
            assert result.exit_code == 1
            assert result.output.startswith(f"webrepl-bridge: {said}")
            assert result.output.count("\n") == 1

    controlling(unix_vm.device, test)
    nobody = CliRunner().invoke(cli, ["boards", "--url", "http://127.0.0.1:1"])
    assert (nobody.exit_code, nobody.output.count("\n")) == (1, 1)
    assert "no bridge answers at http://127.0.0.1:1: Connection refused" in nobody.output
    assert CliRunner().invoke(cli, ["boards", "--url", "localhost"]).exit_code == 2


def test_an_esp_is_reset_by_its_lines() -> None:
    async def test() -> None:
        esp = Esp()
        async with esp.listen() as url:
            plan = LabPlan({"lab1": BoardOptions(url)}, (ANYWHERE,), PASSWORD)
            async with bridging(plan) as bridge, bridge.client() as client:
                await until(lambda: bridge.lab.sessions["lab1"].board is not None)
                await done(bridge, "reset", "lab1", "--hard")
                await client.read_text_until("[lab1: hard-reset, by 127.0.0.1]")
                await client.read_text_until("ESP32 module")
                assert not esp.in_boot_loader
                await done(bridge, "bootloader", "lab1")
                await client.read_text_until("waiting for download")
                assert esp.in_boot_loader
                assert esp.lines[-1] == (True, True)

    run(test())
