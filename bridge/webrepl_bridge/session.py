"""One board's session: everyone who is attached to its single REPL, whether the board is there or not."""

from __future__ import annotations

import asyncio
import codecs
import itertools
import logging
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TYPE_CHECKING, AnyStr, Generic, NoReturn, TypeAlias

from webrepl_link.errors import BoardError, WebReplError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .boards.base import Board, FileReader, FileWriter

log = logging.getLogger(__name__)

BACKLOG_CHARS_MAX = 1 << 20
"""Terminal output that may wait for one client, in characters or bytes; one that falls further behind is let go."""

FRAME_CHARS_MAX = 16_000
"""Text handed to a client at once: at most 64,000 bytes of UTF-8, a 16-bit length in a WebSocket frame."""


ENODEV = 19


class ClientEndedError(WebReplError):
    """A client is to go; the message is for it."""


class ClientTooSlowError(ClientEndedError):
    """A client did not take its terminal output; the board and the others do not wait for it."""


class Client(Generic[AnyStr]):
    """One attached connection: of a person, who sees text, or of a tool, which gets the board's bytes.

    Made by `Session.attach` and `Session.attach_tool`.

    Attributes:
        name: how the log calls this client.
    """

    def __init__(self, session: Session, name: str, nothing: AnyStr, notice: Callable[[str], AnyStr]) -> None:
        self.name = name
        self._session = session
        self._notice: Callable[[str], AnyStr] = notice
        self._nothing: AnyStr = nothing
        self._backlog: list[AnyStr] = []
        self._backlog_chars = 0
        self._ended = asyncio.Event()
        self._why_ended: ClientEndedError | None = None
        self._news = asyncio.Event()
        self._told_absent = False

    def _show(self, text: AnyStr) -> None:
        if self._ended.is_set() or not text:
            return
        self._backlog_chars += len(text)
        if self._backlog_chars > BACKLOG_CHARS_MAX:
            reason = f"more than {BACKLOG_CHARS_MAX:,} characters of terminal output were waiting"
            self.end(ClientTooSlowError(reason))
        else:
            self._backlog.append(text)
        self._news.set()

    async def receive(self) -> AnyStr:
        """Return the next terminal text, 1 to 16,000 characters or bytes, as soon as there is any.

        Raises:
            ClientEndedError: as `fall_behind`.
        """
        while not self._backlog:
            if self._ended.is_set():
                await self.fall_behind()
            self._news.clear()
            await self._news.wait()
        return self.take()

    def take(self) -> AnyStr:
        """The same without waiting: nothing, if there is none."""
        text = self._nothing.join(self._backlog)
        self._backlog.clear()
        if len(text) > FRAME_CHARS_MAX:
            self._backlog.append(text[FRAME_CHARS_MAX:])
            text = text[:FRAME_CHARS_MAX]
        self._backlog_chars -= len(text)
        return text

    def forget(self) -> None:
        """Drop what waits for this client."""
        self._backlog.clear()
        self._backlog_chars = 0

    def end(self, reason: ClientEndedError) -> None:
        """Let this client go; what waits for it is dropped."""
        self._why_ended = self._why_ended or reason
        self._backlog.clear()
        self._ended.set()
        self._news.set()

    async def fall_behind(self) -> NoReturn:
        """Wait until this client is to go, which a frontend that is busy sending would not find out.

        Raises:
            ClientTooSlowError: more than BACKLOG_CHARS_MAX characters were waiting.
            ClientEndedError: another reason.
        """
        await self._ended.wait()
        assert self._why_ended is not None
        raise self._why_ended

    async def write(self, data: bytes) -> None:
        """Type at the board's terminal; waits while too much is waiting to be typed.

        While there is no board, what is typed is lost, and the client is told so once.
        """
        if (board := self._session.board) is None:
            if not self._told_absent:
                self._told_absent = True
                self.tell("not connected: what you type is lost")
            return
        self._told_absent = False
        self._session.last_writer = self
        await board.write(data)

    def tell(self, line: str) -> None:
        """Show a line of the bridge's own, if this is a person."""
        self._show(self._notice(line))

    async def version(self) -> tuple[int, int, int]:
        """The firmware's version; see `Board.version`."""
        return await self._session.present_board().version()

    def put(self, name: str, size_bytes: int) -> AbstractAsyncContextManager[FileWriter]:
        """Store a file on the board; see `Board.put`.

        Raises:
            BoardError: ENODEV if there is no board.
        """
        return self._session.present_board().put(name, size_bytes)

    def get(self, name: str) -> AbstractAsyncContextManager[FileReader]:
        """Fetch a file from the board; see `Board.get`.

        Raises:
            BoardError: ENODEV if there is no board.
        """
        return self._session.present_board().get(name)


