"""PyPI: circup, which installs libraries, and wwshell, its file commands; over CircuitPython's web workflow.

Each runs in a process of its own, with a library bundle of the test's own: nothing is asked of the network.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from clients.running import run_python

if TYPE_CHECKING:
    from pathlib import Path

    from clients.conftest import Bridge

TAG = "20260101"


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the libraries of a bundle: a module, and a package that needs it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    data = tmp_path / "circup"
    data.mkdir()
    (data / "bundle_config.json").write_text(json.dumps({"test": "test/Test_Bundle"}))
    (data / "circup.json").write_text(json.dumps({"test/Test_Bundle": [TAG]}))
    top = data / f"test/test-bundle-py/test-bundle-py-{TAG}"
    lib = top / "lib"
    (lib / "pack/deep").mkdir(parents=True)
    (lib / "one.py").write_text('__version__ = "1.0.0"\n__repo__ = "https://example.com/one.git"\n')
    (lib / "pack/__init__.py").write_text('__version__ = "2.0.0"\n__repo__ = "https://example.com/pack.git"\n')
    (lib / "pack/deep/leaf.py").write_text("leaf = 1\n" * 1000)
    (top / "requirements/pack").mkdir(parents=True)
    (top / "requirements/pack/requirements.txt").write_text("one\n")
    return lib


def circup(bridge: Bridge, *arguments: str) -> str:
    """Run circup and return what it says."""
    return _run(bridge, "circup.commands", "--offline", "--allow-unsupported", *arguments)


def wwshell(bridge: Bridge, *arguments: str) -> str:
    """Run wwshell and return what it says."""
    return _run(bridge, "circup.wwshell.commands", *arguments)


def _run(bridge: Bridge, module: str, *arguments: str) -> str:
    code = f"""
    import importlib
    import update_checker
    from click.testing import CliRunner
    update_checker.update_check = lambda *_: None
    where = ["--host", host, "--port", str(port), "--password", password]
    done = CliRunner().invoke(importlib.import_module({module!r}).main, [*where, *{arguments!r}])
    assert done.exit_code == 0, (done.output, done.exception)
    result = done.output
    """
    said = run_python(bridge, code)
    assert isinstance(said, str)
    return said


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_circup_installs_upgrades_and_uninstalls(bridge: Bridge, bundle: Path) -> None:
    (bridge.folder / "lib").mkdir()
    assert "Installed 'one'" in circup(bridge, "install", "--py", "one")
    assert (bridge.folder / "lib/one.py").read_bytes() == (bundle / "one.py").read_bytes()
    said = circup(bridge, "install", "--py", "pack")
    assert "'one' is already installed" in said
    assert "Installed 'pack'" in said
    assert files_of(bridge.folder / "lib") == files_of(bundle)
    assert set(circup(bridge, "freeze").split()) >= {"one==1.0.0", "pack==2.0.0"}
    (bridge.folder / "lib/one.py").write_text('__version__ = "0.9.0"\n__repo__ = "https://example.com/one.git"\n')
    (bridge.folder / "lib/pack/old.py").write_text("")
    (bridge.folder / "lib/pack/__init__.py").write_text('__version__ = "1.9.0"\n')
    circup(bridge, "install", "--py", "--upgrade", "pack")  # `update` knows compiled libraries only
    assert files_of(bridge.folder / "lib") == files_of(bundle)
    circup(bridge, "uninstall", "pack", "one")
    assert files_of(bridge.folder / "lib") == {}


def test_circup_finds_what_a_program_needs(bridge: Bridge, bundle: Path) -> None:
    (bridge.folder / "lib").mkdir()
    (bridge.folder / "code.py").write_text("import pack\n")
    circup(bridge, "install", "--py", "--auto")
    assert files_of(bridge.folder / "lib") == files_of(bundle)


@pytest.mark.usefixtures("bundle")
def test_wwshell(bridge: Bridge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bridge.folder / "x.txt").write_text("old")
    assert "3\tx.txt" in wwshell(bridge, "ls")
    wwshell(bridge, "mkdir", "folder/")
    wwshell(bridge, "mv", "x.txt", "folder/y.txt")
    wwshell(bridge, "get", "folder/y.txt", str(tmp_path))
    assert (tmp_path / "y.txt").read_text() == "old"
    wwshell(bridge, "rm", "folder/")
    assert files_of(bridge.folder) == {}
    assert not (bridge.folder / "folder").exists()
