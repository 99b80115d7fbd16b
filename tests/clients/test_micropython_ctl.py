"""npm: micropython-ctl, for browsers and Node.js; port 8266 and no other, waits for `\\n>>>`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from board_kit.firmware import MissingError, node_modules
from clients.running import run

if TYPE_CHECKING:
    from clients.conftest import Bridge

SCRIPT = Path(__file__).with_name("micropython_ctl.cjs")


@pytest.fixture
def packages() -> Path:
    """The folder with npm's packages; the one native module that micropython-ctl loads is replaced in SCRIPT."""
    if not shutil.which("node"):
        raise MissingError("Node.js is not installed")
    return node_modules()


def test_scripts_and_files(packages: Path, bridge: Bridge) -> None:
    result = run(["node", str(SCRIPT), str(packages), bridge.host, bridge.password])
    assert result["version"].split(".")[0] in ("0", "1")  # 0 until the bridge has asked: this build's banner has none
    assert result["sum"].strip() == "4950"
    assert result["text"].strip() == "green green green"
    assert "ZeroDivisionError" in result["error"]
    assert result["file"] == "put by micropython-ctl\n"
    assert result["stranger"] == "InvalidPassword"
    assert (bridge.folder / "put.txt").read_text() == "put by micropython-ctl\n"
