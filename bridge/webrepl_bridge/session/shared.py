"""One board's session: everyone who is attached to its single REPL, whether the board is there or not."""

from __future__ import annotations

import asyncio
import codecs
import enum
import itertools
import logging
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, AnyStr

from webrepl_link.errors import BoardError

from ..boards.resetting import enter_bootloader, hard_reset
from ..protocol.errnos import EBUSY, ENODEV
from ..protocol.repl_tracker import Mode
from ..protocol.scrollback import Scrollback
from .client import AnyClient, Client, ClientEndedError
from .files import FileQueue
from .keyboard import Keyboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ..boards.base import Board

log = logging.getLogger(__name__)

RAW = frozenset({Mode.RAW, Mode.RAW_PASTE, Mode.RAW_RUNNING})
"""What is shown in these modes is for tools, and no one else makes sense of it later."""


class Action(enum.Enum):
    """What can be done to a board from outside."""

    INTERRUPT = "interrupt"
    SOFT_RESET = "soft-reset"
    HARD_RESET = "hard-reset"
    BOOTLOADER = "bootloader"


@dataclass(frozen=True)
class Limits:
    """How a board may be shared.

    Attributes:
        clients_max: how many may be attached at once; 1 is what the firmware does.
        scrollback_chars: how much of what was shown before a client that comes late may be shown.
    """

    clients_max: int = 100
    scrollback_chars: int = 16_000


@dataclass
class Counters:
    """What has happened in a session since it began.

    Attributes:
        printed_bytes: from the board.
        typed_bytes: to the board.
        losses: how often the board has gone.
        attached: how many clients there have been.
    """

    printed_bytes: int = 0
    typed_bytes: int = 0
    losses: int = 0
    attached: int = 0


