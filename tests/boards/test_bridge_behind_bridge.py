"""A bridge whose board is another bridge's address for tools."""

from __future__ import annotations

import asyncio
import random
import sys

import pytest

from board_kit.ser2net import free_port
from board_kit.unix_vm import UnixVM
from clients.official import TEXT, OfficialClient
from running_command import command

TIMEOUT_S = 30


@pytest.mark.skipif(sys.platform == "win32", reason="the unix VM")
@pytest.mark.parametrize(("scheme", "option"), [("rfc2217", "--rfc2217"), ("tcp", "--tcp")])
def test_serves_the_board_behind_both(scheme: str, option: str, unix_vm: UnixVM) -> None:
    data = random.Random(2).randbytes(5000)
    with (
        free_port() as port,
        command("--serial", unix_vm.device, option, f"127.0.0.1:{port}"),
        command("--serial", f"{scheme}://127.0.0.1:{port}") as (_, bridge_port),
    ):

        async def use() -> None:
            async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect("127.0.0.1", bridge_port) as client:
                await client.login("secret")
                await client.read_text_until("WebREPL connected\r\n>>> ")
                await client.put_file("data.bin", data)
                assert await client.get_file("data.bin") == data
                await client.send_frame(b"print(6*7)\r", TEXT)
                await client.read_text_until("42\r\n>>> ")

        asyncio.run(use())
    assert (unix_vm.folder / "data.bin").read_bytes() == data
