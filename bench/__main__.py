"""`python -m bench`: everything, or the parts named."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the emulated boards and the official client

from . import far_boards, lab, latency, link, page, replug, shim, spi, tools, transfers, trees

PARTS = {
    "transfers": transfers.main,
    "trees": trees.main,
    "latency": latency.main,
    "link": link.main,
    "shim": shim.main,
    "spi": spi.main,
    "far_boards": far_boards.main,
    "lab": lab.main,
    "replug": replug.main,
    "page": page.main,
    "tools": tools.main,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description="Measure the bridge beside its peers.")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all without one")
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is taken (default 5)")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {arguments.rounds} rounds\n")
    for part in arguments.parts or PARTS:
        PARTS[part](arguments.rounds)
        print()


main()
