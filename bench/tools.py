"""mpremote copying a file, alone on the port and through the bridge: what sharing costs it."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from board_kit.pico import PicoKind, run_pico

from .boards_and_bridges import bridge_on
from .peers import mpremote

SIZE_BYTES = 20_000
KINDS = {"USB": PicoKind("stock"), "UART": PicoKind("uart", lossy=True, slow_flash=True)}


@contextmanager
def tools_on(url: str) -> Iterator[dict[str, str]]:
    """Run a bridge on the board at `url` until the block ends; yields the ways to it."""
    with bridge_on(url, "--rfc2217", "127.0.0.1:0", "--tcp", "127.0.0.1:0") as bridge:
        yield {url.partition(":")[0]: url for url in bridge.tools}


def main(rounds: int) -> None:
    print(f"mpremote cp of {SIZE_BYTES:,} random bytes on the emulated Pico, seconds: put, get")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.bin").write_bytes(bytes((i * 7919) >> 3 & 255 for i in range(SIZE_BYTES)))
        for kind_name, kind in KINDS.items():
            with run_pico(kind) as pico:
                _report(f"{kind_name}, alone", pico.repl_url, folder, rounds)
                with tools_on(pico.repl_url) as ways:
                    for scheme, url in ways.items():
                        _report(f"{kind_name}, {scheme} through the bridge", url, folder, rounds)


def _report(way: str, url: str, folder: Path, rounds: int) -> None:
    puts, gets = [], []
    for number in range(rounds):
        # New names each time: mpremote does not copy what is already there.
        there, back = f":{way.split()[1]}-{number}.bin", folder / f"{way}-{number}.bin"
        puts.append(mpremote(url, "in.bin", there, folder))
        gets.append(mpremote(url, there, back.name, folder))
        if (folder / "in.bin").read_bytes() != back.read_bytes():
            raise AssertionError(f"{way}: not what was put")
    print(f"  {way:<36} {statistics.median(puts):6.2f} {statistics.median(gets):6.2f}")
