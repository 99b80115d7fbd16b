"""How fast random bytes and Python source move over an emulated Pico's UART at 115200 baud, which loses bytes."""

from __future__ import annotations

import asyncio
import functools
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from board_kit.pico import Pico, PicoKind, run_pico
from clients.official import OfficialClient

from . import peers
from .boards_and_bridges import PASSWORD, bridge_on

SIZES_BYTES = (20_000, 50_000)
LINE_BYTES_PER_S = 11_520
PAUSE_S = 0.3
"""Long enough for the bridge to take its programs off the board: the next file is a first one again."""


def main(rounds: int) -> None:
    """Print the table."""
    print(f"Emulated Pico, UART at 115200 baud ({LINE_BYTES_PER_S / 1000} kB/s), lossy")
    print(f"{'':52}{'put':>8}{'':>8}{'get':>8}")
    print(f"{'':36}{'':8}{'bytes':>8}{'kB/s':>8}{'of line':>8}{'kB/s':>8}{'of line':>8}")
    with run_pico(PicoKind("uart", lossy=True)) as pico:
        for name, measure, kind, size in TOOLS:
            put_s, get_s, _ = measure(pico, rounds, CONTENTS[kind], size)
            rates = "".join(f"{size / s / 1000:8.2f}{size / LINE_BYTES_PER_S / s:8.3f}" for s in (put_s, get_s))
            print(f"{name:36}{kind:8}{size:8}{rates}")
    print("\nThe same with flash that takes a real chip's time (45 ms a sector, CPU stopped)")
    print(f"{'':36}{'':8}{'bytes':>8}{'put s':>8}{'line s':>8}{'flash s':>8}{'put / (line + flash)':>22}")
    with run_pico(PicoKind("uart", lossy=True, slow_flash=True)) as pico:
        for name, measure, kind, size in TOOLS:
            put_s, _, flash_s = measure(pico, rounds, CONTENTS[kind], size)
            line_s = size / LINE_BYTES_PER_S
            print(f"{name:36}{kind:8}{size:8}{put_s:8.2f}{line_s:8.2f}{flash_s:8.2f}{put_s / (line_s + flash_s):22.3f}")


Figures = tuple[float, float, float]
"""Seconds for a put, seconds for a get, seconds that the flash was busy in a put; medians."""

Content = Callable[[random.Random, int], bytes]
Measure = Callable[[Pico, int, Content, int], Figures]
"""Measures a Pico in so many rounds with files of such content and so many bytes."""


def _source(generator: random.Random, size: int) -> bytes:
    files = sorted((Path(__file__).parents[1] / "bridge").rglob("*.py"))
    text = b"".join(file.read_bytes() for file in files)
    start = generator.randrange(len(text) - size)
    return text[start : start + size]


CONTENTS: dict[str, Content] = {"random": lambda generator, size: generator.randbytes(size), "source": _source}


def _bridge(pico: Pico, rounds: int, content: Content, size: int, pause_s: float = 0) -> Figures:
    async def measure(port: int) -> Figures:
        generator = random.Random(20)
        puts, gets, flashes = [], [], []
        async with OfficialClient.connect("127.0.0.1", port) as client:
            await client.login(PASSWORD)
            for number in range(rounds + 1):
                data = content(generator, size)
                await asyncio.sleep(pause_s)
                before_ms, started_s = pico.flash_busy_ms(), time.monotonic()
                await client.put_file("bench.bin", data)
                put_s = time.monotonic() - started_s
                await asyncio.sleep(pause_s)
                started_s = time.monotonic()
                if await client.get_file("bench.bin") != data:
                    raise SystemExit("the file came back wrong")
                if number:  # the first one also asks the board what it can do
                    puts.append(put_s)
                    gets.append(time.monotonic() - started_s)
                    flashes.append((pico.flash_busy_ms() - before_ms) / 1000)
        return median(puts), median(gets), median(flashes)

    with bridge_on(pico.repl_url) as bridge:
        return asyncio.run(measure(bridge.port))


def _peer(copy: Callable[[str, str, str, Path], float]) -> Measure:
    def measure(pico: Pico, rounds: int, content: Content, size: int) -> Figures:
        puts, gets, flashes = [], [], []
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for number in range(min(rounds, 3)):
                data = content(random.Random(number), size)
                (folder / "bench.bin").write_bytes(data)
                before_ms = pico.flash_busy_ms()
                puts.append(copy(pico.repl_url, "bench.bin", ":peer.bin", folder))
                flashes.append((pico.flash_busy_ms() - before_ms) / 1000)
                gets.append(copy(pico.repl_url, ":peer.bin", "back.bin", folder))
                if (folder / "back.bin").read_bytes() != data:
                    raise SystemExit("the file came back wrong")
        return median(puts), median(gets), median(flashes)

    return measure


MPREMOTE, MPYTOOL = _peer(peers.mpremote), _peer(peers.mpytool)
TOOLS: list[tuple[str, Measure, str, int]] = [
    ("webrepl-bridge, official client", _bridge, "random", SIZES_BYTES[0]),
    ("the same, each file after a pause", functools.partial(_bridge, pause_s=PAUSE_S), "random", SIZES_BYTES[0]),
    ("mpremote cp (whole command)", MPREMOTE, "random", SIZES_BYTES[0]),
    ("mpytool cp (whole command)", MPYTOOL, "random", SIZES_BYTES[0]),
    ("webrepl-bridge, official client", _bridge, "source", SIZES_BYTES[0]),
    ("mpremote cp (whole command)", MPREMOTE, "source", SIZES_BYTES[0]),
    ("mpytool cp (whole command)", MPYTOOL, "source", SIZES_BYTES[0]),
    ("webrepl-bridge, official client", _bridge, "random", SIZES_BYTES[1]),
    ("webrepl-bridge, official client", _bridge, "source", SIZES_BYTES[1]),
]
