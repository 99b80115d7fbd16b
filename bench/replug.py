"""A board that is unplugged again and again under a client that puts files and reads them back."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import tempfile
from pathlib import Path

from board_kit.cable import Cable
from clients.official import OfficialClient, RefusedError
from lab_kit import ANYWHERE, PASSWORD, RunningLab, bridging, until
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.plan import LabPlan

from .lab import memory_kb

ROUNDS_PER_ROUND = 200
FILE_BYTES_MAX = 20_000
PLUGGED_S = 0.3
WARM_UP = 20


def main(rounds: int) -> None:
    """Print what has become of the files, and of the bridge."""
    logging.disable(logging.CRITICAL)
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(_unplug(Path(folder), rounds * ROUNDS_PER_ROUND))
    finally:
        logging.disable(logging.NOTSET)


class _Count:
    written = refused = read = wrong = 0


async def _unplug(folder: Path, rounds: int) -> None:
    print(f"Unplugged {rounds:,} times, MicroPython's unix port on a pty, one client that puts and reads back a file")
    chance = random.Random(1)
    count = _Count()
    async with Cable(folder) as cable:
        plan = LabPlan({"lab1": BoardOptions(str(cable.device))}, (ANYWHERE,), PASSWORD)
        async with bridging(plan) as bridge, bridge.client() as client:
            working = asyncio.create_task(_put_and_get(client, count, chance))
            before = None
            for number in range(rounds + WARM_UP):
                if number == WARM_UP:
                    before = await _used(bridge)
                await cable.plug_in()
                await asyncio.sleep(PLUGGED_S * (0.5 + chance.random()))
                await cable.pull()
            after = await _used(bridge)
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await working
    assert before is not None
    print(f"  written and said so       {count.written:8,}   refused or broken off {count.refused:,}")
    print(f"  read back                 {count.read:8,}   wrong {count.wrong:,}")
    for name, first, last in zip(("file descriptors", "tasks", "memory, kB"), before, after, strict=True):
        print(f"  {name:<25} {last:8,}   at the beginning {first:,}")


async def _used(bridge: RunningLab) -> tuple[int, int, int]:
    await until(lambda: bridge.lab.sessions["lab1"].board is None)
    await asyncio.sleep(0.2)
    gc.collect()
    return len(os.listdir("/proc/self/fd")), len(asyncio.all_tasks()), memory_kb(os.getpid())


async def _put_and_get(client: OfficialClient, count: _Count, chance: random.Random) -> None:
    possible: set[int] = set()  # hashes of what may be in the file: a put that failed may have been stored all the same
    while True:
        client.text = ""
        content = chance.randbytes(chance.randrange(FILE_BYTES_MAX))
        try:
            await client.put_file("file", content)
        except RefusedError:
            count.refused += 1
            possible.add(hash(content))
        else:
            count.written += 1
            possible = {hash(content)}
        try:
            found = await client.get_file("file")
        except RefusedError:
            await asyncio.sleep(0.02)
            continue
        count.read += 1
        count.wrong += hash(found) not in possible
        possible = {hash(found)}
