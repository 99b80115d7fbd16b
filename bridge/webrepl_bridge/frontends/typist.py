"""One client's typing, so that nothing else of the client waits while the board is busy."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NoReturn

from webrepl_link.errors import BoardError, RemoteProtocolError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..session import AnyClient

log = logging.getLogger(__name__)

TYPED_BYTES_MAX = 1 << 20
"""Terminal input that may wait for the board; a client that sends more waits too."""

WRITES_MAX = 8
"""Writes to the board that one client may have under way at once, all but the first with a Ctrl-C."""

CTRL_C = b"\x03"


class Typist:
    """Types one client's input at the board, so that nothing else has to wait while the board is busy.

    Ctrl-C does not wait behind what the board has not taken yet: a board drops that when it sees the Ctrl-C.
    """

    def __init__(self, client: AnyClient) -> None:
        self._client = client
        self._waiting = bytearray()
        self._writes = 0
        self._change = asyncio.Event()

    @property
    def full(self) -> bool:
        """Whether no more should be added."""
        return len(self._waiting) >= TYPED_BYTES_MAX

    def add(self, data: bytes) -> None:
        """Type `data` after what waits already."""
        self._waiting += data
        self._change.set()

    def forget(self) -> None:
        """Drop what has not been handed to the board."""
        self._waiting.clear()
        self._change.set()

    async def add_when_there_is_space(self, data: bytes) -> None:
        """The same, once there is space; Ctrl-C needs none."""
        if CTRL_C not in data:
            await self._until(lambda: not self.full)
        self.add(data)

    async def has_typed_all(self) -> None:
        """Wait until the board has everything."""
        await self._until(lambda: not self._waiting and not self._writes)

    async def run(self) -> NoReturn:
        """Type until cancelled."""
        async with asyncio.TaskGroup() as writes:
            while True:
                await self._until(self._may_write)
                data = bytes(self._waiting)
                self._waiting.clear()
                self._writes += 1
                self._change.set()
                writes.create_task(self._write(data))

    def _may_write(self) -> bool:
        urgent = CTRL_C in self._waiting and self._writes < WRITES_MAX
        return bool(self._waiting) and (urgent or not self._writes)

    async def _write(self, data: bytes) -> None:
        try:
            await self._client.write(data)
        except (TransportError, RemoteProtocolError, BoardError) as error:
            log.warning("%s: %d typed bytes are lost: %s", self._client.name, len(data), error)
        finally:
            self._writes -= 1
            self._change.set()

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._change.clear()
            await self._change.wait()
