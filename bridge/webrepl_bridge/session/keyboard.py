"""What the clients of a session type, and who may: `protocol.floor`, on a board and a clock."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ..protocol.floor import Drop, Floor, TakeBack, Type, WaitFor
from ..protocol.repl_tracker import HELD, Mode
from ..within import within

if TYPE_CHECKING:
    from .client import AnyClient
    from .shared import Session

ENTERING_MS = 600
"""How long a board may take to enter a mode, before who waits is told that another client has it."""

LOST = "the REPL has been taken from you: Ctrl-C begins anew"


class Keyboard:
    """One board's input.

    Args:
        session: whose board it is.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._floor: Floor[AnyClient] = Floor()
        self._releasing = asyncio.Lock()  # while the board is brought to its prompt, nobody's input goes to it
        self._clock = asyncio.get_running_loop().time

    @property
    def holder(self) -> AnyClient | None:
        """Who has the REPL in raw or paste mode; None if nobody has."""
        board = self._session.board
        return self._floor.typist if board is not None and board.is_held else None

    def heard(self) -> None:
        """The board has printed something."""
        self._floor.heard(self._now_ms())

    def reset(self) -> None:
        """The board has gone."""
        self._floor.reset()

    def is_left_alone(self, client: AnyClient) -> bool:
        """Whether somebody else than `client` holds the REPL, and does nothing with it."""
        return self.holder not in (None, client) and self._floor.has_stalled(self._now_ms())

    async def type(self, client: AnyClient, data: bytes) -> None:
        """Type for a client, when it may. What cannot be typed is dropped, and the client is told.

        Raises:
            TransportError: the wire failed.
        """
        if not (data := self._floor.strip(client, data)):
            client.tell_once(LOST)
            return
        since_ms = self._now_ms()
        while True:
            async with self._releasing:
                pass
            if (board := self._session.board) is None:
                client.tell_once("not connected: what you type is lost")
                return
            running = board.mode is Mode.RAW_RUNNING
            now_ms = self._now_ms()
            match self._floor.judge(client, held=board.is_held, running=running, since_ms=since_ms, now_ms=now_ms):
                case Type():
                    break
                case TakeBack(holder):
                    await self.take_over(f"{holder.name} has fallen silent")
                case Drop(holder):
                    client.tell(f"{holder.name} has the REPL in {board.mode.value} mode: what you typed is dropped")
                    return
                case WaitFor(holder, until_ms):
                    if board.mode in HELD:
                        client.tell_once(f"{holder.name} has the REPL in {board.mode.value} mode: what you type waits")
                    else:  # on the way there, or after a Ctrl-C: mostly over before anyone notices
                        until_ms = min(until_ms, now_ms + ENTERING_MS)
                    with suppress(TimeoutError):
                        await within(until_ms + 1 - now_ms, board.freed())
        self._floor.typed(client, self._now_ms())
        self._session.counters.typed_bytes += len(data)
        client.has_typed()
        await board.write(data)

    async def leave(self, client: AnyClient) -> None:
        """A client has left: what it has left behind is ended.

        Raises:
            TransportError: the wire failed.
        """
        if self._floor.leave(client) and self._session.board is not None:
            async with self._releasing:
                await self._session.board.release()

    async def take_over(self, reason: str) -> None:
        """Take the REPL from who holds it in raw or paste mode, and bring the board to its prompt.

        Raises:
            BoardError: there is no board.
            TransportError: the wire failed.
        """
        board = self._session.present_board()
        if not board.is_held:
            return
        self._session.show_notice(f"back to the prompt: {reason}")
        self.dispossess()
        async with self._releasing:
            await board.release()

    def dispossess(self) -> None:
        """Take the REPL from who holds it, and leave the board as it is."""
        if self.holder is not None and (loser := self._floor.lose()) is not None:
            loser.tell_once(LOST)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
