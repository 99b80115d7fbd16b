"""How long whole directories take, as commands: 200 small files, over an emulated Pico's UART at 115200 baud."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from board_kit.pico import Pico, PicoKind, run_pico

from . import peers
from .boards_and_bridges import PASSWORD, bridge_on

FILES = 200
FILE_BYTES = 1000
WORDS = (
    "import",
    "machine",
    "led",
    "pin",
    "value",
    "self",
    "return",
    "for",
    "range",
    "while",
    "True",
    "sleep_ms",
    "def",
)


def main(rounds: int) -> None:
    """Print the table; one round, whatever `rounds` says: it takes minutes."""
    print(f"{FILES} files of {FILE_BYTES} bytes of source, emulated Pico, UART at 115200 baud, lossy; seconds")
    print(f"{'':36}{'cp -r':>8}{'files/s':>9}{'sync unchanged':>16}")
    with tempfile.TemporaryDirectory() as name, run_pico(PicoKind("uart", lossy=True)) as pico:
        folder = Path(name)
        _make_tree(folder / "tree")
        for way, tool in (("bridge", _bridged), ("--serial", _serial)):
            with tool(pico) as options:
                copied_s = _command(folder, "cp", *options, "-r", "tree", ":/")
                synced_s = _command(folder, "sync", *options, "tree", ":/tree")
                _command(folder, "rm", *options, "-r", ":/tree")
            print(f"{'webrepl-bridge, ' + way:36}{copied_s:8.1f}{FILES / copied_s:9.1f}{synced_s:16.1f}")
        copied_s = peers.timed(["mpremote", "connect", pico.repl_url, "cp", "-r", "tree", ":/"], folder)
        print(f"{'mpremote':36}{copied_s:8.1f}{FILES / copied_s:9.1f}")


def _make_tree(tree: Path) -> None:
    generator = random.Random(20)
    tree.mkdir()
    for number in range(FILES):
        text = " ".join(generator.choices(WORDS, k=FILE_BYTES // 3))
        (tree / f"module_{number:03}.py").write_text(text[:FILE_BYTES])


@contextmanager
def _bridged(pico: Pico) -> Iterator[tuple[str, ...]]:
    with bridge_on(pico.repl_url) as bridge:
        yield "--url", f"http://127.0.0.1:{bridge.port}", "--password", PASSWORD


@contextmanager
def _serial(pico: Pico) -> Iterator[tuple[str, ...]]:
    yield "--serial", pico.repl_url


def _command(folder: Path, *arguments: str) -> float:
    return peers.timed(["webrepl-bridge", *arguments], folder)
