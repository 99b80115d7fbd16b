"""How long whole directories take, as commands: 200 small files, over an emulated Pico's UART at 115200 baud."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from board_kit.pico import PicoKind, run_pico

from . import peers
from .boards_and_bridges import PASSWORD, bridge_on

FOLDERS = 20
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
    print(f"{FILES} files of {FILE_BYTES} bytes of source in {FOLDERS} directories; seconds")
    print(f"{'Emulated Pico, UART at 115200, lossy':36}{'cp -r':>8}{'files/s':>9}{'sync unchanged':>16}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make_tree(folder / "tree")
        for tool, measure in TOOLS.items():
            with run_pico(PicoKind("uart", lossy=True)) as pico:
                copied_s, *synced_s = measure(pico.repl_url, folder)
            print(
                f"{tool:36}{copied_s:8.1f}{FILES / copied_s:9.1f}{''.join(f'{s:16.1f}' for s in synced_s)}", flush=True
            )


def _make_tree(tree: Path) -> None:
    generator = random.Random(20)
    for number in range(FILES):
        folder = tree / f"package_{number % FOLDERS:02}"
        folder.mkdir(parents=True, exist_ok=True)
        text = " ".join(generator.choices(WORDS, k=FILE_BYTES // 3))
        (folder / f"module_{number:03}.py").write_text(text[:FILE_BYTES])


def _through_a_bridge(url: str, folder: Path) -> list[float]:
    with bridge_on(url) as bridge:
        return _client(folder, "--url", f"http://127.0.0.1:{bridge.port}", "--password", PASSWORD)


def _without_a_bridge(url: str, folder: Path) -> list[float]:
    return _client(folder, "--serial", url)


def _client(folder: Path, *options: str) -> list[float]:
    commands = (("cp", "-r", "tree", ":/"), ("sync", "tree", ":/tree"))
    return [peers.timed(["webrepl-bridge", command, *options, *rest], folder) for command, *rest in commands]


def _mpremote(url: str, folder: Path) -> list[float]:
    return [peers.timed(["mpremote", "connect", url, "cp", "-r", "tree", ":/"], folder)]


def _mpytool(url: str, folder: Path) -> list[float]:
    address = url.removeprefix("socket://")
    return [peers.timed(["mpytool", "-q", "-a", address, "cp", "tree", ":/"], folder)]


TOOLS = {
    "webrepl-bridge, through a bridge": _through_a_bridge,
    "webrepl-bridge, --serial": _without_a_bridge,
    "mpremote": _mpremote,
    "mpytool": _mpytool,
}
"""Seconds for a copy, and for a sync of what is there already where there is such a command."""
