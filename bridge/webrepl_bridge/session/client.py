"""One client of a session: what it gets, what it may do, and how it is let go."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, AnyStr, Generic, NoReturn, TypeAlias

from webrepl_link.errors import BoardError, WebReplError

from ..boards.room import refuse_without_room
from ..protocol.errnos import EACCES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ..boards.base import FileReader, FileWriter
    from ..protocol.file_requests import Answer, FileRequest
    from .shared import Session

BACKLOG_CHARS_MAX = 1 << 20
"""Terminal output that may wait for one client, in characters or bytes; one that falls further behind is let go."""

FRAME_CHARS_MAX = 16_000
"""Text handed to a client at once: at most 64,000 bytes of UTF-8, a 16-bit length in a WebSocket frame."""


class ClientEndedError(WebReplError):
    """A client is to go; the message is for it."""


class ClientTooSlowError(ClientEndedError):
    """A client did not take its terminal output; the board and the others do not wait for it."""


class Client(Generic[AnyStr]):
    """One attached connection: of a person, who sees text, or of a tool, which gets the board's bytes.

    Made by `Session.attach` and `Session.attach_tool`.

    Attributes:
        name: how the log calls this client.
        watches_only: whether it may neither type nor move files.
        on_news: called when something has been added to what waits for this client, for who does not wait in
            `receive`; must not block, nor raise.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        nothing: AnyStr,
        notice: Callable[[str], AnyStr],
        *,
        watches_only: bool = False,
    ) -> None:
        self.name = name
        self.watches_only = watches_only
        self._session = session
        self._notice: Callable[[str], AnyStr] = notice
        self._nothing: AnyStr = nothing
        self._backlog: list[AnyStr] = []
        self._backlog_chars = 0
        self._ended = asyncio.Event()
        self._why_ended: ClientEndedError | None = None
        self._news = asyncio.Event()
        self.on_news: Callable[[], object] = self._news.set
        self._told: str | None = None

    def show(self, text: AnyStr) -> None:
        """Have `text` wait for this client."""
        if self._ended.is_set() or not text:
            return
        self._backlog_chars += len(text)
        if self._backlog_chars > BACKLOG_CHARS_MAX:
            reason = f"more than {BACKLOG_CHARS_MAX:,} characters of terminal output were waiting"
            self.end(ClientTooSlowError(reason))
        else:
            self._backlog.append(text)
            self.on_news()

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
        """Type at the board's terminal; waits while too much is waiting to be typed, or another client has the REPL.

        What cannot be typed is lost, and the client is told so once: while there is no board, while it may watch only.
        """
        if self.watches_only:
            self.tell_once("you are here to watch: what you type is lost")
        elif data:
            await self._session.type(self, data)

    def tell(self, line: str) -> None:
        """Show a line of the bridge's own, if this is a person."""
        self.show(self._notice(line))

    def tell_once(self, line: str) -> None:
        """The same, unless it has been told this last, and nothing has been typed since."""
        if line != self._told:
            self.tell(line)
        self._told = line

    def has_typed(self) -> None:
        """Its input has gone to the board."""
        self._told = None

    async def version(self) -> tuple[int, int, int]:
        """The firmware's version; see `Board.version`."""
        return await self._session.present_board().version()

    @asynccontextmanager
    async def put(
        self, name: str, size_bytes: int, offset_bytes: int = 0, *, keep: bool = False
    ) -> AsyncIterator[FileWriter]:
        """Store a file on the board; see `Board.put`. A large one is refused at once if there is no room for it.

        Raises:
            BoardError: as `Session.file_turn`, and as the board.
        """
        self._may_move_files()
        async with self._session.file_turn(self, "put", name) as board:
            await refuse_without_room(board, name, size_bytes)
            async with board.put(name, size_bytes, offset_bytes, keep=keep) as writer:
                yield writer

    @asynccontextmanager
    async def get(self, name: str, offset_bytes: int = 0, size_bytes: int | None = None) -> AsyncIterator[FileReader]:
        """Fetch a file from the board; see `Board.get`.

        Raises:
            BoardError: as `Session.file_turn`, and as the board.
        """
        self._may_move_files()
        async with (
            self._session.file_turn(self, "get", name) as board,
            board.get(name, offset_bytes, size_bytes) as reader,
        ):
            yield reader

    async def ask(self, request: FileRequest[Answer]) -> Answer:
        """Ask something else of the board's files; see `Board.ask`.

        Raises:
            BoardError: as `Session.file_turn`, and as the board.
        """
        self._may_move_files()
        async with self._session.file_turn(self, request.kind, request.name) as board:
            return await board.ask(request)

    def _may_move_files(self) -> None:
        if self.watches_only:
            raise BoardError(EACCES, "who is here to watch may not move files")


AnyClient: TypeAlias = "Client[str] | Client[bytes]"
