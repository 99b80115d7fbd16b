"""Where a stream, a clock and the pure cores meet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..protocol.dialogue import Dialogue, DialogueTimeoutError, Pause, Receive, Send, Step
from ..protocol.terminal import Terminal
from ..within import within
from .wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrepl_transports import ByteStream

RECEIVE_BYTES = 65536


class ReplWire(Wire):
    """Runs the terminal on a stream, and lends the stream to dialogues meanwhile out of the terminal's sight.

    Args:
        stream: the wire, open; closed by its owner.
        on_output: called with what the clients should see of the board's output.

    Attributes:
        terminal: the core that types without loss. After changing it, call `kick`.
    """

    def __init__(self, stream: ByteStream, on_output: Callable[[bytes], None]) -> None:
        super().__init__()
        self.terminal = Terminal()
        self._stream = stream
        self._on_output = on_output
        self._clock = asyncio.get_running_loop().time
        self._lent = False
        self._unread = bytearray()
        self._has_unread = asyncio.Event()

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    async def run(self) -> None:
        """See Wire."""
        try:
            await super().run()
        finally:
            self._has_unread.set()

    async def _receive(self) -> None:
        while True:
            data = await self._stream.receive(RECEIVE_BYTES)
            if self._lent:
                self._unread += data
                self._has_unread.set()
                continue
            may_wait = self.terminal.settled
            self.terminal.receive_data(data, self._now_ms())
            self._show()
            if may_wait and self.terminal.settled:
                self.notify()  # with nothing to type there is nothing for `_send` to do
            else:
                self.kick()

    async def _send(self) -> None:
        while True:
            self._work.clear()
            deadline_ms = None
            if not self._lent:
                if data := self.terminal.data_to_send(self._now_ms()):
                    await self._stream.send(data)
                self._show()
                deadline_ms = self.terminal.next_deadline_ms()
            self._changed.set()
            try:
                await within(None if deadline_ms is None else deadline_ms + 1 - self._now_ms(), self._work.wait())
            except TimeoutError:
                self.terminal.handle_timeout(self._now_ms())

    def _show(self) -> None:
        if shown := self.terminal.data_to_show():
            self._on_output(shown)

    # Lending the stream to dialogues.

    def lend(self) -> None:
        """From here on the board's output is for dialogues, and nothing is typed."""
        self._lent = True
        self._unread.clear()

    def take_back(self) -> None:
        """From here on the stream is the terminal's again; the caller has put its tracker into the right mode."""
        self._lent = False
        self.kick()

    async def advance(self, dialogue: Dialogue[None], answer: bytes = b"") -> Step | None:
        """Drive `dialogue` until it needs something that is not the wire's, or ends.

        Args:
            dialogue: a dialogue, fresh or where it was left.
            answer: what it asked for last; nothing for a fresh one.

        Returns:
            What it needs, or None at its end.

        Raises:
            BoardError, RemoteProtocolError: the dialogue ended badly.
            TransportError: the stream has ended.
        """
        step = next(dialogue, None) if not answer else _resume(dialogue, answer)
        while step is not None:
            match step:
                case Send(data):
                    await self._stream.send(data)
                    step = _resume(dialogue, b"")
                case Receive(timeout_ms):
                    try:
                        data = await self._read(timeout_ms)
                    except TimeoutError:
                        step = _fail(dialogue)
                    else:
                        step = _resume(dialogue, data)
                case Pause(duration_ms):
                    await asyncio.sleep(duration_ms / 1000)
                    step = _resume(dialogue, b"")
                case _:
                    return step
        return None

    async def _read(self, timeout_ms: int) -> bytes:
        if not self._unread:
            self._has_unread.clear()
            if self._failure is not None:
                raise self._failure
            async with asyncio.timeout(timeout_ms / 1000):
                await self._has_unread.wait()
            if self._failure is not None:
                raise self._failure
        data = bytes(self._unread)
        self._unread.clear()
        return data


def _resume(dialogue: Dialogue[None], answer: bytes) -> Step | None:
    try:
        return dialogue.send(answer)
    except StopIteration:
        return None


def _fail(dialogue: Dialogue[None]) -> Step | None:
    try:
        return dialogue.throw(DialogueTimeoutError())
    except StopIteration:
        return None
