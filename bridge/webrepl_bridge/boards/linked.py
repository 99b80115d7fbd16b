"""A board with the shim: WebREPL's messages by the link, while the board's program runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING

from webrepl_link.errors import BoardError, LocalProtocolError, RemoteProtocolError, TransportError, WebReplError
from webrepl_link.records import NAME_BYTES_MAX

from ..protocol.dialogue import ETIMEDOUT
from ..protocol.webrepl_client import ChunkTold, Ended, Event, OutOfStep, VersionTold, WebReplClient
from .link_wire import AGE_MS_MAX, LinkWire
from .terminal_board import INTERRUPT_TIMEOUT_MS, TerminalBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from webrepl_transports import ByteStream

log = logging.getLogger(__name__)

GRACE_MS = 300
"""How long what was just typed may take before it counts as a running program, beside which files move."""

SESSION_TIMEOUT_MS = 5_000
"""How long an operation waits for a board that does not answer the link's call."""

ANSWER_TIMEOUT_MS = 90_000
"""How long the board may take for a step of a transfer: a wire that was pulled for a minute ends none."""

GIVE_UP_TIMEOUT_MS = 5_000
"""How long the board may take to give up a transfer, before the session is given up instead."""

REPEATS_MAX = 3
"""How often a put begins again because the board has started anew."""

KEPT_BYTES_MAX = 1 << 24
"""The largest file that is kept so that its put can begin again."""

AHEAD_BYTES = 2048
"""How much of a file waits for the link; more would only be memory."""

CHUNKS_AHEAD = 4
"""How many chunks of a file are asked for at once, so that the line does not fall silent between them."""

ECONNRESET, EINVAL, EIO = 104, 22, 5

ERRORS = {
    1: "not permitted",
    2: "no such file or directory",
    5: "input or output failed",
    12: "not enough memory",
    13: "permission denied",
    16: "busy",
    17: "it exists already",
    20: "not a directory",
    21: "it is a directory",
    22: "not a valid name",
    28: "no space left",
    30: "the file system is read-only",
}


