"""Rules of the layout that import-linter does not know."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(file for folder in ("bridge", "transports", "firmware_shim") for file in (ROOT / folder).rglob("*.py"))
CORES = sorted((ROOT / "bridge/webrepl_bridge/protocol").rglob("*.py"))
CORES += [ROOT / "transports/webrepl_transports" / name for name in ("_rfc2217.py", "telnet.py")]
LINK = sorted((ROOT / "firmware_shim/webrepl_link").rglob("*.py"))
LINES_MAX = 500

IMPURE = {"asyncio", "socket", "time", "random", "threading", "os", "select", "subprocess", "secrets", "datetime"}
BOARD_MODULES = {"struct", "binascii", "micropython"}  # the last one for its `const`, where there is one

# In parts, so that this file does not name one.
REGISTRIES = [first + "." + last for first, last in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
REGISTRIES += ["npmjs" + ".com", "crates" + ".io", "deb.debian" + ".org", "yarnpkg" + ".com"]


def relative(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imported_modules(file: Path) -> set[str]:
    """The top-level names of what a file imports, at whatever depth; relative imports left out."""
    modules = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules.add((node.module or "").partition(".")[0])
    return modules


@pytest.mark.parametrize("file", CORES, ids=relative)
def test_pure_cores_have_no_io_clock_or_chance(file: Path) -> None:
    assert not imported_modules(file) & IMPURE


@pytest.mark.parametrize("file", LINK, ids=relative)
def test_what_both_sides_run_needs_two_modules(file: Path) -> None:
    assert imported_modules(file) <= BOARD_MODULES


@pytest.mark.parametrize("file", SOURCES, ids=relative)
def test_no_module_is_long(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= LINES_MAX


def test_no_file_names_a_registry() -> None:
    """Where packages come from is the business of whoever installs them."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not in a git checkout")
    naming = []
    for name in listed.stdout.decode().split("\0"):
        file = ROOT / name
        if name and file.is_file():
            content = file.read_bytes()
            naming += [name for registry in REGISTRIES if registry.encode() in content]
    assert naming == []
