"""The package imports everywhere: what only POSIX has is imported where it is used."""

from __future__ import annotations

import ast
from pathlib import Path

import webrepl_transports

POSIX_ONLY = {"termios", "fcntl", "grp", "pwd", "pty", "tty", "resource", "_posix"}
FOLDER = Path(webrepl_transports.__file__).parent


def imported_at_the_top(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update(alias.name for alias in node.names)
            names.add((node.module or "").rpartition(".")[2])
    return names


def test_nothing_posix_only_is_imported_at_the_top() -> None:
    modules = [module for module in FOLDER.glob("*.py") if module.name != "_posix.py"]
    assert len(modules) > 5
    for module in modules:
        assert not imported_at_the_top(module) & POSIX_ONLY, module.name
