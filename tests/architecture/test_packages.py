"""What gets into a wheel and a source distribution: the built page, wherever Node.js is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = "bridge/webrepl_bridge/frontends/page_files/index.html"

NPM = f"""#!/bin/sh
# Stands in for npm, which would need a network: the page itself is built, and looked at, elsewhere in the tests.
[ "$1" = ci ] || {{ mkdir -p "$(dirname ../../{PAGE})" && echo built > ../../{PAGE}; }}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A git checkout in which nothing has been built."""
    folder = tmp_path / "checkout"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def with_node(tmp_path: Path) -> str:
    """A PATH with Node.js."""
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(NPM)
    npm.chmod(0o755)
    return f"{npm.parent}{os.pathsep}/usr/bin{os.pathsep}/bin"


def build(folder: Path, what: str, path: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "--target", what, "--directory", str(folder.parent / "dist")]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )


def built(folder: Path, pattern: str) -> Path:
    (found,) = (folder.parent / "dist").glob(pattern)
    return found


def test_the_page_is_in_both(checkout: Path, with_node: str, tmp_path: Path) -> None:
    assert build(checkout, "sdist", with_node).returncode == 0
    subprocess.run(["tar", "-xzf", built(checkout, "*.tar.gz")], cwd=tmp_path, check=True)
    (unpacked,) = tmp_path.glob("webrepl_bridge-*")
    assert (unpacked / PAGE).read_text() == "built\n"
    assert not (unpacked / ".ci").exists()
    assert build(unpacked, "wheel", "").returncode == 0  # whoever installs it needs no Node.js
    with zipfile.ZipFile(built(unpacked, "*.whl")) as archive:
        assert archive.read(PAGE.removeprefix("bridge/")) == b"built\n"


def test_without_node_a_checkout_can_be_installed_but_not_published(checkout: Path) -> None:
    wheel = build(checkout, "wheel", "")
    assert wheel.returncode == 0
    assert "is installed without its page: there is no Node.js here" in wheel.stdout + wheel.stderr
    with zipfile.ZipFile(built(checkout, "*.whl")) as archive:
        assert not [name for name in archive.namelist() if "page_files" in name]
    assert build(checkout, "sdist", "").returncode != 0
