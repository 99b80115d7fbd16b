"""A board of which nobody has said what it runs: stock firmware, the shim, a WebREPL; found out by listening."""

from __future__ import annotations

import asyncio
import enum
import secrets
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from webrepl_link.errors import TransportError
from webrepl_link.link import VERSION
from webrepl_transports import ByteStream

from ..protocol.link_watch import HelloWatch
from ..within import within
from .base import Board, FileReader, FileWriter
from .link_wire import ShimGoneError
from .linked import LinkedBoard
from .plain import START_OF_PLAIN, PlainBoard
from .stock import StockBoard, WhileRunning

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ..protocol.file_requests import Answer, FileRequest
    from ..protocol.repl_tracker import Mode

B = TypeVar("B", bound=Board)

LISTEN_MS = 1_500
"""How long a board that says nothing plain may yet turn out to run the shim.

It calls every second while it has no session, and a second after bytes that it does not understand, such as a Ctrl-B.
"""

RECENT_BYTES = 256


class Framing(enum.Enum):
    """How the messages between the bridge and the board are framed."""

    AUTO = "auto"
    NONE = "none"
    PLAIN = "plain"
    LINK = "link"


def make_board(stream: ByteStream, framing: Framing, while_running: WhileRunning, board_password: str = "") -> Board:
    """Return the Board that serves what is at the other end of `stream`.

    Args:
        stream: the open wire; closed by its owner.
        framing: how its messages are framed.
        while_running: what a file operation on a stock board does when a program is running.
        board_password: what the firmware's own WebREPL asks for, on a board that runs it on the wire.
    """
    match framing:
        case Framing.AUTO:
            return AutoBoard(stream, while_running, board_password=board_password)
        case Framing.NONE:
            return StockBoard(stream, while_running)
        case Framing.PLAIN:
            return PlainBoard(stream, while_running, board_password)
        case Framing.LINK:
            return LinkedBoard(stream)


class AutoBoard(Board):
    """Serves a board as a stock one until a shim calls, and by the link until the shim is gone.

    Nothing is sent to find out: a shim without a session calls every second, and a plain REPL answers the Ctrl-B
    with which a stock board is greeted. The firmware's own WebREPL says so once, when it starts; a board that is seen
    to do that is a PlainBoard from then on.

    Args:
        stream: the open wire; closed by its owner.
        while_running: what a file operation on a stock board does when a program is running.
        random_bits: gives so many random bits.
        board_password: what the firmware's own WebREPL asks for.
    """

    def __init__(
        self,
        stream: ByteStream,
        while_running: WhileRunning = WhileRunning.INTERRUPT,
        random_bits: Callable[[int], int] = secrets.randbits,
        board_password: str = "",
    ) -> None:
        self.on_output = lambda data: None
        self.on_notice = lambda line: None
        self._tap = _Tap(stream, lambda line: self.on_notice(line))
        self._while_running = while_running
        self._random_bits = random_bits
        self._board_password = board_password
        self._inner: Board = self._stock()

    def _stock(self) -> StockBoard:
        board = StockBoard(self._tap, self._while_running)
        self._tap.watch(lambda: not board.is_sending_file)
        return self._adopt(board)

    def _linked(self) -> LinkedBoard:
        return self._adopt(LinkedBoard(self._tap, self._random_bits, may_end=True))

    def _adopt(self, board: B) -> B:
        board.on_output = lambda data: self.on_output(data)
        board.on_notice = lambda line: self.on_notice(line)
        return board

    @property
    def mode(self) -> Mode:
        """See Board."""
        return self._inner.mode

    @property
    def link_counters(self) -> dict[str, int]:
        """See Board."""
        return self._inner.link_counters

    @property
    def known_version(self) -> tuple[int, int, int] | None:
        """See Board."""
        return self._inner.known_version

    @property
    def is_held(self) -> bool:
        """See Board."""
        return self._inner.is_held

    @property
    def is_half_typed(self) -> bool:
        """See Board."""
        return self._inner.is_half_typed

    async def freed(self) -> None:
        """See Board."""
        await self._inner.freed()

    async def run(self) -> None:
        """See Board."""
        while True:
            try:
                await self._inner.run()
            except LinkFoundError as found:
                self.on_notice(str(found))
                self._inner = self._linked()
                self._tap.heard.set()
            except PlainFoundError as found:
                self.on_notice(str(found))
                self._inner = self._adopt(PlainBoard(self._tap, self._while_running, self._board_password))
                self._tap.heard.set()
            except ShimGoneError as gone:
                self.on_notice(str(gone))
                self._inner = self._stock()
                if gone.at_prompt:
                    await self._inner.interrupt()  # what the link has sent since then is half typed there

    async def settle(self) -> None:
        """See Board."""
        await self._inner.settle()

    async def _known(self) -> Board:
        """Return the board as what it is; a silent one is listened to for a moment."""
        while not self._tap.is_known:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._tap.listening_until):
                    await self._tap.heard.wait()
        return self._inner

    async def write(self, data: bytes) -> None:
        """See Board."""
        await (await self._known()).write(data)

    async def interrupt(self) -> None:
        """See Board."""
        await (await self._known()).interrupt()

    async def type_at_prompt(self, keys: bytes) -> None:
        """See Board."""
        await (await self._known()).type_at_prompt(keys)

    async def release(self) -> None:
        """See Board."""
        await (await self._known()).release()

    async def version(self) -> tuple[int, int, int]:
        """See Board."""
        return await (await self._known()).version()

    @asynccontextmanager
    async def put(
        self, name: str, size_bytes: int, offset_bytes: int = 0, *, keep: bool = False
    ) -> AsyncIterator[FileWriter]:
        """See Board."""
        async with (await self._known()).put(name, size_bytes, offset_bytes, keep=keep) as writer:
            yield writer

    @asynccontextmanager
    async def get(self, name: str, offset_bytes: int = 0, size_bytes: int | None = None) -> AsyncIterator[FileReader]:
        """See Board."""
        async with (await self._known()).get(name, offset_bytes, size_bytes) as reader:
            yield reader

    async def ask(self, request: FileRequest[Answer]) -> Answer:
        """See Board."""
        return await (await self._known()).ask(request)


