"""Recording what a board prints, as files that asciinema plays.

A recorder is attached like a client, so that it gets what people see, and the board never waits for the disk: what is
not written within FLUSH_S is lost if the bridge is killed, and what a disk does not take in time is left out, which the
recording says.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from itertools import count
from typing import TYPE_CHECKING, BinaryIO

from webrepl_link.errors import OpenError

from ..protocol.asciicast import Asciicast
from ..session import Client, ClientTooSlowError, Session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

log = logging.getLogger(__name__)

FLUSH_S = 0.5
"""How long output may wait to be written."""

FLUSH_BYTES = 1 << 18
"""How much output may wait to be written."""

FILE_BYTES_MAX = 64 << 20
"""After this a recording goes on in a new file."""

GAP = "\r\n[recording: the disk was too slow, output is missing here]\r\n"


def check_folder(folder: Path) -> None:
    """Make the folder for recordings, if there is none.

    Raises:
        OpenError: it cannot be made, or nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".webrepl-bridge"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OpenError(f"cannot record in {folder}: {error.strerror or error}") from error


async def record(session: Session, folder: Path) -> None:
    """Record what the board of `session` prints into files in `folder`, until cancelled, or until that fails.

    Raises nothing: the bridge goes on without a recording.
    """
    try:
        gap = ""
        while True:
            try:
                with session.watch("recorder") as client:
                    while True:
                        await _record_file(session.name, client, folder, gap)
                        gap = ""
            except ClientTooSlowError:
                gap = GAP
    except OSError as error:
        log.error("%s: nothing more is recorded: %s", session.name, error)
    except Exception:
        log.exception("%s: nothing more is recorded", session.name)


async def _record_file(name: str, client: Client[str], folder: Path, first: str) -> None:
    """Record one file, from the next output on until it is long enough."""
    text = first or await client.receive()
    started_at_s = int(time.time())
    now_ms = _clock()
    cast = Asciicast(name, started_at_s, now_ms())
    cast.add(text, now_ms())
    with await asyncio.to_thread(_new_file, folder, name, started_at_s) as file:
        try:
            while cast.size_bytes < FILE_BYTES_MAX:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(FLUSH_S):
                        while cast.waiting_bytes < FLUSH_BYTES:
                            cast.add(await client.receive(), now_ms())
                await asyncio.to_thread(_write, file, cast.data_to_write())
                cast.add(await client.receive(), now_ms())
        finally:
            while text := client.take():
                cast.add(text, now_ms())
            _write(file, cast.data_to_write())


def _clock() -> Callable[[], int]:
    loop = asyncio.get_running_loop()
    return lambda: int(loop.time() * 1000)


def _new_file(folder: Path, name: str, started_at_s: int) -> BinaryIO:
    stem = re.sub(r"[^\w.-]", "-", name) + time.strftime("-%Y%m%dT%H%M%SZ", time.gmtime(started_at_s))
    for number in count(1):
        with contextlib.suppress(FileExistsError):
            return (folder / f"{stem}{f'-{number}' if number > 1 else ''}.cast").open("xb")
    raise AssertionError("numbers do not end")


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
