"""Boards for every test folder; see board_kit.

What a board needs and this machine lacks is a skip, with the reason; with CI=true in the environment, an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from board_kit.firmware import MissingError
from board_kit.microbit import run_microbit
from board_kit.pico import Pico, PicoKind, run_pico
from board_kit.unix_vm import UnixVM
from board_kit.unix_vm import unix_vm as run_unix_vm

settings.register_profile("any machine", deadline=None)  # time is not what tests measure, and machines differ
settings.load_profile("any machine")


def _skip_if_missing() -> Iterator[None]:
    try:
        yield
    except MissingError as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    yield from _skip_if_missing()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    yield from _skip_if_missing()


@pytest.fixture
def unix_vm(tmp_path: Path) -> Iterator[UnixVM]:
    """A MicroPython of the test's own on a pty, with no files; starts in milliseconds."""
    folder = tmp_path / "unix_vm"
    folder.mkdir()
    with run_unix_vm(folder) as vm:
        yield vm


@pytest.fixture
def microbit() -> Iterator[str]:
    """A micro:bit of the test's own, as a URL for pySerial; starts in a tenth of a second."""
    with run_microbit() as url:
        yield url


# An emulated Pico keeps most of a core busy: no two of these in one test.


@pytest.fixture
def pico_usb() -> Iterator[Pico]:
    """A Pico of the test's own with stock firmware, its REPL on USB, no files; starts in half a second."""
    with run_pico(PicoKind("stock")) as pico:
        yield pico


@pytest.fixture
def pico_uart() -> Iterator[Pico]:
    """The same with its REPL on UART 0 as well, losing bytes as hardware does: what a USB-serial chip meets."""
    with run_pico(PicoKind("uart", lossy=True, slow_flash=True)) as pico:
        yield pico


@pytest.fixture
def pico_webrepl() -> Iterator[Pico]:
    """The same with the C modules websocket and _webrepl, as boards with a network stack have; REPL on USB."""
    with run_pico(PicoKind("webrepl", lossy=True, slow_flash=True)) as pico:
        yield pico
