"""The shim on other streams than a UART."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from board_kit.unix_shim import shim_on_stream
from shim_kit import open_host
from webrepl_link import records

EACCES = 13


@pytest.mark.parametrize("kind", ["socket", "usb"])
def test_terminal_and_files(tmp_path: Path, kind: str) -> None:
    data = random.Random(1).randbytes(50_000)
    with shim_on_stream(tmp_path, kind) as url, open_host(url) as host:
        host.connect()
        host.type(b"hello ")
        host.expect(b"HELLO ")
        assert host.put("data.bin", data) == 0
        assert (tmp_path / "data.bin").read_bytes() == data
        host.type(b"world")
        host.expect(b"WORLD")
        assert host.get("data.bin") == data
        assert host.ups == 1


def test_the_password_of_webrepl_cfg(tmp_path: Path) -> None:
    (tmp_path / "webrepl_cfg.py").write_text("PASS = 'secret'\n")
    with shim_on_stream(tmp_path, "password") as url, open_host(url) as host:
        host.connect()
        assert host.expect(b": ") == b"Password: "
        assert host.put("data.bin", b"1") == EACCES
        assert host.ask(records.REMOVE, "webrepl_cfg.py") == EACCES
        host.type(b"secret\r")
        host.expect(b"WebREPL connected\r\n>>> ")
        assert host.put("data.bin", b"1") == 0
