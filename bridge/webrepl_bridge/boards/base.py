"""What a board offers to the session above it, whatever runs on the board."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Protocol

from ..protocol.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from ..protocol.file_requests import Answer, FileRequest
    from ..protocol.repl_tracker import Mode
    from .lending import LendableStream


class FileWriter(Protocol):
    """A file on its way to the board."""

    async def write(self, data: bytes) -> None:
        """Pass on the next bytes of the file; waits while the board is busy.

        Raises:
            BoardError: the board failed to store them (no space, say).
            TransportError: the wire failed.
        """

    async def finish(self) -> None:
        """Wait until the whole file is on the board under its name.

        Raises:
            BoardError, TransportError: it is not, and the old file is untouched.
        """


class FileReader(Protocol):
    """A file on its way from the board."""

    async def read(self) -> bytes:
        """Return the next bytes of the file, 1 to 4096; none at its end.

        Raises:
            BoardError, TransportError: the rest cannot be had.
        """


class Board(ABC):
    """One board: its terminal, its files, and control over it.

    Attributes:
        on_output: called with the terminal's bytes as they arrive, in order; must not block.
        on_notice: called with a line of text that the people at the terminal should see.
        description: how to name to a person what the board is on.
        wiring: where the control lines of its wire go.
        wire: the wire itself, where a tool can have it; None where the board has none of its own.
    """

    description = "a board"
    wiring = Wiring.AUTO
    wire: LendableStream | None = None
    on_output: Callable[[bytes], None]
    on_notice: Callable[[str], None]

    @property
    def link_counters(self) -> dict[str, int]:
        """What the link to the board has mended so far, by the event; empty if there is no link."""
        return {}

    @property
    @abstractmethod
    def mode(self) -> Mode:
        """What the board's REPL is doing, as far as that is known."""

    @property
    def known_version(self) -> tuple[int, int, int] | None:
        """The firmware's version as far as it is known without asking."""
        return None

    @property
    @abstractmethod
    def is_held(self) -> bool:
        """Whether the REPL belongs to who typed last: it is in raw or paste mode, or on the way there."""

    @property
    def is_half_typed(self) -> bool:
        """Whether files cannot move before who has the REPL has typed the rest, in paste or raw mode."""
        return False

    @abstractmethod
    async def freed(self) -> None:
        """Wait until `is_held` is no longer true.

        Raises:
            TransportError: the wire has ended.
        """

    @abstractmethod
    async def run(self) -> None:
        """Serve the board until its wire ends.

        Raises:
            TransportError: how the wire ended.
        """

    @abstractmethod
    async def settle(self) -> None:
        """Wait until no operation is under way on the board, before the bridge leaves it."""

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Type `data` at the terminal, without loss; waits while too much is waiting to be typed."""

    @abstractmethod
    async def release(self) -> None:
        """The client that typed last has left: bring the board back to its prompt if it is in raw or paste mode."""

    @abstractmethod
    async def version(self) -> tuple[int, int, int]:
        """Return the firmware's version as (major, minor, micro); (0, 0, 0) while it is not known."""

    @abstractmethod
    def put(
        self, name: str, size_bytes: int, offset_bytes: int = 0, *, keep: bool = False
    ) -> AbstractAsyncContextManager[FileWriter]:
        """Store a file as `name`, all of it or not at all.

        Entering waits for the board's turn and until it has opened the file; leaving early gives up the transfer.

        Args:
            name: of the file.
            size_bytes: how much will come.
            offset_bytes: how much is there already, from a put that broke: the size of the file `name~`.
            keep: whether what has come is to stay as `name~` if this put breaks.

        Raises:
            BoardError: the board refused; its `code` is the errno.
            TransportError: the wire failed.
        """

    @abstractmethod
    def get(
        self, name: str, offset_bytes: int = 0, size_bytes: int | None = None
    ) -> AbstractAsyncContextManager[FileReader]:
        """Fetch the file `name`, or so much of it from there on; entering waits until the board has opened it.

        Raises:
            BoardError: the board refused; its `code` is the errno.
            TransportError: the wire failed.
        """

    @abstractmethod
    async def ask(self, request: FileRequest[Answer]) -> Answer:
        """Do what is asked with the board's files, and return the answer.

        Raises:
            BoardError: the board refused; its `code` is the errno, ENOSYS (38) for what it cannot do at all.
            TransportError: the wire failed.
        """

    @abstractmethod
    async def interrupt(self) -> None:
        """Send Ctrl-C at once, ahead of everything that waits to be typed."""

    @abstractmethod
    async def type_at_prompt(self, keys: bytes) -> None:
        """Bring the board to an empty prompt, interrupt a program for that, and type `keys` there.

        Raises:
            BoardError: the board did not come to its prompt.
            TransportError: the wire failed.
        """

    async def soft_reset(self) -> None:
        """Restart the board's interpreter, as Ctrl-D at an empty prompt does.

        Raises:
            BoardError: the board did not come to its prompt.
            TransportError: the wire failed.
        """
        await self.type_at_prompt(b"\x04")
