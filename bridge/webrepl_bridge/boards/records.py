"""Files by WebREPL's records, on any wire that carries messages: a board that runs the shim, or another bridge."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from webrepl_link.errors import BoardError, LocalProtocolError, RemoteProtocolError
from webrepl_link.records import LONG_NAME_BYTES_MAX

from ..protocol.errnos import ECONNRESET, EINVAL, ETIMEDOUT, WORDS
from ..protocol.file_requests import fail_if_malformed
from ..protocol.webrepl_client import Answered, ChunkTold, Ended, Event, OutOfStep, WebReplClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..protocol.file_requests import Answer, FileRequest

log = logging.getLogger(__name__)

ANSWER_TIMEOUT_MS = 90_000
"""How long the board may take for a step of a transfer: a wire that was pulled for a minute ends none."""

REPEATS_MAX = 3
"""How often a put begins again because the board has started anew."""

KEPT_BYTES_MAX = 1 << 24
"""The largest file that is kept so that its put can begin again."""

AHEAD_BYTES = 2048
"""How much of a file waits for the wire; more would only be memory."""


class RecordWire(Protocol):
    """What carries the records.

    Attributes:
        sessions: how many there have been; a transfer does not outlive its session.
        told: binary messages that have come in this session, for whoever asked for them.
    """

    sessions: int
    told: list[bytes]

    @property
    def waiting_bytes(self) -> int:
        """How much of the binary messages is not on its way yet."""

    def tell(self, data: bytes) -> None:
        """Send a binary message in this session."""

    def tell_control(self, data: bytes) -> None:
        """Send a control message in this session, ahead of everything else."""

    async def change(self, timeout_ms: int | None = None) -> bool:
        """Wait until something has happened; False if nothing did within `timeout_ms`.

        Raises:
            TransportError: the wire has ended.
        """


class NewSessionError(BoardError):
    """What was under way is forgotten on the board."""

    def __init__(self) -> None:
        super().__init__(ECONNRESET, "the board has started anew in the middle of a file")


class Talk:
    """Records to the board and back, in one session of the wire.

    Attributes:
        client: the core that knows what they mean.
    """

    def __init__(self, wire: RecordWire) -> None:
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
            except NewSessionError:
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
        self._fail_if_forgotten()  # to a board that has, what follows would be requests
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
            self._fail_if_forgotten()

    def _fail_if_forgotten(self) -> None:
        if self._wire.sessions != self._session:
            raise NewSessionError

    @staticmethod
    def fail_if_refused(event: Event) -> None:
        """Raise the BoardError of an Ended that is no success."""
        if isinstance(event, Ended) and event.code:
            raise BoardError(event.code, f"the board says: {WORDS.get(event.code, f'error {event.code}')}")


class Upload:
    """A FileWriter. If the board starts anew in the middle, it begins again from the file's first byte."""

    def __init__(self, talk: Talk, name: bytes, size_bytes: int, offset_bytes: int = 0, *, keep: bool = False) -> None:
        self._talk = talk
        self._name = name
        self._size_bytes = size_bytes
        self._offset_bytes = offset_bytes
        self._keep = keep
        self._kept: bytearray | None = bytearray() if size_bytes <= KEPT_BYTES_MAX else None
        self._repeats = 0
        self._sent_bytes = 0

    async def open(self) -> None:
        """Wait until the board has opened the file."""
        await self._talk.open(
            lambda client: client.ask_put(self._name, self._size_bytes, self._offset_bytes, keep=self._keep)
        )

    async def write(self, data: bytes) -> None:
        """See FileWriter."""
        if self._sent_bytes + len(data) > self._size_bytes:
            raise LocalProtocolError("the file has another size than was announced")
        self._sent_bytes += len(data)
        if self._kept is not None:
            self._kept += data
        try:
            await self._send(data)
        except NewSessionError:
            await self._repeat()

    async def finish(self) -> None:
        """See FileWriter."""
        if self._sent_bytes != self._size_bytes:
            raise LocalProtocolError("the file has another size than was announced")
        while True:
            try:
                self._talk.fail_if_refused(await self._talk.answer())
                return
            except NewSessionError:
                await self._repeat()

    async def _send(self, data: bytes) -> None:
        self._talk.client.send_data(data)
        await self._talk.tell(AHEAD_BYTES)

    async def _repeat(self) -> None:
        while True:
            if self._kept is None or self._repeats == REPEATS_MAX:
                raise NewSessionError
            self._repeats += 1
            log.info("the board has started anew: %s is sent again from its beginning", self._name.decode())
            try:
                self._talk.begin()
                await self.open()
                for start in range(0, len(self._kept), AHEAD_BYTES):
                    await self._send(bytes(self._kept[start : start + AHEAD_BYTES]))
                return
            except NewSessionError:
                continue


class Download:
    """A FileReader.

    Args:
        talk: with the file opened.
        chunks_ahead: how many chunks are asked for at once.
    """

    def __init__(self, talk: Talk, chunks_ahead: int) -> None:
        self._talk = talk
        self._ended = False
        for _ in range(chunks_ahead):
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


async def ask(talk: Talk, request: FileRequest[Answer], chunks_ahead: int) -> Answer:
    """Ask something of the board's files.

    Args:
        talk: with nothing under way.
        request: what to ask.
        chunks_ahead: as in Download.

    Raises:
        BoardError, TransportError: the board refused, or as in `Talk.answer`.
    """
    if payload := request.payload():
        await talk.open(lambda client: client.ask(request))
        talk.client.send_data(payload)
        talk.fail_if_refused(await talk.answer())
        return request.decode_answer(b"")
    fail_if_malformed(request)
    if request.answer_bytes is None:
        await talk.open(lambda client: client.ask(request))
        download = Download(talk, chunks_ahead)
        data = b""
        while piece := await download.read():
            data += piece
    else:
        talk.client.ask(request)
        event = await talk.answer()
        talk.fail_if_refused(event)
        data = event.data if isinstance(event, Answered) else b""
    return request.decode_answer(data)


def encode_name(name: str) -> bytes:
    """Return a file's name as it goes into a record.

    Raises:
        BoardError: it does not.
    """
    encoded = name.encode("utf-8", "surrogateescape")
    if not encoded or b"\0" in encoded or len(encoded) > LONG_NAME_BYTES_MAX:
        raise BoardError(EINVAL, f"a file needs a name, of at most {LONG_NAME_BYTES_MAX} bytes")
    return encoded
