"""The command as a process of its own: how it starts, stops, and fails."""

from __future__ import annotations

import asyncio
import signal
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from board_kit.pico import PicoKind, run_pico
from board_kit.repl import open_repl
from clients.official import PUT_FILE, OfficialClient, request
from running_command import command

if TYPE_CHECKING:
    from board_kit.unix_vm import UnixVM

TIMEOUT_S = 30


async def see_prompt(port: int) -> None:
    async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect("127.0.0.1", port) as client:
        await client.login("secret")
        await client.read_text_until("WebREPL connected\r\n>>> ")


@pytest.mark.skipif(sys.platform == "win32", reason="the demo needs a pty")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_and_stops_when_asked(number: signal.Signals) -> None:
    with command("--demo") as (process, port):
        asyncio.run(see_prompt(port))
        process.send_signal(number)
        assert process.wait(TIMEOUT_S) == 0


def test_a_taken_port_is_one_line(unix_vm: UnixVM) -> None:
    with command("--demo") as (_, port):
        refused = subprocess.run(
            [sys.executable, "-m", "webrepl_bridge", "--serial", unix_vm.device, "--listen", f"127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"port {port} is in use" in refused.stderr


@pytest.mark.pico
def test_a_bridge_that_is_stopped_in_mid_put_leaves_the_board_at_its_prompt() -> None:
    async def begin(port: int, process: subprocess.Popen[str]) -> None:
        async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect("127.0.0.1", port) as client:
            await client.login("secret")
            await client.send_frame(request(PUT_FILE, b"never.bin", 5000))
            while (frame := await client.read_frame())[1] != struct.pack("<2sH", b"WB", 0):
                pass
            assert frame
            await client.send_frame(bytes(2000))
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, TIMEOUT_S) == 0

    with run_pico(PicoKind("uart", lossy=True, slow_flash=True)) as pico:
        with command("--serial", pico.repl_url) as (process, port):
            asyncio.run(begin(port, process))
        with open_repl(pico.repl_url) as repl:
            assert repl.evaluate("1 + 1") == "2"
            assert repl.evaluate("__import__('os').listdir()") == "[]"
