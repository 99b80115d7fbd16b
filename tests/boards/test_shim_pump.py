"""The shim's pump on real MicroPython, with a firmware that loses callbacks and streams that fail."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest

from board_kit.firmware import KIT
from board_kit.unix_shim import SHIM_FOLDER

PROGRAM = KIT / "shim_pump.py"
CASES = [
    node.name
    for node in ast.parse(PROGRAM.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name != "numbers"
]


@pytest.mark.parametrize("case", CASES)
def test_pump(case: str) -> None:
    environment = os.environ | {"MICROPYPATH": f"{SHIM_FOLDER}:{KIT}:.frozen"}
    command = (sys.executable, "-m", "micropython_unix", str(PROGRAM), case)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
