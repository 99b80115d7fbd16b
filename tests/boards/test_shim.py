"""The shim on a real board's UART, and the bridge's half of the link at the other end of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from board_kit.pico import Pico
from shim_kit import compile_shim, install_shim, mpremote, open_host
from webrepl_link import records

pytestmark = pytest.mark.pico

START = "import webrepl_shim; webrepl_shim.start_uart(1)"


def test_every_file_of_the_shim_compiles(tmp_path: Path) -> None:
    sizes = compile_shim(tmp_path)
    print(*(f"{name} {size}" for name, size in sizes.items()), sep="\n")
    assert sum(sizes.values()) <= 16 * 1024


def test_terminal_and_files_over_a_uart(pico_usb: Pico, tmp_path: Path) -> None:
    install_shim(pico_usb, tmp_path)
    mpremote(pico_usb, "resume", "exec", START)
    data = random.Random(1).randbytes(10_000)
    with open_host(pico_usb.uart1_url) as host:
        host.connect()
        host.type(b"\r")
        host.expect(b">>> ")
        assert host.evaluate("6 * 7") == "42"
        assert host.put("data.bin", data) == 0
        assert host.get("data.bin") == data
        assert host.put("missing/data.bin", b"1") == 2
        assert host.get("missing.bin") == 2
        host.request(records.GET_VER)
        assert host.read(3) == b"\1\x19\0"
        assert host.evaluate("__import__('os').listdir()") == "['data.bin', 'lib']"