class LinkFoundError(TransportError):
    """The board's shim calls: the wire is the link's from here on."""

    def __init__(self) -> None:
        super().__init__("the board runs the shim: files move by the link, while its program goes on")


class PlainFoundError(TransportError):
    """The firmware's own WebREPL has started: the wire carries its frames from here on."""

    def __init__(self) -> None:
        super().__init__("the board runs the firmware's own WebREPL on the wire: framing plain")


class _Tap(ByteStream):
    """The wire, with an ear for a shim's call or a WebREPL's.

    It ends there for whom it served till then, and goes on for the next.

    Attributes:
        heard: set once it is clear what the board speaks.
        listening_until: when it counts as a plain one, by the loop's clock.
    """

    def __init__(self, stream: ByteStream, on_notice: Callable[[str], None]) -> None:
        self.description = stream.description
        self.reliable = stream.reliable
        self.line_rate_baud = stream.line_rate_baud
        self.heard = asyncio.Event()
        self._clock = asyncio.get_running_loop().time
        self.listening_until = self._clock() + LISTEN_MS / 1000
        self._stream = stream
        self._on_notice = on_notice
        self._watch: HelloWatch | None = None
        self._may_watch: Callable[[], bool] = lambda: True
        self._unread = b""
        self._recent = b""
        self._told_version: int | None = None
        self._frames = 0

    @property
    def is_known(self) -> bool:
        """Whether there is nothing to wait for before the board is used as what it seems to be."""
        return self.heard.is_set() or self._clock() >= self.listening_until

    def watch(self, may_watch: Callable[[], bool]) -> None:
        """Listen for a shim's call from now on, whenever `may_watch` says so."""
        self._watch = HelloWatch()
        self._frames = 0
        self._may_watch = may_watch
        self._recent = b""

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """See ByteStream.

        Raises:
            LinkFoundError: a shim calls.
            PlainFoundError: the firmware's own WebREPL asks for its password.
        """
        while not self._unread:
            if self._watch is None:
                self._unread = await self._stream.receive(max_bytes)
            else:
                self._unread = await self._listen(self._watch, max_bytes)
        self.heard.set()
        data, self._unread = self._unread[:max_bytes], self._unread[max_bytes:]
        return data

    async def _listen(self, watch: HelloWatch, max_bytes: int) -> bytes:
        if watch.found:
            self._watch = None
            self._unread = watch.found
            raise LinkFoundError
        deadline_ms = watch.next_deadline_ms()
        try:
            wait_ms = None if deadline_ms is None else deadline_ms + 1 - self._now_ms()
            data = await within(wait_ms, self._stream.receive(max_bytes))
        except TimeoutError:
            return watch.handle_timeout(self._now_ms())
        if not self._may_watch():
            return watch.release() + data
        self._recent = (self._recent + data)[-RECENT_BYTES:]
        if START_OF_PLAIN in self._recent:
            self._watch = None
            self._unread = self._recent.rpartition(START_OF_PLAIN)[2]
            raise PlainFoundError
        plain = watch.receive_data(data, self._now_ms())
        if watch.frames > self._frames:  # for a bridge before this one; the shim will call
            self._frames = watch.frames
            self.listening_until = self._clock() + LISTEN_MS / 1000
        if watch.other_version not in (None, self._told_version):
            self._told_version = watch.other_version
            self._on_notice(
                f"the board runs a shim that speaks version {watch.other_version:#x} of the link, and this bridge "
                f"version {VERSION:#x}: its REPL is served as far as it is on this wire; `webrepl-bridge shim install` "
                "makes them agree"
            )
        return plain

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    async def send(self, data: bytes) -> None:
        """See ByteStream."""
        await self._stream.send(data)

    async def aclose(self) -> None:
        """See ByteStream."""
        await self._stream.aclose()
