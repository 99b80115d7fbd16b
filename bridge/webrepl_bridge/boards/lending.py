"""A board's wire that can be lent: to a tool that resets the board into its boot loader and speaks to that."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from webrepl_link.errors import BrokenError
from webrepl_transports import ByteStream

if TYPE_CHECKING:
    from collections.abc import Iterator


class LendableStream(ByteStream):
    """A stream for a board, which sees its end when somebody else gets it.

    Closing it waits until it has been given back, so that the board is opened anew only then.

    Args:
        inner: the wire itself.
    """

    def __init__(self, inner: ByteStream) -> None:
        self.description = inner.description
        self.reliable = inner.reliable
        self.line_rate_baud = inner.line_rate_baud
        self.control = inner.control
        self._inner = inner
        self._receiver: asyncio.Task[object] | None = None
        self._end: BrokenError | None = None
        self._given_back = asyncio.Event()

    @contextmanager
    def lend(self, borrower: str) -> Iterator[ByteStream]:
        """Lend the wire itself until the block ends; once, as the board is gone then.

        Raises:
            BrokenError: it has been lent before.
        """
        self._raise_if_lent()
        self._end = BrokenError(f"lent to {borrower}")
        if self._receiver is not None:
            self._receiver.cancel()
        try:
            yield self._inner
        finally:
            self._given_back.set()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """See ByteStream."""
        self._raise_if_lent()
        self._receiver = asyncio.current_task()
        try:
            return await self._inner.receive(max_bytes)
        except asyncio.CancelledError:
            if self._end is not None and self._receiver is not None and not self._receiver.uncancel():
                raise self._end from None
            raise
        finally:
            self._receiver = None

    async def send(self, data: bytes) -> None:
        """See ByteStream."""
        self._raise_if_lent()
        await self._inner.send(data)

    async def aclose(self) -> None:
        """See ByteStream; who has borrowed it keeps it, unless this is cancelled."""
        try:
            if self._end is not None:
                await self._given_back.wait()
        finally:
            await self._inner.aclose()

    def _raise_if_lent(self) -> None:
        if self._end is not None:
            raise self._end
