"""What every stream here has in common: bytes waiting to be received, bytes on their way out, and one end.

A kind of wire is a subclass that calls `_feed` with what arrives, `_finish` when the wire ends, and fills in
`_hand_over`, `_pause_input`, `_resume_input`, `_close_wire` and `_wait_closed`. All of it happens on the
event loop's thread.

Rules that the rest of the project relies on:

* `receive` takes bytes out in one step after waiting, so a cancelled one has taken none.
* `send` waits for its turn (cancelled here it has taken none), takes the whole of `data`, and returns when
  the operating system has it. Cancelled in that second half all of `data` still goes out: it is never torn.
* At most `INPUT_LIMIT_BYTES` (and one read) wait on the way in, and one `send` on the way out.
* What arrived before the wire's end is still received after it; closing on this side drops it.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import TYPE_CHECKING

from webrepl_link.errors import BrokenError
from webrepl_transports._stream import ByteStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrepl_link.errors import TransportError

INPUT_LIMIT_BYTES = 64 * 1024
"""More than this waiting to be received, and the wire is no longer read."""

CHUNK_BYTES = 16 * 1024
"""A larger send goes to the wire in pieces of this size, as transports copy their buffer at every write."""


def run_apart(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> asyncio.Future[None]:
    """Run a blocking `call` in a thread; here and now if the loop is already shutting down and has none left."""
    try:
        return loop.run_in_executor(None, call)
    except RuntimeError:
        call()
        done: asyncio.Future[None] = loop.create_future()
        done.set_result(None)
        return done


class BufferedStream(ByteStream):
    """Receive, send and end, over the four hooks of a kind of wire.

    Args:
        description: how to name this wire to a person.
        reliable: whether the wire keeps bytes from getting lost.
        line_rate_baud: bits per second on the line, None for no such limit.
    """

    def __init__(self, description: str, *, reliable: bool, line_rate_baud: int | None) -> None:
        self.description = description
        self.reliable = reliable
        self.line_rate_baud = line_rate_baud
        self._incoming = bytearray()
        self._input_paused = False
        self._outgoing = memoryview(b"")
        self._wire_busy = False
        self._ended: TransportError | None = None
        self._readable = asyncio.Event()  # set: bytes wait, or the end
        self._all_sent = asyncio.Event()  # set: the system has all that was taken, or the end
        self._all_sent.set()
        self._send_turn = asyncio.Lock()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes, at least one, as soon as there are any; see `ByteStream.receive`."""
        if max_bytes < 1:
            raise ValueError("max_bytes must be at least 1")
        while not self._incoming:
            self._raise_how_it_ended()
            self._readable.clear()
            await self._readable.wait()
        data = bytes(self._incoming[:max_bytes])
        del self._incoming[:max_bytes]
        if self._input_paused and len(self._incoming) <= INPUT_LIMIT_BYTES // 2:
            self._input_paused = False
            if self._ended is None:
                self._resume_input()
        return data

    async def send(self, data: bytes) -> None:
        """Take all of `data` and return when the operating system has it; see `ByteStream.send`."""
        async with self._send_turn:
            await self._all_sent.wait()  # what a cancelled send has left
            self.raise_if_ended()
            if not data:
                return
            self._all_sent.clear()
            self._outgoing = memoryview(bytes(data))
            self._push()
            await self._all_sent.wait()
            self.raise_if_ended()

    async def aclose(self) -> None:
        """Close the wire and wait until all it holds is free; any number of tasks may call it again."""
        if self._ended is None:
            self._finish(BrokenError(f"{self.description} was closed on this side"))
        self._incoming.clear()
        await self._wait_closed()

    # For kinds of wire to call.

    def raise_if_ended(self) -> None:
        """Refuse what would need an open wire.

        Raises:
            BrokenError: the stream has ended, in whichever way.
        """
        if self._ended is not None:
            raise BrokenError(*self._ended.args)

    def _feed(self, data: bytes) -> None:
        """Put what has arrived where `receive` finds it."""
        if not data or self._ended is not None:
            return
        self._incoming += data
        self._readable.set()
        if len(self._incoming) > INPUT_LIMIT_BYTES and not self._input_paused:
            self._input_paused = True
            self._pause_input()

    def _handed_over(self) -> None:
        """The wire, which had said that it was busy, has taken what it was given."""
        self._wire_busy = False
        self._push()

    def _finish(self, error: TransportError) -> None:
        """End the stream: only the first reason counts. Frees the wire without waiting for it."""
        if self._ended is not None:
            return
        self._ended = error
        self._outgoing = memoryview(b"")
        self._readable.set()
        self._all_sent.set()
        self._close_wire()

    # For kinds of wire to fill in.

    @abstractmethod
    def _hand_over(self, chunk: bytes) -> bool:
        """Give `chunk` to the wire: True if it has it all now, False if it will call `_handed_over`."""

    @abstractmethod
    def _pause_input(self) -> None:
        """Stop reading the wire."""

    @abstractmethod
    def _resume_input(self) -> None:
        """Read the wire again."""

    @abstractmethod
    def _close_wire(self) -> None:
        """Start to free what the wire holds, without waiting; called once."""

    @abstractmethod
    async def _wait_closed(self) -> None:
        """Wait until what `_close_wire` started is done; called after it, any number of times."""

    def _push(self) -> None:
        while self._outgoing and not self._wire_busy:
            chunk = bytes(self._outgoing[:CHUNK_BYTES])
            self._outgoing = self._outgoing[CHUNK_BYTES:]
            self._wire_busy = not self._hand_over(chunk)
        if not self._wire_busy:
            self._all_sent.set()

    def _raise_how_it_ended(self) -> None:
        if self._ended is not None:
            # A new object each time: raising one object again would make its traceback grow.
            raise type(self._ended)(*self._ended.args)
