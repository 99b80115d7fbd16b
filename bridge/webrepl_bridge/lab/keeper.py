"""One board, kept: opened, served until it is gone, and opened again whenever that makes sense."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from webrepl_link.errors import OpenError, WebReplError

from ..boards.opening import BoardOptions, open_board
from .backoff import Backoff
from .whereabouts import Whereabouts, serial_target, with_device

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrepl_transports import SerialPort

    from ..session import Session
    from .hotplug import PortWatch

log = logging.getLogger(__name__)


class Keeper:
    """Gives a session its board, again and again.

    A board on a serial port is opened again when ports come or go; while it is there and cannot be opened, and for
    boards on a network, after a while that grows with each failure.

    Args:
        session: whose board it is.
        options: where the board is, and how to serve it.
        ports: tells when serial ports come or go.
        required: whether who started it is told if it cannot be opened at first, so that the log need not say so.
        chance: gives numbers from 0 up to 1.

    Attributes:
        failure: why the board could not be opened; None if it could.
        tried: set when the board has been open, or could not be opened, for the first time.

    Raises:
        AddressError: the board's URL is not well formed.
    """

    def __init__(
        self,
        session: Session,
        options: BoardOptions,
        ports: PortWatch,
        *,
        required: bool = False,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.session = session
        self.options = options
        self.tried = asyncio.Event()
        self.failure: OpenError | None = None
        self._ports = ports
        self._required = required
        self._chance = chance
        self._backoff = Backoff()
        self._clock = asyncio.get_running_loop().time
        self._target = serial_target(options.url)
        self._whereabouts = Whereabouts(self._target) if self._target else None

    @property
    def description(self) -> str:
        """How to name to a person what the board is on, or why it is not there."""
        if self.session.board is not None:
            return self.session.board.description
        return f"not there yet: {self.session.absence}"

    async def run(self) -> NoReturn:
        """Keep the board until cancelled; raises nothing for what a board does."""
        while True:
            changes = self._ports.changes
            started_at = self._clock()
            try:
                await self._serve()
            except OpenError as error:
                self.session.lose_board(str(error), is_told=self._required and not self.tried.is_set())
                self.failure = error
                held_ms = 0
            except Exception as error:
                if not isinstance(error, WebReplError):
                    log.exception("%s: serving the board failed", self.session.name)
                self.session.lose_board(str(error))
                held_ms = int((self._clock() - started_at) * 1000)
            self.tried.set()
            await self._until_it_makes_sense(changes, held_ms)

    async def _serve(self) -> NoReturn:
        options, device = self.options, ""
        if self._whereabouts is not None:
            ports, paths = await self._look()
            device = self._whereabouts.find(ports, paths) or ""
            options = replace(options, url=with_device(options.url, device or self._target))
        async with open_board(options) as board:
            if self._whereabouts is not None and device:
                self._whereabouts.opened(device, ports, paths)
            with self.session.serve(board):
                self.failure = None
                self.tried.set()
                await board.run()
        raise AssertionError("a board does not end without a reason")

    def claims(self, port: SerialPort) -> bool:
        """Whether `port` is this board's."""
        return self._whereabouts is not None and self._whereabouts.claims(port, self._paths())

    async def _look(self) -> tuple[list[SerialPort], list[str]]:
        return await self._ports.ports(), self._paths()

    def _paths(self) -> list[str]:
        if not os.path.dirname(self._target) or not os.path.exists(self._target):
            return []
        return [self._target, os.path.realpath(self._target)]

    async def _until_it_makes_sense(self, changes: int, held_ms: int) -> None:
        delay_s = self._backoff.next_delay_ms(held_ms, self._chance()) / 1000
        if self._whereabouts is None:
            await asyncio.sleep(delay_s)
            return
        if os.path.dirname(self._target):  # a path, not auto, id: or COM3
            self._ports.follow(self._target)
        is_there = self._whereabouts.find(*await self._look()) is not None
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s if is_there else None):
                await self._ports.change(changes)
