"""What all have in common that join a stream, a clock and the pure cores: a task that reads and one that writes."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod

from webrepl_link.errors import BrokenError, TransportError


class Wire(ABC):
    """Two tasks that serve until the first of them fails, and word of what happens meanwhile.

    A kind of wire fills in `_receive` and `_send`, which end by TransportError only; `_send` waits for `_work` and sets
    `_changed` whenever something has happened.
    """

    def __init__(self) -> None:
        self._work = asyncio.Event()
        self._changed = asyncio.Event()
        self._failure: TransportError | None = None

    @abstractmethod
    async def _receive(self) -> None:
        """Take what comes, for ever."""

    @abstractmethod
    async def _send(self) -> None:
        """Send what there is to send, for ever."""

    async def run(self) -> None:
        """Serve until the stream ends.

        Raises:
            TransportError: how it ended.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive())
                # Not a task: one that fails while the group does nothing but wait for it leaves whoever runs the group
                # with a cancellation that Python before 3.13 never takes back, and timeouts of 3.11.2 trip over that.
                await self._send()
        except* TransportError as errors:
            self._failure = next(error for error in errors.exceptions if isinstance(error, TransportError))
        finally:
            self._failure = self._failure or BrokenError("the bridge has let go of the board")
            self._changed.set()
        raise self._failure

    @property
    def ended(self) -> bool:
        """Whether the stream has ended."""
        return self._failure is not None

    def kick(self) -> None:
        """Say that there is something to do."""
        self._work.set()

    def notify(self) -> None:
        """Say that something has happened, to those who wait for a change."""
        self._changed.set()

    async def change(self, timeout_ms: int | None = None) -> bool:
        """Wait until something has happened; False if nothing did within `timeout_ms`.

        Raises:
            TransportError: the stream has ended.
        """
        self._changed.clear()
        if self._failure is not None:
            raise self._failure
        try:
            async with asyncio.timeout(None if timeout_ms is None else timeout_ms / 1000):
                await self._changed.wait()
        except TimeoutError:
            return False
        if self._failure is not None:
            raise self._failure
        return True
