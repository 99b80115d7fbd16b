"""What it costs that a board is elsewhere: behind two bridges, or calling. MicroPython's unix port, loopback."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
import time
import urllib.request
from itertools import pairwise
from pathlib import Path
from statistics import median

from board_kit.unix_shim import shim_that_calls
from board_kit.unix_vm import unix_vm
from clients.official import TEXT, OfficialClient

from .boards_and_bridges import PASSWORD, bridge_on

SIZE_BYTES = 200_000
SMALL_BYTES = 10
TOKEN = "token"


def main(rounds: int) -> None:
    """Print the table."""
    print(f"Files of {SIZE_BYTES:,} random bytes, and of {SMALL_BYTES}; a line of 10 keys until its answer is there")
    print(f"{'':36}{'put kB/s':>12}{'get kB/s':>12}{'small put ms':>14}{'line ms':>10}")
    with tempfile.TemporaryDirectory() as folder, unix_vm(Path(folder)) as vm:
        with bridge_on(vm.device) as one:
            _print("a bridge", rounds, one.port)
            with bridge_on(f"ws://127.0.0.1:{one.port}/", "--board-password", PASSWORD) as two:
                _print("a bridge behind a bridge", rounds, two.port)
        with (
            bridge_on(None, "--accept-boards", "--board-token", TOKEN) as bridge,
            shim_that_calls(vm, f"ws://127.0.0.1:{bridge.port}/dial-in/board", TOKEN),
        ):
            while not _boards(bridge.port):
                time.sleep(0.1)
            _print("a board that calls", rounds, bridge.port)


def _boards(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
        return int(json.load(answer)["connected"])


def _print(name: str, rounds: int, port: int) -> None:
    put_s, get_s, small_s, line_s = asyncio.run(_measure(rounds, port))
    rates = "".join(f"{SIZE_BYTES / s / 1000:12.0f}" for s in (put_s, get_s))
    print(f"{name:36}{rates}{small_s * 1000:14.1f}{line_s * 1000:10.1f}")


async def _measure(rounds: int, port: int) -> list[float]:
    data = random.Random(1).randbytes(SIZE_BYTES)
    figures: list[list[float]] = [[], [], [], []]
    async with OfficialClient.connect("127.0.0.1", port) as client:
        await client.login(PASSWORD)
        await client.read_text_until("connected\r\n>>> ")
        await client.send_frame(b"\r", TEXT)
        await client.read_text_until("\r\n>>> ")
        for _ in range(rounds):
            times = [time.monotonic()]
            await client.put_file("bench.bin", data)
            times.append(time.monotonic())
            if await client.get_file("bench.bin") != data:
                raise SystemExit("the file came back wrong")
            times.append(time.monotonic())
            await client.put_file("small", bytes(SMALL_BYTES))
            times.append(time.monotonic())
            await client.send_frame(b"print(6*7)\r", TEXT)
            await client.read_text_until("\r\n42\r\n>>> ")
            times.append(time.monotonic())
            for column, (before, after) in zip(figures, pairwise(times), strict=True):
                column.append(after - before)
    return [median(column) for column in figures]
