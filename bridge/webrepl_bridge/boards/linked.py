"""A board with the shim: WebREPL's messages by the link, while the board's program runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from typing import TYPE_CHECKING

from webrepl_link.errors import BoardError, WebReplError

from ..protocol.errnos import ETIMEDOUT
from ..protocol.repl_tracker import Mode
from ..protocol.webrepl_client import VersionTold
from .link_wire import AGE_MS_MAX, LinkWire
from .record_board import RecordBoard
from .records import Talk

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from webrepl_transports import ByteStream

log = logging.getLogger(__name__)

GRACE_MS = 1_000
"""How long a step of what was just typed may take before it counts as a running program, beside which files move."""

SESSION_TIMEOUT_MS = 5_000
"""How long an operation waits for a board that does not answer the link's call."""

GIVE_UP_TIMEOUT_MS = 5_000
"""How long the board may take to give up a transfer, before the session is given up instead."""


class LinkedBoard(RecordBoard):
    """A board on a wire, with the shim.

    Args:
        stream: the open wire; closed by its owner.
        random_bits: gives so many random bits.
        may_end: whether `run` ends, with ShimGoneError, when a plain REPL has taken the shim's place.
    """

    chunks_ahead = 4  # So that the line does not fall silent between them.

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

    @property
    def link_counters(self) -> dict[str, int]:
        """See Board."""
        return self._wire.counters()

    def _begin(self, tasks: asyncio.TaskGroup) -> None:
        # The link calls the board until it answers, and again whenever it falls silent.
        tasks.create_task(self._stay_young())

    async def _stay_young(self) -> None:
        while True:
            await asyncio.sleep(AGE_MS_MAX / 1000)
            async with self._turn:
                self._wire.renew()

    async def settle(self) -> None:
        """Wait until no operation is under way."""
        async with self._turn:
            pass

    async def type_at_prompt(self, keys: bytes) -> None:
        """See Board."""
        async with self._turn:
            await self._end_program()
            await self._type_on_empty_line(keys)

    # What is asked by records.

    async def _typing_done(self) -> None:
        """Wait until what was typed before has had its effect, or runs as a program."""
        terminal = self._wire.terminal
        while unsettled_bytes := terminal.unsettled_bytes:
            if not await self._until(lambda: terminal.unsettled_bytes < unsettled_bytes, GRACE_MS):
                return
        if self.mode is Mode.RUNNING:
            await self._until(lambda: self.mode is not Mode.RUNNING, GRACE_MS - self._wire.running_ms)

    async def version(self) -> tuple[int, int, int]:
        """See Board."""
        if self._answered_version is None:
            with contextlib.suppress(BoardError):
                async with self._talk() as talk:
                    talk.client.ask_version()
                    match await talk.answer():
                        case VersionTold(version):
                            self._answered_version = version
        return self._answered_version or (0, 0, 0)

    @contextlib.asynccontextmanager
    async def _talk(self) -> AsyncIterator[Talk]:
        """Take a turn in asking the board; what the block leaves in the middle is given up."""
        await self._turn.acquire()
        talk = Talk(self._wire)
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
                self._tasks.create_task(self._give_up(talk))

    async def _give_up(self, talk: Talk) -> None:
        try:
            async with asyncio.timeout(GIVE_UP_TIMEOUT_MS / 1000):
                await talk.abandon()
        except (WebReplError, TimeoutError) as error:
            log.debug("the transfer did not end when asked: %s", error)
            if not talk.is_over and not self._wire.ended:
                self._wire.renew()
        finally:
            self._turn.release()
