"""The examples of docs/client.md and docs/api.md do what they say."""

from __future__ import annotations

import asyncio
import contextlib
import io
import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from board_kit.unix_vm import UnixVM
from serving import PASSWORD, bridge
from webrepl_bridge.cli import cli
from webrepl_bridge.client import connect

DOCS = Path(__file__).parents[2] / "docs"
URL = "ws://localhost:8266/lab1"
PATIENCE_S = 30


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the examples find on this computer."""
    folder = tmp_path / "here"
    (folder / "empty").mkdir(parents=True)
    (folder / "src/lib/drivers").mkdir(parents=True)
    (folder / "src/main.py").write_text("print('hello')\n")
    (folder / "src/lib/config.py").write_text("NAME = 'kitchen'\n")
    (folder / "src/lib/drivers/lamp.py").write_text("ON = 1\n")
    (folder / "main.py").write_text("print('hello')\n")
    monkeypatch.chdir(folder)
    return folder


def blocks(name: str, language: str) -> list[str]:
    """Return the blocks of a page that are in `language`."""
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / name).read_text(), re.MULTILINE | re.DOTALL)


def test_the_commands(unix_vm: UnixVM, here: Path) -> None:
    examples = re.findall(r"^\$ webrepl-bridge (.*)\n((?:[^$].*\n)*)", "".join(blocks("client.md", "")), re.MULTILINE)
    assert len(examples) > 15
    with bridge(unix_vm.device, name="lab1") as port:
        runner = CliRunner(env={"WEBREPL_BRIDGE_URL": f"http://127.0.0.1:{port}", "WEBREPL_PASSWORD": PASSWORD})
        for command, output in examples:
            assert runner.invoke(cli, shlex.split(command)).output == output, command


def said_by(example: str) -> list[str]:
    """Return what an example says that it prints, in comments behind the calls or in lines of their own."""
    return re.findall(r"(?:print\(.*\)  |^)# (.*)$", example, re.MULTILINE)


async def use(url: str, example: str) -> None:
    names: dict[str, Any] = {"asyncio": asyncio}
    exec(f"async def example(board):\n{textwrap.indent(example, '    ')}", names)
    async with asyncio.timeout(PATIENCE_S), connect(url, password=PASSWORD) as board:
        await names["example"](board)


def test_the_api(unix_vm: UnixVM, here: Path) -> None:
    examples = blocks("api.md", "python")
    assert len(examples) > 5
    with bridge(unix_vm.device, name="lab1") as port:
        url = f"ws://127.0.0.1:{port}/lab1"
        for example in examples:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                if URL in example:
                    exec(example.replace(URL, url), {})
                else:
                    asyncio.run(use(url, example))
            assert [line for line in printed.getvalue().splitlines() if line] == said_by(example), example
