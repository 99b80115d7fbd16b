"""Putting the shim on a stock board, and taking it off again, through the board's own REPL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from webrepl_link.errors import BoardError

from ..protocol.boot_file import UartStart, start_in, with_start, without_start
from ..protocol.errnos import EIO, ENOENT
from .programs import program
from .shim_files import PACKAGES, shim_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from .stock import StockBoard

RESTART_TIMEOUT_MS = 8_000
PIECE_BYTES = 1024


@dataclass(frozen=True)
class ShimStatus:
    """What there is of the shim on a board.

    Attributes:
        folder: where its packages are, or would be.
        files: its files there, as {"webrepl_shim/service.mpy": content}.
        start: what boot.py calls to start it; None if it does not.
        is_running: whether it runs now.
        mpy: what compiled code the board takes; 0: none.
        uart: how the board prints the UART that was asked about; "" if it was not asked.
    """

    folder: str
    files: dict[str, bytes]
    start: str | None
    is_running: bool
    mpy: int
    uart: str

    @property
    def is_current(self) -> bool:
        """Whether the files are those that `install` would put."""
        return self.files in (shim_files(self.mpy), shim_files(0))


class ShimInstaller:
    """Installs the shim on a board.

    Args:
        board: the board; it is being run.
        on_step: called with what is done next.
    """

    def __init__(self, board: StockBoard, on_step: Callable[[str], None] = lambda step: None) -> None:
        self._board = board
        self._on_step = on_step

    async def status(self, uart: int | None = None) -> ShimStatus:
        """Look at what is there.

        Args:
            uart: a UART to look at as well.

        Raises:
            BoardError, TransportError: the board does not tell.
        """
        lines = (await self._run(f"shim_info({uart})")).split("\n")
        mpy, folder, is_running, shown = (line.strip() for line in lines[:4])
        if not folder:
            raise BoardError(ENOENT, "the board's sys.path has no lib folder")
        files = {}
        for package in PACKAGES:
            for name in (await self._run(f"shim_folder({folder + '/' + package!r})")).split():
                files[f"{package}/{name}"] = await self._get(f"{folder}/{package}/{name}") or b""
        start = start_in(await self._get(_boot_name(folder)))
        return ShimStatus(folder, files, start, is_running == "1", int(mpy), shown)

    async def install(self, start: UartStart, status: ShimStatus) -> None:
        """Put the shim on the board and have boot.py start it; then restart the board and see that it runs.

        Raises:
            BoardError, TransportError: it did not work; install again, or remove.
        """
        files = shim_files(status.mpy)
        for folder in ("", *(f"/{package}" for package in PACKAGES)):
            await self._run(f"shim_make({status.folder + folder!r})")
        for name, content in files.items():
            if status.files.get(name) != content:
                self._on_step(f"putting {status.folder}/{name}, {len(content):,} bytes")
                await self._put(f"{status.folder}/{name}", content)
        # A module is looked for as source first, so what was there in the other form would hide what was put.
        await self._remove_files(status, [name for name in status.files if name not in files])
        boot_name = _boot_name(status.folder)
        boot = await self._get(boot_name)
        self._on_step(f"writing the start into {boot_name}")
        await self._put(boot_name, with_start(boot, start))
        self._on_step("restarting the board")
        printed = await self._restart()
        if not (await self.status()).is_running:
            said = re.search(r"^webrepl_shim: .+$", printed, re.MULTILINE)
            raise BoardError(EIO, f"the shim does not start: {said[0].strip() if said else 'it does not say why'}")

    async def _restart(self) -> str:
        """Restart the board and return what it prints until its prompt, or until main.py has run for a while."""
        printed = bytearray()
        self._board.on_output = printed.extend
        await self._board.soft_reset()
        await self._board.wait_for_prompt(RESTART_TIMEOUT_MS)
        return printed.decode("utf-8", "replace")

    async def remove(self, status: ShimStatus) -> None:
        """Take off what `install` has put on, and nothing else.

        Raises:
            BoardError, TransportError: it did not work; remove again.
        """
        await self._run("shim_stop()")
        boot_name = _boot_name(status.folder)
        boot = await self._get(boot_name)
        if boot is not None and start_in(boot) is not None:
            self._on_step(f"taking the start out of {boot_name}")
            rest = without_start(boot)
            if rest is None:
                await self._run(f"shim_remove('remove', {boot_name!r})")
            else:
                await self._put(boot_name, rest)
        self._on_step(f"removing {len(status.files)} files")
        await self._remove_files(status, list(status.files))
        for folder in (*(f"/{package}" for package in PACKAGES), ""):
            await self._run(f"shim_remove('rmdir', {status.folder + folder!r})")  # if nothing else is in it

    async def _remove_files(self, status: ShimStatus, names: list[str]) -> None:
        for name in names:
            await self._run(f"shim_remove('remove', {status.folder + '/' + name!r})")

    async def _run(self, call: str) -> str:
        function = call.partition("(")[0]
        source = _function(program("shim_info"), function)
        printed = await self._board.execute(source + f"\ntry:{call}\nfinally:del {function}\n".encode())
        return printed.decode("utf-8", "replace").replace("\r", "")

    async def _get(self, name: str) -> bytes | None:
        data = b""
        try:
            async with self._board.get(name) as reader:
                while piece := await reader.read():
                    data += piece
        except BoardError as error:
            if error.code == ENOENT:
                return None
            raise
        return data

    async def _put(self, name: str, content: bytes) -> None:
        async with self._board.put(name, len(content)) as writer:
            for start in range(0, len(content), PIECE_BYTES):
                await writer.write(content[start : start + PIECE_BYTES])
            await writer.finish()


def _boot_name(folder: str) -> str:
    return folder.removesuffix("lib") + "boot.py"


def _function(source: bytes, name: str) -> bytes:
    """Return the one function of a program that is wanted."""
    start = source.index(b"def " + name.encode() + b"(")
    end = source.find(b"\ndef ", start)
    return source[start:] if end < 0 else source[start:end]
