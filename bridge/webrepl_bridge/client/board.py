"""From an address to a board that can be used."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from webrepl_link.errors import TransportError
from webrepl_transports import ResetOnOpen

from ..boards.opening import BoardOptions, open_board
from ..boards.remote import PasswordError
from ..protocol.script import Script
from .files import Files
from .terminal import Terminal, TextOutput, end_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from ..boards.base import Board

__all__ = ["ConnectedBoard", "PasswordError", "connect"]


@asynccontextmanager
async def connect(
    url: str, *, password: str = "", baud: int = 115200, reset_on_open: ResetOnOpen = ResetOnOpen.KEEP
) -> AsyncIterator[ConnectedBoard]:
    """Reach a board, and leave it as it was when the block ends.

    Args:
        url: `ws://HOST[:PORT][/NAME]` or `wss://…` of a bridge or of a board's own WebREPL; or, without a bridge, what
            `--serial` takes: `/dev/ttyUSB0`, `COM3`, `id:SERIALNUMBER`, `auto`, `tcp://…` and so on.
        password: the bridge's or the board's.
        baud: speed of a serial line.
        reset_on_open: what opening a serial port does with DTR and RTS.

    Raises:
        PasswordError: the password is not accepted.
        OpenError: the board cannot be reached; one line that says what to do.
    """
    options = BoardOptions(url, baud=baud, reset_on_open=reset_on_open, board_password=password)
    async with open_board(options) as board:
        running = asyncio.create_task(board.run())
        try:
            yield ConnectedBoard(board, running)
            with suppress(TransportError):
                await board.settle()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, TransportError):
                await running


class ConnectedBoard:
    """A board that can be used; made by `connect`.

    Args:
        board: the board.
        running: the task that runs it.

    Attributes:
        files: its files.
        description: where it is, for a person.
    """

    def __init__(self, board: Board, running: asyncio.Task[None]) -> None:
        self.files = Files(board)
        self.description = board.description
        self._board = board
        self._running = running
        self._turn = asyncio.Lock()

    async def exec(self, code: str, on_output: Callable[[str], None] | None = None) -> str:
        """Run code on the board, after interrupting what runs there, until it ends.

        If this is cancelled the code is interrupted.

        Args:
            code: MicroPython.
            on_output: called with what the code prints, as it comes.

        Returns:
            All that it has printed, if there is no `on_output`.

        Raises:
            ProgramError: it ended with an exception: `traceback`, and its errno in `code`.
            BoardError: the board does not come to its prompt, or does not answer.
            TransportError: the connection failed.
            ValueError: there are control characters in the code.
        """
        script = Script(code.encode())
        text = TextOutput()
        pieces: list[str] = []
        take = on_output or pieces.append

        def deliver(data: bytes) -> None:
            if piece := text.decode(data):
                take(piece)

        async with self._turn:
            with self.terminal() as terminal:
                try:
                    await terminal.converse(script.run(), deliver)
                except BaseException:
                    with suppress(TransportError):
                        await self._board.release()
                    raise
                finally:
                    if rest := text.decode(b"", final=True):
                        take(rest)
        return "".join(pieces)

    @contextmanager
    def terminal(self) -> Iterator[Terminal]:
        """The terminal, to read and to type at; what the board prints is kept from here on until the block ends."""
        terminal = Terminal(self._board)

        def end(running: asyncio.Task[None]) -> None:
            terminal.end(end_of(running))

        self._board.on_output = terminal.show
        self._running.add_done_callback(end)
        try:
            yield terminal
        finally:
            self._running.remove_done_callback(end)
            self._board.on_output = _ignore

    async def version(self) -> tuple[int, int, int]:
        """Return the firmware's version as (major, minor, micro); (0, 0, 0) if it does not say."""
        return await self._board.version()

    async def interrupt(self) -> None:
        """Send Ctrl-C."""
        await self._board.interrupt()

    async def soft_reset(self) -> None:
        """Restart the interpreter, as Ctrl-D does.

        Raises:
            BoardError: the board does not come to its prompt.
        """
        await self._board.soft_reset()

    async def release(self) -> None:
        """Bring the REPL back to its prompt if it was left in raw or paste mode."""
        await self._board.release()


def _ignore(data: bytes) -> None:
    pass
