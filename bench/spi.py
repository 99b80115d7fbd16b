"""SPI: what blocks cost, goodput by block size and clock, and what polling costs while nothing happens."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from board_kit.pico import Pico, PicoKind
from ftdi_kit import Board, Ft232h, plugged_in
from shim_kit import mpremote, pico_with_shim
from spi_adapter import EmulatedAdapter
from webrepl_bridge.boards.linked import LinkedBoard
from webrepl_link.blocks import OVERHEAD_BYTES, Blocks
from webrepl_transports import ByteStream, open_stream
from webrepl_transports.spi import SpiStream

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES = (32, 64, 128, 256)
CLOCKS_HZ = (1_000_000, 4_000_000, 12_000_000)
USB_S = 0.0005  # a guess at an exchange's way through USB and back
STREAM_BYTES = 100_000
IDLE_S = 3.0
FILE_BYTES = 20_000
COUNT_MS = 1500

START = """
import webrepl_shim
from machine import SPI, Pin
spi = SPI(0, %d, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
webrepl_shim.start_spi(spi, Pin(17, Pin.OUT), %s, %d)
"""
COUNT = """
from time import ticks_ms, ticks_diff
def count():
    n = 0
    start = ticks_ms()
    while ticks_diff(ticks_ms(), start) < %d:
        n += 1
    return n
print(count())
"""

CORE = """
from os import urandom
from time import ticks_us, ticks_diff
from webrepl_link.blocks import Blocks
def ms(call):
    start = ticks_us()
    for _ in range(20):
        call()
    return ticks_diff(ticks_us(), start) / 20000
here, there = Blocks(), Blocks()
here.receive_block(there.block_to_send())
data = urandom(119)
noise = urandom(128), urandom(128)
def full():
    here.send(data)
    there.receive_block(here.block_to_send())
def idle():
    there.receive_block(here.block_to_send())
def lost():
    there.receive_block(noise[0])
print("%.1f ms to send and receive a full block, %.1f ms filler, %.1f ms to look for a block at every bit of noise" % (
    ms(full), ms(idle), ms(lost)))
"""


def main(rounds: int) -> None:
    """Print the figures."""
    _cores(rounds)
    asyncio.run(_streams())
    asyncio.run(_idle())
    _pico()


def _cores(rounds: int) -> None:
    print("Blocks on SPI, the core on this computer, both ends together, a block each way full of payload")
    for size in SIZES:
        ends = Blocks(size), Blocks(size)
        ends[0].receive_block(ends[1].block_to_send())
        data = random.Random(1).randbytes(size - OVERHEAD_BYTES)

        def exchange() -> None:
            here, there = ends  # noqa: B023
            here.send(data)  # noqa: B023
            there.receive_block(here.block_to_send())
            here.receive_block(there.block_to_send())

        block = random.Random(2).randbytes(size)
        lost = Blocks(size)
        print(
            f"  {size:4} bytes, {1 - OVERHEAD_BYTES / size:.2f} payload: {_us(exchange, rounds):5.1f} us an exchange, "
            f"{_us(lambda: lost.receive_block(block), rounds):6.1f} us to look for a block at every bit of noise"  # noqa: B023
        )


def _us(call: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(1000):
            call()
        times.append((time.perf_counter() - start) * 1000)
    return median(times)


class Simulated:
    """An adapter that takes the time of USB and of the clock, and a board that is always ready."""

    def __init__(self, size: int, clock_hz: int) -> None:
        self.board = Board(size)
        self._exchange_s = USB_S + 8 * size / clock_hz

    def exchange(self, block: bytes) -> bytes:
        time.sleep(self._exchange_s)
        return self.board.shift(block)


async def _streams() -> None:
    print(f"A stream to a board, {USB_S * 1000} ms of USB an exchange, simulated: kB/s (of what clock and size allow)")
    print("             " + "".join(f"{size:>14} B" for size in SIZES))
    for clock_hz in CLOCKS_HZ:
        cells = []
        for size in SIZES:
            stream = SpiStream(Simulated(size, clock_hz), "simulated", block_bytes=size, clock_hz=clock_hz)
            start = time.perf_counter()
            await stream.send(bytes(STREAM_BYTES))
            rate = STREAM_BYTES / (time.perf_counter() - start)
            await stream.aclose()
            assert stream.line_rate_baud
            cells.append(f"{rate / 1000:8.0f} ({rate / (stream.line_rate_baud / 10):.2f})")
        print(f"  {clock_hz / 1e6:4g} MHz   " + "".join(f"{cell:>16}" for cell in cells))


async def _idle() -> None:
    print("Nothing happens: what this computer does for it, without what USB and the kernel do")
    board = Board(128)
    with plugged_in(Ft232h(board)):
        for name, url in (
            ("polling, pyftdi on a chip that is not there", "spi+ftdi://"),
            ("ready line, the same", "spi+ftdi://?ready=4"),
        ):
            stream = await open_stream(url)
            print(f"  {name:45} {await _cpu(stream):5.2f} % of a core")
            await stream.aclose()
    stream = SpiStream(_Counted(), "simulated")
    print(f"  {'polling, the core and its thread alone':45} {await _cpu(stream):5.2f} % of a core")
    await stream.aclose()
    print(f"  {_Counted.exchanges / IDLE_S:.0f} exchanges a second")


class _Counted:
    """An adapter that takes no time."""

    exchanges = 0

    def __init__(self) -> None:
        self._board = Board(128)

    def exchange(self, block: bytes) -> bytes:
        _Counted.exchanges += 1
        return self._board.shift(block)


async def _cpu(stream: ByteStream) -> float:
    await stream.send(b"x")
    start = time.process_time()
    await asyncio.sleep(IDLE_S)
    return (time.process_time() - start) / IDLE_S * 100


def _pico() -> None:
    print("An emulated Pico at 48 MHz as the controller, polling, its shim behind it")
    for size, clock_hz in ((64, 1_000_000), (128, 1_000_000), (256, 1_000_000), (128, 8_000_000), (256, 8_000_000)):
        with tempfile.TemporaryDirectory() as folder, pico_with_shim(PicoKind("stock"), Path(folder)) as pico:
            if (size, clock_hz) == (64, 1_000_000):
                print("  the core, blocks of 128 bytes:", mpremote(pico, "resume", "exec", CORE).strip())
            free = int(mpremote(pico, "resume", "exec", COUNT % COUNT_MS))
            mpremote(pico, "resume", "exec", START % (clock_hz, None, size))
            asyncio.run(_files(pico, size, clock_hz, free))


async def _files(pico: Pico, size: int, clock_hz: int, free: int) -> None:
    host, port = pico.spi0_url.removeprefix("socket://").split(":")
    stream = SpiStream(EmulatedAdapter(host, int(port)), "emulated", block_bytes=size, clocks=False)
    board = LinkedBoard(stream)
    screen = Screen()
    board.on_output = screen.show
    data = random.Random(1).randbytes(FILE_BYTES)
    async with asyncio.timeout(120):
        running = asyncio.create_task(board.run())
        await screen.until(b">>> ")
        echoes_ms = []
        for _ in range(20):
            await asyncio.sleep(random.uniform(0.05, 0.1))
            screen.clear()
            start = time.perf_counter()
            await board.write(b"1")
            await screen.until(b"1")
            echoes_ms.append((time.perf_counter() - start) * 1000)
            await board.write(b"\x03")
            await screen.until(b">>> ")
        start = time.perf_counter()
        async with board.put("file.bin", FILE_BYTES) as writer:
            for at in range(0, FILE_BYTES, 1024):
                await writer.write(data[at : at + 1024])
        put_s = time.perf_counter() - start
        start = time.perf_counter()
        got = b""
        async with board.get("file.bin") as reader:
            while piece := await reader.read():
                got += piece
        get_s = time.perf_counter() - start
        assert got == data
        polling = int(await asyncio.to_thread(mpremote, pico, "resume", "exec", COUNT % COUNT_MS))
        running.cancel()
    await stream.aclose()
    print(
        f"  {size:3} bytes, {clock_hz / 1e6:g} MHz: put {FILE_BYTES / put_s / 1000:4.1f} kB/s, "
        f"get {FILE_BYTES / get_s / 1000:4.1f} kB/s, key to echo {median(echoes_ms):3.0f} ms; "
        f"polling leaves the program {polling / free:.2f} of the time"
    )


class Screen:
    """What the board's terminal has shown."""

    def __init__(self) -> None:
        self._seen = b""
        self._changed = asyncio.Event()

    def show(self, data: bytes) -> None:
        self._seen += data
        self._changed.set()

    def clear(self) -> None:
        self._seen = b""

    async def until(self, end: bytes) -> None:
        while end not in self._seen:
            self._changed.clear()
            await self._changed.wait()
