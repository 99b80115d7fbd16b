"""Boards for every test folder; see board_kit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from board_kit.unix_vm import UnixVM
from board_kit.unix_vm import unix_vm as run_unix_vm


@pytest.fixture
def unix_vm(tmp_path: Path) -> Iterator[UnixVM]:
    """A MicroPython of the test's own on a pty, with no files; starts in milliseconds."""
    folder = tmp_path / "unix_vm"
    folder.mkdir()
    with run_unix_vm(folder) as vm:
        yield vm
