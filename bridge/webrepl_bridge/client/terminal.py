"""What a board prints, kept for the one who reads it, and dialogues at its terminal."""

from __future__ import annotations

import asyncio
import codecs
from contextlib import suppress
from typing import TYPE_CHECKING

from webrepl_link.errors import BoardError, BrokenError, TransportError

from ..protocol.dialogue import Deliver, Dialogue, DialogueTimeoutError, Pause, Receive, Send, Step
from ..protocol.errnos import EIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..boards.base import Board

WAITING_BYTES_MAX = 1 << 22
"""What a board may print before it is read."""


class Terminal:
    """A board's terminal, both ways.

    Args:
        board: the board, being run.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._waiting = bytearray()
        self._news = asyncio.Event()
        self._failure: TransportError | None = None
        self._has_lost = False

    def show(self, data: bytes) -> None:
        """Take what the board has printed."""
        if len(self._waiting) + len(data) > WAITING_BYTES_MAX:
            self._has_lost = True
            self._waiting.clear()
        else:
            self._waiting += data
        self._news.set()

    def end(self, failure: TransportError) -> None:
        """The wire has ended: so does reading, once all has been read."""
        self._failure = failure
        self._news.set()

    async def read(self) -> bytes:
        """Return what the board has printed since the last time, at least one byte.

        Raises:
            TransportError: the wire has ended.
            BoardError: more than 4 MiB were waiting, and are lost.
        """
        while not self._waiting:
            if self._has_lost:
                self._has_lost = False
                raise BoardError(EIO, f"more than {WAITING_BYTES_MAX:,} bytes of the board's output were not read")
            if self._failure is not None:
                raise self._failure
            self._news.clear()
            await self._news.wait()
        data = bytes(self._waiting)
        self._waiting.clear()
        return data

    def drop(self) -> None:
        """Forget what has not been read."""
        self._waiting.clear()
        self._has_lost = False

    async def write(self, data: bytes) -> None:
        """Type at the terminal, without loss; waits while too much is waiting to be typed.

        Raises:
            TransportError: the wire has ended.
        """
        if self._failure is not None:
            raise self._failure
        await self._board.write(data)

    async def converse(self, dialogue: Dialogue[None], deliver: Callable[[bytes], None]) -> None:
        """Drive a dialogue to its end.

        Args:
            dialogue: what to say and what to wait for.
            deliver: called with what it delivers.

        Raises:
            BoardError, TransportError: as the dialogue and `read`.
        """
        with suppress(StopIteration):
            step = next(dialogue)
            while True:
                try:
                    answer = await self._answer(step, deliver)
                except TimeoutError:
                    step = dialogue.throw(DialogueTimeoutError())
                else:
                    step = dialogue.send(answer)

    async def _answer(self, step: Step, deliver: Callable[[bytes], None]) -> bytes:
        match step:
            case Send(data):
                await self.write(data)
            case Receive(timeout_ms):
                async with asyncio.timeout(timeout_ms / 1000):
                    return await self.read()
            case Pause(duration_ms):
                await asyncio.sleep(duration_ms / 1000)
            case Deliver(data):
                deliver(data)
            case _:
                raise AssertionError(step)
        return b""


class TextOutput:
    """Makes text of a program's output: UTF-8, and lines that end in a line feed."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._return = ""

    def decode(self, data: bytes, *, final: bool = False) -> str:
        """Return the text of the next bytes; what belongs to the text after it comes with that."""
        text = self._return + self._decoder.decode(data, final)
        self._return = "\r" if text.endswith("\r") and not final else ""
        return text.removesuffix(self._return).replace("\r\n", "\n")


def end_of(running: asyncio.Task[None]) -> TransportError:
    """Return how the task that runs a board has ended, as the error of its wire."""
    error = None if running.cancelled() else running.exception()
    return error if isinstance(error, TransportError) else BrokenError("the connection has been closed")
