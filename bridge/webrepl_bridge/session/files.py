"""The queue for one board's file operations: first come, first served, and to be seen."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass(frozen=True, eq=False)
class FileOperation:
    """One operation, waiting or under way.

    Attributes:
        kind: what it does: "put", "get", or as in protocol/file_requests.py.
        name: the file.
        client: who wants it.
        since_s: when it was asked for, by the loop's clock.
    """

    kind: str
    name: str
    client: str
    since_s: float


class FileQueue:
    """Gives operations their turns.

    Attributes:
        operations: in their order; the first one is under way.
        done: how many have ended, by their kind.
        failed: how many of them in an error, or given up.
    """

    def __init__(self) -> None:
        self.operations: list[FileOperation] = []
        self.done: dict[str, int] = {}
        self.failed = 0
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, kind: str, name: str, client: str) -> AsyncIterator[None]:
        """Wait for the operation's turn, which it has until the block ends."""
        operation = FileOperation(kind, name, client, asyncio.get_running_loop().time())
        self.operations.append(operation)
        succeeded = False
        try:
            async with self._turn:
                yield
            succeeded = True
        finally:
            self.operations.remove(operation)
            self.done[kind] = self.done.get(kind, 0) + 1
            self.failed += not succeeded
