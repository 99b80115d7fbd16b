"""Files and the terminal over HTTP, on a real MicroPython: together, and beside WebREPL clients."""

from __future__ import annotations

import asyncio
import base64
import http.client

from websockets.asyncio.client import ClientConnection, connect

from board_kit.unix_vm import UnixVM
from clients.official import TEXT
from lab_kit import ANYWHERE, PASSWORD, bridging, evaluate, run
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.plan import LabPlan

KNOWN = {"Authorization": "Basic " + base64.b64encode(f":{PASSWORD}".encode()).decode()}


async def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    def talk() -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            connection.request(method, path, body, KNOWN)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    return await asyncio.to_thread(talk)


async def read_until(client: ClientConnection, end: str) -> str:
    text = ""
    while end not in text:
        text += str(await client.recv())
    return text


def test_a_line_is_typed_while_files_come_and_go(unix_vm: UnixVM) -> None:
    async def test() -> None:
        plan = LabPlan({"lab1": BoardOptions(unix_vm.device)}, (ANYWHERE,), PASSWORD)
        async with bridging(plan) as bridge, bridge.client() as other:
            assert await evaluate(other, "6 * 7") == "42"
            url = f"ws://127.0.0.1:{bridge.port}/lab1/cp/serial/"
            async with connect(url, additional_headers=KNOWN, compression=None) as terminal:
                await terminal.send("21 ")
                await other.read_text_until("21 ")
                bodies = [bytes([number]) * 5000 for number in range(8)]
                puts = [ask(bridge.port, "PUT", "/lab1/fs/x", body) for body in bodies]
                assert sorted(status for status, _ in await asyncio.gather(*puts)) == [201, *[204] * 7]
                assert (await ask(bridge.port, "GET", "/lab1/fs/x"))[1] in bodies
                await terminal.send("* 3\r")
                assert "21 * 3\r\n63\r\n" in await read_until(terminal, "63\r\n>>> ")
                await other.read_text_until("* 3\r\n63\r\n>>> ")

    run(test())


def test_a_file_interrupts_a_program(unix_vm: UnixVM) -> None:
    async def test() -> None:
        plan = LabPlan({"lab1": BoardOptions(unix_vm.device)}, (ANYWHERE,), PASSWORD)
        async with bridging(plan) as bridge, bridge.client() as client:
            assert await evaluate(client, "6 * 7") == "42"
            await client.send_frame(b"import time; print('begun'); time.sleep(100)\r", TEXT)
            await client.read_text_until("\nbegun\r\n")
            assert await ask(bridge.port, "PUT", "/lab1/fs/x", b"x") == (201, b"")
            await client.read_text_until("interrupting the program for a file operation")

    run(test())
