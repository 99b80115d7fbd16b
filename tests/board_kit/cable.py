"""A MicroPython that can be unplugged: a device that comes and goes, as a USB board's does."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from webrepl_bridge.demo import vm_on_pty


class Cable:
    """A device in a folder, and MicroPython's unix port behind it while it is plugged in.

    Pulling ends MicroPython too, as a board that gets its power from the cable.

    Attributes:
        device: the path to open, there or not.
        files: the board's files, which stay.
    """

    def __init__(self, folder: Path, name: str = "ttyUSB0") -> None:
        self.device = folder / "dev" / name
        self.device.parent.mkdir(exist_ok=True)
        self.files = folder / f"files of {name}"
        self.files.mkdir()
        self._plugged_in = AsyncExitStack()

    async def __aenter__(self) -> Cable:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.pull()

    async def plug_in(self) -> None:
        """Let the board appear."""
        pty = await self._plugged_in.enter_async_context(vm_on_pty(self.files))
        self.device.symlink_to(pty)
        self._plugged_in.callback(self.device.unlink)

    async def pull(self) -> None:
        """Let the board vanish."""
        await self._plugged_in.aclose()