class Session:
    """Shares one board among its clients: all see the same terminal, any may type.

    The board comes and goes; the session and its clients stay, and are told.

    Args:
        name: what people call the board.
        limits: how it may be shared.

    Attributes:
        board: the board; None while it is not there.
        absence: why it is not there.
        files: operations on its files, waiting and under way.
        counters: what has happened.
        departure: set when the board goes, and as long as there is none; another event for each board.
    """

    def __init__(self, name: str, limits: Limits = Limits()) -> None:
        self.name = name
        self.limits = limits
        self.board: Board | None = None
        self.absence = "not opened yet"
        self.departure = asyncio.Event()
        self.departure.set()
        self.clients: list[Client[str]] = []
        self.tools: list[Client[bytes]] = []
        self.watchers: list[Client[str]] = []
        self.files = FileQueue()
        self.counters = Counters()
        self._keyboard = Keyboard(self)
        self._scrollback = Scrollback(limits.scrollback_chars)
        self._was_there = False
        self._numbers = itertools.count(1)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def restrict(self, limits: Limits) -> None:
        """Change how the board may be shared; who is there stays."""
        if limits.scrollback_chars != self.limits.scrollback_chars:
            kept = self._scrollback.text()
            self._scrollback = Scrollback(limits.scrollback_chars)
            self._scrollback.add(kept)
        self.limits = limits

    @contextmanager
    def serve(self, board: Board) -> Iterator[None]:
        """Have `board` as the session's board until the block ends."""
        board.on_output = self._show_output
        board.on_notice = self.show_notice
        self.board = board
        self.departure = asyncio.Event()
        log.info("%s: on %s", self.name, board.description)
        self.show_notice("back" if self._was_there else "connected")
        self._was_there = True
        try:
            yield
        finally:
            self.board = None
            self.departure.set()
            self.counters.losses += 1
            self._keyboard.reset()
            self._decoder.reset()
            self.show_notice("disconnected")

    def lose_board(self, reason: str, *, is_told: bool = False) -> None:
        """Note why there is no board; the log says it if it is new, and nobody else tells."""
        if reason != self.absence and not is_told:
            log.warning("%s: %s", self.name, reason)
        self.absence = reason

    @property
    def is_deserted(self) -> bool:
        """Whether nobody would notice if this session ended."""
        return self.board is None and not self.clients and not self.tools

    def dismiss(self, reason: str) -> None:
        """Let all clients go."""
        for client in self.everyone:
            client.end(ClientEndedError(reason))

    def present_board(self) -> Board:
        """Return the board.

        Raises:
            BoardError: ENODEV if there is none.
        """
        if self.board is None:
            raise BoardError(ENODEV, f"the board is not there: {self.absence}")
        return self.board

    # What is shown.

    def _show_output(self, data: bytes) -> None:
        self.counters.printed_bytes += len(data)
        self._keyboard.heard()
        for tool in self.tools:
            tool.show(data)
        # A character split over two reads stays in the decoder until it is whole;
        # bytes that are no UTF-8 become U+FFFD, because a browser closes on an invalid text frame.
        text = self._decoder.decode(data)
        for client in (*self.clients, *self.watchers):
            client.show(text)
        if self.board is not None and self.board.mode not in RAW:
            self._scrollback.add(text)

    def show_notice(self, line: str) -> None:
        """Show a line of the bridge's own to all people."""
        log.info("%s: %s", self.name, line)
        self._scrollback.add(self._notice(line))
        for client in (*self.clients, *self.watchers):
            client.tell(line)

    # Who is there.

    @property
    def everyone(self) -> list[AnyClient]:
        """People and tools."""
        return [*self.clients, *self.tools]

    @property
    def is_full(self) -> bool:
        """Whether there are as many clients as there may be."""
        return len(self.clients) + len(self.tools) >= self.limits.clients_max

    @contextmanager
    def attach(self, origin: str, *, watches_only: bool = False, replay: bool = False) -> Iterator[Client[str]]:
        """Attach a client that came from `origin`, until the block ends.

        Leaving hands over to the board at once; `depart` is what to wait for afterwards.

        Args:
            origin: where it comes from.
            watches_only: whether it may neither type nor move files.
            replay: whether it is shown what was shown before.

        Raises:
            ClientEndedError: there are as many as there may be.
        """
        client = Client(self, self._name_of(origin), "", self._notice, watches_only=watches_only)
        with self._attached(client, self.clients):
            if replay and (before := self._scrollback.text()):
                client.tell("what was shown before")
                client.show(before)
            if self.board is None:
                client.tell("not connected")
            yield client

    @contextmanager
    def attach_tool(self, origin: str) -> Iterator[Client[bytes]]:
        """The same for a client that gets the board's bytes as they are, and no notices between them.

        Raises:
            ClientEndedError: there are as many as there may be.
        """
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

    def visitor(self, origin: str) -> Client[str]:
        """Make a client that comes for one errand at the files: it sees nothing, and is not counted."""
        return Client(self, self._name_of(origin), "", self._notice)

    def _notice(self, line: str) -> str:
        return f"\r\n[{self.name}: {line}]\r\n"

    def _name_of(self, origin: str) -> str:
        return f"{origin}#{next(self._numbers)}"

    @contextmanager
    def _attached(self, client: Client[AnyStr], among: list[Client[AnyStr]]) -> Iterator[None]:
        if self.is_full:
            raise ClientEndedError(f"{self.name} takes no more than {self.limits.clients_max} clients at once")
        among.append(client)
        self.counters.attached += 1
        log.info("%s: %s attached, %d in all", self.name, client.name, len(self.clients) + len(self.tools))
        try:
            yield
        finally:
            among.remove(client)
            log.info("%s: %s left, %d remain", self.name, client.name, len(self.clients) + len(self.tools))

    # Who types.

    @property
    def holder(self) -> AnyClient | None:
        """Who has the REPL in raw or paste mode; None if nobody has."""
        return self._keyboard.holder

    async def type(self, client: AnyClient, data: bytes) -> None:
        """Type for a client, when it may; see `Keyboard.type`."""
        await self._keyboard.type(client, data)

    async def depart(self, client: AnyClient) -> None:
        """Take back the terminal from a client that has left: no one else could end its raw or paste mode."""
        await self._keyboard.leave(client)

    async def take_over(self, reason: str) -> None:
        """Take the REPL from who holds it in raw or paste mode, and bring the board to its prompt.

        Raises:
            BoardError: there is no board.
            TransportError: the wire failed.
        """
        await self._keyboard.take_over(reason)

    # Control.

    async def control(self, action: Action, by: str) -> None:
        """Interrupt or reset the board, whoever has the REPL; all are told.

        Args:
            action: what to do.
            by: who wants it.

        Raises:
            BoardError: there is no board, or it could not.
            TransportError: the wire failed.
        """
        board = self.present_board()
        self.show_notice(f"{action.value}, by {by}")
        match action:
            case Action.INTERRUPT:
                await board.interrupt()
            case Action.SOFT_RESET:
                await self.take_over(f"{by} resets the board")
                await board.soft_reset()
            case Action.HARD_RESET:
                self._keyboard.dispossess()
                await hard_reset(board)
            case Action.BOOTLOADER:
                self._keyboard.dispossess()
                await enter_bootloader(board)

    # Files.

    @asynccontextmanager
    async def file_turn(self, client: AnyClient, kind: str, name: str) -> AsyncIterator[Board]:
        """Wait for a client's turn at the board's files, which it has until the block ends.

        Raises:
            BoardError: ENODEV if there is no board; EBUSY if the client itself is in its way.
        """
        self.present_board()
        async with self.files.turn(kind, name, client.name):
            board = self.present_board()
            if board.mode is Mode.PASTE and self._keyboard.is_left_alone(client):
                await self.take_over(f"{client.name} waits for a file")
            if self.holder is client and board.is_half_typed:
                raise BoardError(EBUSY, f"it has the REPL itself, half typed in {board.mode.value} mode")
            yield board