class LinkedBoard(TerminalBoard):
    """A board on a wire, with the shim.

    Args:
        stream: the open wire; closed by its owner.
        random_bits: gives so many random bits.
        may_end: whether `run` ends, with ShimGoneError, when a plain REPL has taken the shim's place.
    """

    def __init__(
        self, stream: ByteStream, random_bits: Callable[[int], int] = secrets.randbits, *, may_end: bool = False
    ) -> None:
        self._wire = LinkWire(
            stream,
            random_bits,
            lambda data: self.on_output(data),
            lambda line: self.on_notice(line),
            may_end=may_end,
        )
        super().__init__(self._wire)
        self._turn = asyncio.Lock()
        self._clock = asyncio.get_running_loop().time
        self._typed_at = 0.0
        self._tasks: asyncio.TaskGroup | None = None
        self._version: tuple[int, int, int] | None = None

    async def run(self) -> None:
        """See Board. The board is called until it answers, and again whenever it falls silent."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._introduce())
                self._tasks.create_task(self._stay_young())
                await self._wire.run()
        except* TransportError as errors:
            failure = errors.exceptions[0]
        raise failure

    async def _stay_young(self) -> None:
        while True:
            await asyncio.sleep(AGE_MS_MAX / 1000)
            async with self._turn:
                self._wire.renew()

    async def settle(self) -> None:
        """Wait until no operation is under way."""
        async with self._turn:
            pass

    async def soft_reset(self) -> None:
        """See Board."""
        async with self._turn:
            if not self._at_rest:
                await self.interrupt()
                if not await self._until(lambda: self._at_rest, INTERRUPT_TIMEOUT_MS):
                    raise BoardError(ETIMEDOUT, "the program on the board does not let itself be interrupted")
            await self._reset_at_prompt()

    # What is asked by records.

    async def write(self, data: bytes) -> None:
        """See Board."""
        self._typed_at = self._clock()
        await super().write(data)

    async def _typing_done(self) -> None:
        """Wait until what was typed before has had its effect, or runs as a program."""
        while not self._terminal.settled:
            waiting_bytes = self._terminal.waiting_bytes
            if not waiting_bytes and self._clock() > self._typed_at + GRACE_MS / 1000:
                return
            if not await self._until(lambda: self._has_typed_more(waiting_bytes), GRACE_MS):  # noqa: B023
                return

    def _has_typed_more(self, waiting_bytes: int) -> bool:
        return self._terminal.settled or self._terminal.waiting_bytes < waiting_bytes

    async def version(self) -> tuple[int, int, int]:
        """See Board."""
        if self._version is None:
            with contextlib.suppress(BoardError):
                async with self._talk() as talk:
                    talk.client.ask_version()
                    match await talk.answer():
                        case VersionTold(version):
                            self._version = version
        return self._version or (0, 0, 0)

    @contextlib.asynccontextmanager
    async def _talk(self) -> AsyncIterator[_Talk]:
        """Take a turn in asking the board; what the block leaves in the middle is given up."""
        await self._turn.acquire()
        talk = _Talk(self._wire)
        try:
            if not await self._until(lambda: self._wire.is_up, SESSION_TIMEOUT_MS):
                raise BoardError(ETIMEDOUT, "the board's shim does not answer")
            await self._typing_done()
            talk.begin()
            yield talk
        finally:
            if talk.is_over or self._wire.ended:
                self._turn.release()
            else:
                assert self._tasks is not None
                self._tasks.create_task(self._give_up(talk))

    async def _give_up(self, talk: _Talk) -> None:
        try:
            async with asyncio.timeout(GIVE_UP_TIMEOUT_MS / 1000):
                await talk.abandon()
        except (WebReplError, TimeoutError) as error:
            log.debug("the transfer did not end when asked: %s", error)
            if not talk.is_over and not self._wire.ended:
                self._wire.renew()
        finally:
            self._turn.release()

    @contextlib.asynccontextmanager
    async def put(self, name: str, size_bytes: int) -> AsyncIterator[_Upload]:
        """See Board."""
        encoded = _encode_name(name)
        async with self._talk() as talk:
            upload = _Upload(talk, encoded, size_bytes)
            await upload.open()
            yield upload

    @contextlib.asynccontextmanager
    async def get(self, name: str) -> AsyncIterator[_Download]:
        """See Board."""
        encoded = _encode_name(name)
        async with self._talk() as talk:
            await talk.open(lambda client: client.ask_get(encoded))
            yield _Download(talk)


class _NewSessionError(BoardError):
    """What was under way is forgotten on the board."""

    def __init__(self) -> None:
        super().__init__(ECONNRESET, "the board has started anew in the middle of a file")


class _Talk:
    """Records to the board and back, in one session of the link.

    Attributes:
        client: the core that knows what they mean.
    """

    def __init__(self, wire: LinkWire) -> None:
        self._wire = wire
        self.begin()

    def begin(self) -> None:
        """Begin in the session that there is now."""
        self.client = WebReplClient()
        self._session = self._wire.sessions
        self._wire.told.clear()

    @property
    def is_over(self) -> bool:
        """Whether nothing is under way on the board."""
        return self.client.idle or self._wire.sessions != self._session

    async def answer(self) -> Event:
        """Send what there is to send, and wait for the next event.

        Raises:
            BoardError: the board has forgotten what it was asked, does not answer, or is out of step.
            TransportError: the wire failed.
        """
        await self.tell(0)
        while (event := self.client.next_event()) is None:
            await self._change()
        if isinstance(event, OutOfStep):
            raise RemoteProtocolError(f"the board is out of step: {event.reason}")
        return event

    async def abandon(self) -> None:
        """Have the board give up the put or get under way, and wait until it has.

        Raises:
            BoardError, TransportError: as in `answer`.
        """
        while not self.client.idle:
            if control := self.client.abandon():
                self._wire.tell_control(control)
            await self.answer()

    async def open(self, ask: Callable[[WebReplClient], None]) -> None:
        """Ask for a file and wait until the board has opened it; again if it starts anew before it has.

        Raises:
            BoardError, TransportError: it did not, or as in `answer`.
        """
        for last in range(REPEATS_MAX + 1):
            ask(self.client)
            try:
                self.fail_if_refused(await self.answer())
            except _NewSessionError:
                if last == REPEATS_MAX:
                    raise
                self.begin()
            else:
                return

    async def tell(self, ahead_bytes: int) -> None:
        """Send what there is to send, until no more than `ahead_bytes` of it wait.

        Raises:
            BoardError, TransportError: as in `answer`.
        """
        for message in self.client.messages_to_send():
            self._wire.tell(message)
        while ahead_bytes and self._wire.waiting_bytes > ahead_bytes:
            await self._change()

    async def _change(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_MS / 1000):
                await self._progress()
        except TimeoutError:
            raise BoardError(ETIMEDOUT, "the board does not answer") from None
        told, self._wire.told = self._wire.told, []
        for message in told:
            self.client.receive_binary(message)

    async def _progress(self) -> None:
        waiting_bytes = self._wire.waiting_bytes
        while not self._wire.told and self._wire.waiting_bytes >= waiting_bytes:
            await self._wire.change()
            if self._wire.sessions != self._session:
                raise _NewSessionError

    @staticmethod
    def fail_if_refused(event: Event) -> None:
        """Raise the BoardError of an Ended that is no success."""
        if isinstance(event, Ended) and event.code:
            raise BoardError(event.code, f"the board says: {ERRORS.get(event.code, f'error {event.code}')}")


class _Upload:
    """A FileWriter. If the board starts anew in the middle, it begins again from the file's first byte."""

    def __init__(self, talk: _Talk, name: bytes, size_bytes: int) -> None:
        self._talk = talk
        self._name = name
        self._size_bytes = size_bytes
        self._kept: bytearray | None = bytearray() if size_bytes <= KEPT_BYTES_MAX else None
        self._repeats = 0
        self._sent_bytes = 0

    async def open(self) -> None:
        """Wait until the board has opened the file."""
        await self._talk.open(lambda client: client.ask_put(self._name, self._size_bytes))

    async def write(self, data: bytes) -> None:
        """See FileWriter."""
        if self._sent_bytes + len(data) > self._size_bytes:
            raise LocalProtocolError("the file has another size than was announced")
        self._sent_bytes += len(data)
        if self._kept is not None:
            self._kept += data
        try:
            await self._send(data)
        except _NewSessionError:
            await self._repeat()

    async def finish(self) -> None:
        """See FileWriter."""
        if self._sent_bytes != self._size_bytes:
            raise LocalProtocolError("the file has another size than was announced")
        while True:
            try:
                self._talk.fail_if_refused(await self._talk.answer())
                return
            except _NewSessionError:
                await self._repeat()

    async def _send(self, data: bytes) -> None:
        self._talk.client.send_data(data)
        await self._talk.tell(AHEAD_BYTES)

    async def _repeat(self) -> None:
        while True:
            if self._kept is None or self._repeats == REPEATS_MAX:
                raise _NewSessionError
            self._repeats += 1
            log.info("the board has started anew: %s is sent again from its beginning", self._name.decode())
            try:
                self._talk.begin()
                await self.open()
                for start in range(0, len(self._kept), AHEAD_BYTES):
                    await self._send(bytes(self._kept[start : start + AHEAD_BYTES]))
                return
            except _NewSessionError:
                continue


class _Download:
    """A FileReader."""

    def __init__(self, talk: _Talk) -> None:
        self._talk = talk
        self._ended = False
        for _ in range(CHUNKS_AHEAD):
            talk.client.ask_chunk()

    async def read(self) -> bytes:
        """See FileReader."""
        if self._ended:
            return b""
        event = await self._talk.answer()
        if isinstance(event, ChunkTold):
            self._talk.client.ask_chunk()
            await self._talk.tell(0)
            return event.data
        self._ended = True
        self._talk.fail_if_refused(event)
        return b""


def _encode_name(name: str) -> bytes:
    encoded = name.encode("utf-8", "surrogateescape")
    if not encoded or b"\0" in encoded or len(encoded) > NAME_BYTES_MAX:
        raise BoardError(EINVAL, f"a file needs a name, of at most {NAME_BYTES_MAX} bytes")
    return encoded
