"""Builds the page into the package wherever the package is built and Node.js is there; see page.py in the frontends."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageBuildHook(BuildHookInterface[Any]):
    """Runs `npm ci` and `npm run build`. Without Node.js the package is built without its page, and says so."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page, unless this is an unpacked source distribution: that brings it along.

        Raises:
            RuntimeError: a source distribution would be made without the page.
        """
        if Path(self.root, "PKG-INFO").is_file():
            return
        problem = build_page(Path(self.root, "bridge", "page"))
        if problem and self.target_name == "sdist":
            raise RuntimeError(f"the page is not built: {problem}")
        if problem:
            self.app.display_warning(f"webrepl-bridge is installed without its page: {problem}")


def build_page(folder: Path) -> str:
    """Build the page in `folder`; return what went wrong, or nothing."""
    npm = shutil.which("npm")
    if npm is None:
        return "there is no Node.js here"
    for arguments in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
        done = subprocess.run([npm, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"npm {arguments[0]} failed: {(done.stderr or done.stdout).strip()}"
    return ""
