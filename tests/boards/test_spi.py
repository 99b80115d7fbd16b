"""SPI whole: a client, the command, an adapter, the wires, a real board's machine.SPI, and the shim behind it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from board_kit.pico import Pico, PicoKind
from clients.official import OfficialClient
from running_command import command
from shim_kit import compile_shim, mpremote, pico_with_shim
from spi_adapter import install_plug_in

pytestmark = pytest.mark.pico

START = """
import webrepl_shim
from machine import SPI, Pin
spi = SPI(0, 1000000, sck=Pin(18), mosi=Pin(19), miso=Pin(16))
webrepl_shim.start_spi(spi, Pin(17, Pin.OUT))
"""
MEMORY = """
import gc
def used():
    gc.collect()
    return gc.mem_alloc()
from machine import SPI, Pin
import webrepl_shim
import webrepl_shim.service
start = used()
import webrepl_shim.spi
loaded = used()
port = webrepl_shim.spi.Controller(SPI(0), Pin(17, Pin.OUT))
print(loaded - start, used() - loaded)
"""
RAM_BYTES_MAX = 6 * 1024
FLASH_BYTES_MAX = 3 * 1024
TIMEOUT_S = 60


@pytest.fixture
def pico(tmp_path: Path) -> Iterator[Pico]:
    """A Pico with the shim in /lib, its REPL on USB."""
    with pico_with_shim(PicoKind("stock"), tmp_path) as pico:
        yield pico


async def use(port: int, data: bytes) -> None:
    async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect("127.0.0.1", port) as client:
        await client.login("secret")
        await client.read_text_until("WebREPL connected\r\n>>> ")
        await client.send_frame(b"6 * 7\r", first_byte=0x81)
        await client.read_text_until("6 * 7\r\n42\r\n>>> ")
        await client.put_file("data.bin", data)
        assert await client.get_file("data.bin") == data


def test_terminal_and_files_on_good_wires_and_on_bad_ones(pico: Pico, tmp_path: Path) -> None:
    mpremote(pico, "resume", "exec", START)
    plug_in = install_plug_in(tmp_path)
    url = pico.spi0_url.replace("socket:", "spi+emulated:")
    for faults in ("", "?bit_errors=0.0001&lost=0.02"):
        with command("--serial", url + faults, "--framing", "link", **plug_in) as (_, port):
            asyncio.run(use(port, random.Random(faults).randbytes(6_000)))


def test_takes_little_flash(tmp_path: Path) -> None:
    sizes = compile_shim(tmp_path)
    assert sizes["webrepl_link/blocks.mpy"] + sizes["webrepl_shim/spi.mpy"] <= FLASH_BYTES_MAX


def test_memory(pico: Pico) -> None:
    code, buffers = (int(number) for number in mpremote(pico, "resume", "exec", MEMORY).split())
    print(f"RAM beyond the shim's: code {code}, buffers {buffers}")
    assert code + buffers <= RAM_BYTES_MAX
