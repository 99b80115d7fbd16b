"""All boards of one bridge: their sessions, and the keepers that bring the boards to them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from webrepl_link.errors import WebReplError

from ..session import Limits, Session
from .hotplug import PortWatch
from .keeper import Keeper
from .naming import name_ports
from .plan import changes
from .recorder import check_folder, record
from .whereabouts import url_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping
    from pathlib import Path

    from webrepl_transports import SerialPort

    from ..boards.base import Board
    from ..boards.opening import BoardOptions
    from .plan import LabPlan

log = logging.getLogger(__name__)

SETTLE_S = 2.0
"""How long a board may take to come back to its prompt when it is let go in the middle of a transfer."""


ABSENT_MAX = 100
"""How many boards that came by themselves are remembered while they are gone and nobody waits for them."""


class Lab:
    """The boards by their names.

    Attributes:
        sessions: one for each board, whether it is there or not.
        keepers: what brings the boards to them.
    """

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.keepers: dict[str, Keeper] = {}
        self._default = ""
        self._limits = Limits()
        self._named: Mapping[str, BoardOptions] = {}
        self._auto: BoardOptions | None = None
        self._found: dict[str, SerialPort] = {}  # by `auto`, when they were found
        self._serving_all: asyncio.Task[NoReturn] | None = None
        self._ports = PortWatch()
        self._keeping: dict[str, asyncio.Task[NoReturn]] = {}
        self._record: Path | None = None
        self._recording: dict[tuple[Session, Path], asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def default(self) -> str:
        """Which board is at `/`; "" if there is more than one and nobody has said."""
        if self._default or len(self.sessions) != 1:
            return self._default
        return next(iter(self.sessions))

    def find(self, name: str) -> Session | None:
        """The session of the board with this name, or of the one at `/` for ""; None if there is none."""
        return self.sessions.get(name or self.default)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Keep the boards while the block runs; at its end they are let go at their prompts."""
        failure: Exception | None = None
        async with asyncio.TaskGroup() as self._tasks:
            watching = self._tasks.create_task(self._ports.run())
            try:
                yield
            except Exception as error:
                failure = error  # not as one of a group
            finally:
                if self._serving_all is not None:
                    self._serving_all.cancel()
                await self._let_go(self.sessions)
                watching.cancel()
                for task in self._recording.values():
                    task.cancel()
        if failure is not None:
            raise failure

    async def apply(self, plan: LabPlan) -> None:
        """Have the boards that `plan` wants, and leave those alone that are as it wants them; inside `run`.

        Raises:
            AddressError: a URL is not well formed.
            OpenError: nothing can be written to the folder for recordings.
        """
        assert self._tasks is not None
        if plan.record is not None:
            check_folder(plan.record)
        self._record = plan.record
        todo = changes(self._named, plan.boards)
        self._named, self._default = plan.boards, plan.default
        self._limits = plan.limits
        for session in self.sessions.values():
            session.restrict(plan.limits)
        renamed = self._found.keys() & plan.boards.keys()
        for name in renamed:
            del self._found[name]
        await self._let_go(todo.gone | todo.moved | renamed)
        self._forget(todo.gone)
        for name in plan.boards:  # in the operator's order
            if name in todo.new | todo.moved:
                self._keep(name, plan.boards[name], required=name in plan.required)
        if self._auto != plan.auto:
            self._auto = plan.auto
            if self._serving_all is not None:
                self._serving_all.cancel()
                self._serving_all = None
            await self._release(self._found)
            if plan.auto is not None:
                self._serving_all = self._tasks.create_task(self._serve_all(plan.auto))
        await self._release([name for name, port in self._found.items() if self._is_claimed(port)])
        self._record_all()

    async def _serve_all(self, options: BoardOptions) -> NoReturn:
        while True:
            seen = self._ports.changes
            boards = [port for port in await self._ports.ports() if port.looks_like_board]
            ports = name_ports(port for port in boards if not self._is_claimed(port))
            for name, port in ports.items():
                if name not in self.sessions:
                    self._keep(name, replace(options, url=url_of(port)))
                    self._found[name] = port
            await self._release([name for name in self._found if name not in ports and self.sessions[name].is_deserted])
            await self._ports.change(seen)

    def _is_claimed(self, port: SerialPort) -> bool:
        return any(self.keepers[name].claims(port) for name in self._named)

    async def _release(self, found: Iterable[str]) -> None:
        found = list(found)
        for name in found:
            del self._found[name]
        await self._let_go(found)
        self._forget(found)

    def admit(self, name: str) -> Session | None:
        """Return the session of a board that comes by itself; None if that name belongs to one that is kept."""
        if name in self.keepers:
            return None
        absent = [other for other in self.sessions.keys() - self.keepers.keys() if self.sessions[other].is_deserted]
        if len(absent) > ABSENT_MAX:
            for other in absent:
                del self.sessions[other]
        session = self.sessions.setdefault(name, Session(name, self._limits))
        self._record_all()
        return session

    def _keep(self, name: str, options: BoardOptions, *, required: bool = False) -> None:
        assert self._tasks is not None
        if name in self.sessions and name not in self.keepers:
            self.sessions.pop(name).dismiss("another board has this name now")
        session = self.sessions.setdefault(name, Session(name, self._limits))
        keeper = Keeper(session, options, self._ports, required=required)
        self.keepers[name] = keeper
        self._record_all()
        self._keeping[name] = self._tasks.create_task(keeper.run())

    async def _let_go(self, names: Iterable[str]) -> None:
        names = list(names)
        boards = [board for name in names if (board := self.sessions[name].board) is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S), asyncio.TaskGroup() as settling:
                for board in boards:
                    settling.create_task(_settle(board))
        keeping = [self._keeping.pop(name) for name in names if name in self._keeping]
        for task in keeping:
            task.cancel()
        if keeping:
            await asyncio.wait(keeping)

    def _forget(self, names: Iterable[str]) -> None:
        for name in names:
            log.info("%s: no longer served", name)
            del self.keepers[name]
            self.sessions.pop(name).dismiss("this board is no longer served")
        self._record_all()

    def _record_all(self) -> None:
        """Record every session if that is wanted, and no other."""
        assert self._tasks is not None
        wanted = {(session, self._record) for session in self.sessions.values() if self._record is not None}
        for key in self._recording.keys() - wanted:
            self._recording.pop(key).cancel()
        for session, folder in wanted - self._recording.keys():
            self._recording[session, folder] = self._tasks.create_task(record(session, folder))


async def _settle(board: Board) -> None:
    with contextlib.suppress(WebReplError):
        await board.settle()
