"""A stream over an asyncio transport: asyncio's own for TCP, pyserial-asyncio's for a serial port."""

from __future__ import annotations

import asyncio
from typing import cast

from webrepl_link.errors import BrokenError, EndOfStreamError
from webrepl_transports._buffered import BufferedStream


class AsyncioStream(BufferedStream, asyncio.Protocol):
    """The protocol and the stream in one: asyncio calls the lower half, the bridge the upper one.

    Give it to a `create_connection` of asyncio's as its protocol, and it is a stream; see examples/.

    Args:
        description: how to name this wire to a person; it begins every error.
        reliable: whether the wire keeps bytes from getting lost.
        line_rate_baud: bits per second on the line, None for no such limit.
    """

    def __init__(self, description: str, *, reliable: bool, line_rate_baud: int | None) -> None:
        super().__init__(description, reliable=reliable, line_rate_baud=line_rate_baud)
        self._transport: asyncio.Transport | None = None
        self._writing_paused = False
        self._lost = asyncio.Event()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; `send` is to wait until it has nothing buffered."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=0)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._feed(data)

    def eof_received(self) -> None:
        """The other side has closed its half: for a terminal this is the end."""
        self._finish(EndOfStreamError(f"{self.description}: the other side closed the connection"))

    def pause_writing(self) -> None:
        """The operating system did not take all."""
        self._writing_paused = True

    def resume_writing(self) -> None:
        """The operating system has all."""
        self._writing_paused = False
        if self._ended is None:
            self._handed_over()

    def connection_lost(self, exc: Exception | None) -> None:
        """The transport is gone, for whatever reason."""
        self._finish(BrokenError(f"{self.description}: the connection broke: {exc or 'no reason given'}"))
        self._transport = None
        self._lost.set()

    # BufferedStream

    def _hand_over(self, chunk: bytes) -> bool:
        assert self._transport is not None
        self._transport.write(chunk)
        return not self._writing_paused

    def _pause_input(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def _resume_input(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def _close_wire(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def _wait_closed(self) -> None:
        await self._lost.wait()