AnyClient: TypeAlias = Client[str] | Client[bytes]


class Session:
    """Shares one board among its clients: all see the same terminal, any may type.

    The board comes and goes; the session and its clients stay, and are told.

    Args:
        name: what people call the board.

    Attributes:
        board: the board; None while it is not there.
        absence: why it is not there.
        departure: set when the board goes, and as long as there is none; another event for each board.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.board: Board | None = None
        self.absence = "not opened yet"
        self.departure = asyncio.Event()
        self.departure.set()
        self.clients: list[Client[str]] = []
        self.tools: list[Client[bytes]] = []
        self.watchers: list[Client[str]] = []
        self.last_writer: AnyClient | None = None
        self._was_there = False
        self._numbers = itertools.count(1)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @contextmanager
    def serve(self, board: Board) -> Iterator[None]:
        """Have `board` as the session's board until the block ends."""
        board.on_output = self._show_output
        board.on_notice = self._show_notice
        self.board = board
        self.departure = asyncio.Event()
        log.info("%s: on %s", self.name, board.description)
        self._show_notice("back" if self._was_there else "connected")
        self._was_there = True
        try:
            yield
        finally:
            self.board = None
            self.departure.set()
            self.last_writer = None
            self._decoder.reset()
            self._show_notice("disconnected")

    def lose_board(self, reason: str) -> None:
        """Note why there is no board."""
        if reason != self.absence:
            log.warning("%s: %s", self.name, reason)
        self.absence = reason

    @property
    def is_deserted(self) -> bool:
        """Whether nobody would notice if this session ended."""
        return self.board is None and not self.clients and not self.tools

    def dismiss(self, reason: str) -> None:
        """Let all clients go."""
        everyone: list[AnyClient] = [*self.clients, *self.tools]
        for client in everyone:
            client.end(ClientEndedError(reason))

    def present_board(self) -> Board:
        """Return the board.

        Raises:
            BoardError: ENODEV if there is none.
        """
        if self.board is None:
            raise BoardError(ENODEV, f"the board is not there: {self.absence}")
        return self.board

    def _show_output(self, data: bytes) -> None:
        for tool in self.tools:
            tool._show(data)
        # A character split over two reads stays in the decoder until it is whole;
        # bytes that are no UTF-8 become U+FFFD, because a browser closes on an invalid text frame.
        text = self._decoder.decode(data)
        for client in (*self.clients, *self.watchers):
            client._show(text)

    def _show_notice(self, line: str) -> None:
        log.info("%s: %s", self.name, line)
        for client in (*self.clients, *self.watchers):
            client.tell(line)

    @contextmanager
    def attach(self, origin: str) -> Iterator[Client[str]]:
        """Attach a client that came from `origin`, until the block ends.

        Leaving hands over to the board at once; `depart` is what to wait for afterwards.
        """
        client = Client(self, self._name_of(origin), "", self._notice)
        if self.board is None:
            client.tell("not connected")
        with self._attached(client, self.clients):
            yield client

    @contextmanager
    def attach_tool(self, origin: str) -> Iterator[Client[bytes]]:
        """The same for a client that gets the board's bytes as they are, and no notices between them."""
        tool = Client(self, self._name_of(origin), b"", lambda _: b"")
        with self._attached(tool, self.tools):
            yield tool

    @contextmanager
    def watch(self, name: str) -> Iterator[Client[str]]:
        """Attach one that only looks, and is no client: it is not counted, and what it writes is nobody's."""
        watcher = Client(self, name, "", self._notice)
        self.watchers.append(watcher)
        try:
            yield watcher
        finally:
            self.watchers.remove(watcher)

    def _notice(self, line: str) -> str:
        return f"\r\n[{self.name}: {line}]\r\n"

    def _name_of(self, origin: str) -> str:
        return f"{origin}#{next(self._numbers)}"

    @contextmanager
    def _attached(self, client: Client[AnyStr], among: list[Client[AnyStr]]) -> Iterator[None]:
        among.append(client)
        log.info("%s: %s attached, %d in all", self.name, client.name, len(self.clients) + len(self.tools))
        try:
            yield
        finally:
            among.remove(client)
            log.info("%s: %s left, %d remain", self.name, client.name, len(self.clients) + len(self.tools))

    async def depart(self, client: AnyClient) -> None:
        """Take back the terminal from a client that has left: no one else could end its raw or paste mode."""
        if self.last_writer is client:
            self.last_writer = None
            if self.board is not None:
                await self.board.release()
