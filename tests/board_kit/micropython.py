"""MicroPython's unix port as a command: runs a script that can import what boards run."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from . import firmware

SHIM_FOLDER = firmware.KIT.parents[1] / "firmware_shim"


class Script:
    """A running script.

    Attributes:
        process: its process; what it prints comes with `line`.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        """Return the next line that it prints.

        Raises:
            AssertionError: it ended instead.
        """
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode()
        assert line.endswith("\n"), "the script has ended; its error output is above"
        return line.removesuffix("\n")

    async def tell(self, line: str) -> None:
        """Give it a line to read."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()


@asynccontextmanager
async def micropython(folder: Path, code: str, *arguments: str) -> AsyncIterator[Script]:
    """Run `code` until the block ends, with `arguments` in sys.argv[1:]; `folder` is where the script is kept."""
    script = folder / "script.py"
    script.write_text(code)
    command = [sys.executable, str(firmware.KIT / "die_with_parent.py")]
    command += [sys.executable, "-m", "micropython_unix", str(script), *arguments]
    environment = os.environ | {"MICROPYPATH": f"{SHIM_FOLDER}:{firmware.KIT}:.frozen"}
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    try:
        yield Script(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()
