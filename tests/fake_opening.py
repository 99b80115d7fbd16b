"""Boards that are opened without any wire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from fake_board import FakeBoard
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab import keeper


class EndingBoard(FakeBoard):
    """A board that ends when it is told to.

    Attributes:
        ending: give it the error.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ending: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        raise await self.ending


class Opener:
    """Opens boards in place of `open_board`.

    Attributes:
        opened: the options with which boards were opened, and the boards.
        is_open: which are open now, by URL.
        refusal: raised instead of opening.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[tuple[BoardOptions, EndingBoard]] = []
        self.is_open: dict[str, EndingBoard] = {}
        self.refusal: Exception | None = None
        monkeypatch.setattr(keeper, "open_board", self.open)

    @asynccontextmanager
    async def open(self, options: BoardOptions) -> AsyncIterator[EndingBoard]:
        if self.refusal is not None:
            raise self.refusal
        assert options.url not in self.is_open, "opened twice"
        board = EndingBoard()
        self.opened.append((options, board))
        self.is_open[options.url] = board
        try:
            yield board
        finally:
            del self.is_open[options.url]
