"""The demo board, and what tells a person why there is none."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from board_kit.repl import PROMPT, open_repl
from webrepl_bridge import demo
from webrepl_link.errors import OpenError


def use_demo_board() -> None:
    async def serve() -> None:
        async with demo.demo_board() as device:
            await asyncio.to_thread(use, device)

    def use(device: str) -> None:
        with open_repl(device) as repl:
            repl.to_prompt()
            assert repl.evaluate("import os; sorted(os.listdir('/'))") == "['main.py', 'primes.py']"
            assert repl.evaluate("import primes; primes.below(20)") == "[2, 3, 5, 7, 11, 13, 17, 19]"
            repl.port.write(b"\x04")
            assert repl.expect(PROMPT).startswith(b"\r\nMPY: soft reboot\r\nThis is MicroPython, on no board at all.")

    asyncio.run(serve())


def test_the_demo_board_has_examples_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    use_demo_board()
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OpenError, match=r"pip install 'webrepl-bridge\[demo\]'"):
        use_demo_board()


def test_on_windows_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OpenError, match="Linux or macOS"):
        asyncio.run(demo.demo_board().__aenter__())


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_whether_a_process_catches_ctrl_c(platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if platform != sys.platform and not shutil.which("ps"):
        pytest.skip("there is no ps to ask instead of /proc")
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        cat.communicate(b"")
    monkeypatch.setattr(sys, "platform", platform)
    assert demo._catches_interrupt(os.getpid())  # CPython does, for KeyboardInterrupt
    assert not demo._catches_interrupt(cat.pid)  # it has ended
