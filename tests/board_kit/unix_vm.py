"""MicroPython's unix port on a pty, for tests that are not asyncio themselves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from webrepl_bridge.demo import vm_on_pty


@dataclass(frozen=True)
class UnixVM:
    """A running MicroPython.

    Attributes:
        device: path of its pty, to open like a serial port.
        folder: its files; it sees this folder as `/`.
    """

    device: str
    folder: Path


@contextmanager
def unix_vm(folder: Path) -> Iterator[UnixVM]:
    """Run MicroPython with the files in `folder` until the block ends."""
    # A thread of its own, so that the VM is served while a test blocks on its serial port.
    started: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with vm_on_pty(folder) as device:
            started.set_result((device, asyncio.get_running_loop(), stop))
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="unix-vm")
    thread.start()
    try:
        device, loop, stop = started.result()
        try:
            yield UnixVM(device, folder)
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()
