"""mpremote and mpytool copying one file, as whole commands: that is how they are used."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

TIMEOUT_S = 600


def mpremote(url: str, source: str, target: str, folder: Path) -> float:
    """Copy a file with mpremote; return the seconds it took. Names on the board begin with a colon."""
    return timed(["mpremote", "connect", url, "cp", source, target], folder)


def mpytool(url: str, source: str, target: str, folder: Path) -> float:
    """The same with mpytool; forced, because it does not send what is already there."""
    return timed(["mpytool", "-f", "-a", url.removeprefix("socket://"), "cp", source, target], folder)


def timed(command: list[str], folder: Path) -> float:
    """Run a command in `folder`; return the seconds it took."""
    started_s = time.monotonic()
    subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        cwd=folder,
        check=True,
        timeout=TIMEOUT_S,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    return time.monotonic() - started_s
