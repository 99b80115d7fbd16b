"""Runs Thonny's back-end, which shows nothing, where Python has no Tk: its package imports all of the window."""

from __future__ import annotations

import runpy
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


class NoWindows(ModuleType):
    """A module of classes to derive from."""

    __path__ = ()

    def __getattr__(self, name: str) -> type:
        """Make the class `name`."""
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (Exception,) if name.endswith("Error") else (), {})
        setattr(self, name, made)
        return made


if __name__ == "__main__":
    tkinter = NoWindows("tkinter")
    sys.modules.update({"tkinter": tkinter, "_tkinter": NoWindows("_tkinter")})
    for part in ("colorchooser", "dnd", "filedialog", "font", "messagebox", "simpledialog", "ttk"):
        module = sys.modules[f"tkinter.{part}"] = NoWindows(f"tkinter.{part}")
        setattr(tkinter, part, module)
    thonny = find_spec("thonny")
    assert thonny is not None
    (folder,) = thonny.submodule_search_locations or ()
    runpy.run_path(str(Path(folder, "plugins", "micropython", "bare_metal_backend.py")), run_name="__main__")
