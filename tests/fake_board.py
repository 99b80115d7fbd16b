"""A fake board for the frontends' tests: a dictionary of files, and a prompt that only echoes.

It is no MicroPython: what a client does with a real one is tested against a real one, elsewhere.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from webrepl_bridge.boards.base import Board
from webrepl_bridge.protocol.file_requests import Answer, Entry, FileRequest, GetStat, ListDirectory, Remove
from webrepl_bridge.protocol.repl_tracker import Mode
from webrepl_link.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ENOENT = 2
ENOSPC = 28


class FakeBoard(Board):
    """Everything in memory, and everything that tests want to see or hold up.

    Attributes:
        files: what is on the board.
        typed: what was typed at the terminal.
        free_bytes: what fits into a file; more fails with ENOSPC, half-way.
        chunk_bytes: how much a reader gives at once.
        go: clear it to hold up typing and file data.
        fault: raised by the next step of a transfer.
        log: what happened, in order.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.typed = bytearray()
        self.free_bytes = 1 << 30
        self.chunk_bytes = 4096
        self.go = asyncio.Event()
        self.go.set()
        self.fault: Exception | None = None
        self.log: list[str] = []
        self.happened = asyncio.Condition()
        self._held_mode = Mode.RAW
        self._free = asyncio.Event()
        self._free.set()
        self._turn = asyncio.Lock()  # the terminal waits while a file is under way

    @property
    def mode(self) -> Mode:
        return self._held_mode if self.is_held else Mode.PROMPT

    @property
    def is_held(self) -> bool:
        return not self._free.is_set()

    async def freed(self) -> None:
        await self._free.wait()

    def hold(self, held: bool, mode: Mode = Mode.RAW) -> None:
        """Enter raw mode or another, or leave it."""
        self._held_mode = mode
        if held:
            self._free.clear()
        else:
            self._free.set()

    async def note(self, what: str) -> None:
        self.log.append(what)
        async with self.happened:
            self.happened.notify_all()

    async def wait_for(self, what: str) -> None:
        async with self.happened, asyncio.timeout(10):
            await self.happened.wait_for(lambda: what in self.log)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def settle(self) -> None:
        pass

    async def write(self, data: bytes) -> None:
        async with self._turn:
            await self.go.wait()
            self._fail()
            self.typed += data
            self.on_output(data.replace(b"\r", b"\r\n>>> "))
            await self.note("write")

    async def release(self) -> None:
        self._free.set()
        await self.note("release")

    async def version(self) -> tuple[int, int, int]:
        return (1, 29, 0)

    @asynccontextmanager
    async def put(
        self, name: str, size_bytes: int, offset_bytes: int = 0, *, keep: bool = False
    ) -> AsyncIterator[_Writer]:
        async with self._turn:
            self._fail()
            part = f" from {offset_bytes}, keep {keep}" if offset_bytes or keep else ""
            await self.note(f"put {name} {size_bytes}{part}")
            writer = _Writer(self, name)
            try:
                yield writer
            finally:
                await self.note(f"{'stored' if writer.finished else 'gave up'} {name}")

    @asynccontextmanager
    async def get(self, name: str, offset_bytes: int = 0, size_bytes: int | None = None) -> AsyncIterator[_Reader]:
        async with self._turn:
            self._fail()
            if name not in self.files:
                raise BoardError(ENOENT, f"no such file: {name}")
            await self.note(f"get {name}")
            try:
                end = None if size_bytes is None else offset_bytes + size_bytes
                yield _Reader(self, self.files[name][offset_bytes:end])
            finally:
                await self.note(f"end of get {name}")

    async def ask(self, request: FileRequest[Answer]) -> Answer:
        async with self._turn:
            self._fail()
            await self.note(str(request))
            match request:
                case ListDirectory():
                    entries = [Entry(name, False, len(data)) for name, data in sorted(self.files.items())]
                    return cast("Answer", entries)
                case GetStat(name):
                    if name not in self.files:
                        raise BoardError(ENOENT, f"no such file: {name}")
                    return cast("Answer", Entry(name, False, len(self.files[name]), 5, 6))
                case Remove(name):
                    del self.files[name]
                    return cast("Answer", None)
            raise BoardError(38, "not in this fake")

    async def interrupt(self) -> None:
        await self.note("interrupt")

    async def type_at_prompt(self, keys: bytes) -> None:
        await self.note(f"at the prompt: {keys!r}")

    def _fail(self) -> None:
        fault, self.fault = self.fault, None
        if fault:
            raise fault


class _Writer:
    def __init__(self, board: FakeBoard, name: str) -> None:
        self._board = board
        self._name = name
        self._data = bytearray()
        self.finished = False

    async def write(self, data: bytes) -> None:
        await self._board.note("data")
        await self._board.go.wait()
        self._board._fail()
        self._data += data
        if len(self._data) > self._board.free_bytes:
            raise BoardError(ENOSPC, "no space left")

    async def finish(self) -> None:
        self._board._fail()
        self._board.files[self._name] = bytes(self._data)
        self.finished = True


class _Reader:
    def __init__(self, board: FakeBoard, data: bytes) -> None:
        self._board = board
        self._data = data
        self._at = 0

    async def read(self) -> bytes:
        await self._board.go.wait()
        self._board._fail()
        data = self._data[self._at : self._at + self._board.chunk_bytes]
        self._at += len(data)
        return data
