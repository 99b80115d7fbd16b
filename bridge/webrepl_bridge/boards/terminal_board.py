"""What all boards have in common whose terminal is a REPL that one types at without loss."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Protocol

from webrepl_link.errors import BoardError, TransportError

from ..protocol.errnos import ETIMEDOUT
from ..protocol.repl_tracker import AT_PROMPT, HELD, Mode
from .base import Board

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..protocol.repl_tracker import ReplTracker

log = logging.getLogger(__name__)

INTERRUPT_TIMEOUT_MS = 1_000
INTERRUPT_ATTEMPTS = 3
RELEASE_TIMEOUT_MS = 1_000
INTRODUCTION_TIMEOUT_MS = 3_000
TYPED_AHEAD_BYTES_MAX = 1 << 16


class TypingCore(Protocol):
    """A core that types at a REPL.

    Attributes:
        tracker: what the REPL is doing.
    """

    tracker: ReplTracker

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be typed."""

    @property
    def settled(self) -> bool:
        """Whether all that was typed has had its effect."""

    @property
    def entering(self) -> bool:
        """Whether a key that leads to raw or paste mode has been typed and has not had its effect."""

    def type(self, data: bytes) -> None:
        """Queue bytes from a client."""


class TerminalWire(Protocol):
    """What carries the terminal.

    Attributes:
        terminal: the core that types without loss. After changing it, call `kick`.
    """

    @property
    def terminal(self) -> TypingCore:
        """See above."""

    async def run(self) -> None:
        """Serve the stream until it ends.

        Raises:
            TransportError: always, at the end.
        """

    def kick(self) -> None:
        """Say that the terminal has something to do."""

    async def change(self, timeout_ms: int | None = None) -> bool:
        """Wait until something has happened at the terminal; False if nothing did within `timeout_ms`.

        Raises:
            TransportError: the stream has ended.
        """


class TerminalBoard(Board):
    """A board whose terminal is typed at over `wire`."""

    _tasks: asyncio.TaskGroup  # while `run` runs

    def __init__(self, wire: TerminalWire) -> None:
        self.on_output = lambda data: None
        self.on_notice = lambda line: None
        self._terminal_wire = wire
        self._terminal = wire.terminal
        self._tracker = self._terminal.tracker
        self._answered_version: tuple[int, int, int] | None = None

    async def run(self) -> None:
        """See Board."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._introduce())
                self._begin(self._tasks)
                await self._terminal_wire.run()
        except* TransportError as errors:
            failure = errors.exceptions[0]
        raise failure

    def _begin(self, tasks: asyncio.TaskGroup) -> None:
        """Ask an idle board for its banner and its prompt; no program minds."""
        self._type(b"\x02")

    async def _introduce(self) -> None:
        with contextlib.suppress(TransportError):  # `run` says so
            if await self._until(lambda: self._tracker.mode in AT_PROMPT, INTRODUCTION_TIMEOUT_MS):
                log.info("the board is at its prompt: %s", self._tracker.banner or "it does not say what it is")
            elif self._tracker.mode is Mode.UNKNOWN:
                log.info("no prompt yet: a program is running on the board, or the line has another baud rate")

    @property
    def mode(self) -> Mode:
        """See Board."""
        return self._tracker.mode

    @property
    def known_version(self) -> tuple[int, int, int] | None:
        """See Board."""
        return self._tracker.version or self._answered_version

    @property
    def is_held(self) -> bool:
        """See Board."""
        return self._tracker.mode in HELD or self._terminal.entering

    async def freed(self) -> None:
        """See Board."""
        while self.is_held:
            await self._terminal_wire.change()

    def _type(self, data: bytes) -> None:
        self._terminal.type(data)
        self._terminal_wire.kick()

    async def write(self, data: bytes) -> None:
        """See Board."""
        self._type(data)
        while self._terminal.waiting_bytes > TYPED_AHEAD_BYTES_MAX:
            await self._terminal_wire.change()

    async def interrupt(self) -> None:
        """See Board."""
        self._type(b"\x03")

    async def wait_for_prompt(self, timeout_ms: int) -> bool:
        """Wait until the board is at a prompt and all that was typed has had its effect; return whether it is."""
        return await self._until(lambda: self._at_rest, timeout_ms)

    async def _end_program(self) -> None:
        """Interrupt what is running.

        Raises:
            BoardError: it goes on all the same.
        """
        if not self._at_rest:
            await self.interrupt()
            if not await self._until(lambda: self._at_rest, INTERRUPT_TIMEOUT_MS):
                raise BoardError(ETIMEDOUT, "the program on the board does not let itself be interrupted")

    async def _type_on_empty_line(self, keys: bytes) -> None:
        """Type at a board that has come to a prompt."""
        if self._tracker.mode in AT_PROMPT and not self._tracker.line_is_empty:
            self._type(b"\x03")
            await self._until(lambda: self._terminal.settled, INTERRUPT_TIMEOUT_MS)
        self._type(keys)

    async def release(self) -> None:
        """See Board."""
        if self._tracker.mode in (Mode.PASTE, Mode.RAW_RUNNING) or not self._terminal.settled:
            if self._tracker.mode not in (Mode.PASTE, Mode.RAW, Mode.RAW_RUNNING):
                return
            for _ in range(INTERRUPT_ATTEMPTS):  # a program that has just begun may not take the first one
                self._type(b"\x03")
                if await self._until(
                    lambda: self._tracker.mode not in (Mode.PASTE, Mode.RAW_RUNNING), RELEASE_TIMEOUT_MS
                ):
                    break
            await self._until(lambda: self._terminal.settled, RELEASE_TIMEOUT_MS)
        if self._tracker.mode is Mode.RAW:
            self._type(b"\x02")
            await self._until(lambda: self._tracker.mode is Mode.PROMPT, RELEASE_TIMEOUT_MS)

    @property
    def _at_rest(self) -> bool:
        return self._terminal.settled and (self._tracker.mode in AT_PROMPT or self._tracker.mode is Mode.RAW)

    async def _until(self, condition: Callable[[], bool], timeout_ms: int) -> bool:
        clock = asyncio.get_running_loop().time
        end = clock() + timeout_ms / 1000
        while not condition():
            if not await self._terminal_wire.change(max(0, int((end - clock()) * 1000))):
                return condition()
        return True
