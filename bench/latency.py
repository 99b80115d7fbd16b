"""How quick the terminal is: key to echo, start to prompt; and what the bridge costs when nothing happens."""

from __future__ import annotations

import asyncio
import time
from statistics import median

from board_kit.pico import PicoKind, run_pico
from clients.official import TEXT, OfficialClient

from .boards_and_bridges import PASSWORD, bridge_on

KEYS = 200
KEYS_A_LINE = 40
IDLE_S = 5


def main(rounds: int) -> None:
    """Print the figures."""
    print("Keystroke to echo, emulated Pico, UART at 115200 baud; start; idle")
    with run_pico(PicoKind("uart", lossy=True)) as pico:
        direct_ms, bridged_ms, first_prompt_s, idle_cpu = [], [], [], []
        for _ in range(rounds):
            host, port = pico.repl_url.removeprefix("socket://").split(":")
            direct_ms += asyncio.run(_direct(host, int(port)))
            with bridge_on(pico.repl_url) as bridge:
                first_prompt_s.append(asyncio.run(_first_prompt(bridge.port)) - bridge.started_s)
                bridged_ms += asyncio.run(_bridged(bridge.port))
                before_s = bridge.cpu_s()
                time.sleep(IDLE_S)
                idle_cpu.append((bridge.cpu_s() - before_s) / IDLE_S)
    print(f"  direct                    {median(direct_ms):8.2f} ms")
    print(f"  through the bridge        {median(bridged_ms):8.2f} ms")
    print(f"  added                     {median(bridged_ms) - median(direct_ms):8.2f} ms")
    print(f"  start to first prompt     {median(first_prompt_s):8.2f} s")
    print(f"  idle, of one core         {100 * median(idle_cpu):8.2f} %")


async def _direct(host: str, port: int) -> list[float]:
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"\x03")
    await reader.readuntil(b">>> ")
    echoes_ms = []
    for number in range(KEYS):
        started_s = time.perf_counter()
        writer.write(b"x")
        await reader.readuntil(b"x")
        echoes_ms.append((time.perf_counter() - started_s) * 1000)
        if number % KEYS_A_LINE == KEYS_A_LINE - 1:
            writer.write(b"\x03")
            await reader.readuntil(b">>> ")
    writer.write(b"\x03")
    await reader.readuntil(b">>> ")
    writer.close()
    return echoes_ms


async def _first_prompt(port: int) -> float:
    async with OfficialClient.connect("127.0.0.1", port) as client:
        await client.login(PASSWORD)
        await client.read_text_until("WebREPL connected\r\n>>> ")
        await client.send_frame(b"\r", TEXT)
        await client.read_text_until("\r\n>>> ")
        return time.monotonic()


async def _bridged(port: int) -> list[float]:
    async with OfficialClient.connect("127.0.0.1", port) as client:
        await client.login(PASSWORD)
        await client.read_text_until("WebREPL connected\r\n>>> ")
        echoes_ms = []
        for number in range(KEYS):
            started_s = time.perf_counter()
            await client.send_frame(b"x", TEXT)
            await client.read_text_until("x")
            echoes_ms.append((time.perf_counter() - started_s) * 1000)
            if number % KEYS_A_LINE == KEYS_A_LINE - 1:
                await client.send_frame(b"\x03", TEXT)
                await client.read_text_until(">>> ")
        return echoes_ms
