"""The board's side of a link, in CPython: a file service, a REPL that only echoes, and a wire that loses.

What the real shim does on a real board is tested there; this one can be restarted, held up and looked into.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

from webrepl_bridge.boards.base import Board
from webrepl_link.errors import BrokenError, TransportError
from webrepl_link.link import BINARY, BINARY_PART, CONTROL, TEXT, UP, Link
from webrepl_link.records import (
    GET_FILE,
    GET_VER,
    PUT_FILE,
    REQUEST_BYTES,
    decode_request,
    encode_reply,
    request_bytes,
)
from webrepl_transports import ByteStream

PATIENCE_S = 30
ENOENT, ENOSPC, ECANCELED = 2, 28, 125
BANNER = b"MicroPython v1.25.0 on 2025-09-09; a board in CPython\r\n>>> "


@dataclass(frozen=True)
class Damage:
    """What the wire does to what is written to it, as a probability for one write each."""

    drop: float = 0
    flip: float = 0
    insert: float = 0


class Wire:
    """A wire with two ends, each a ByteStream; what it does is decided by a seed.

    Attributes:
        damage: what happens to what is written.
        is_pulled: whether nothing arrives at all.
    """

    def __init__(self, seed: int = 0, damage: Damage = Damage()) -> None:
        self.damage = damage
        self.is_pulled = False
        self._random = random.Random(seed)
        self.bridge = End(self)
        self.board = End(self)
        self.bridge.other, self.board.other = self.board, self.bridge

    def carry(self, data: bytes) -> bytes:
        """Return what arrives."""
        if self.is_pulled or self._random.random() < self.damage.drop:
            return b""
        if self._random.random() < self.damage.flip:
            at = self._random.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << self._random.randrange(8)]) + data[at + 1 :]
        if self._random.random() < self.damage.insert:
            data += self._random.randbytes(self._random.randrange(1, 30))
        return data


class End(ByteStream):
    """One end of a Wire."""

    other: End

    def __init__(self, wire: Wire) -> None:
        self.description = "a wire in memory"
        self.reliable = False
        self.line_rate_baud = None
        self.received = bytearray()
        self._wire = wire
        self._arrived = bytearray()
        self._news = asyncio.Event()
        self._failure: TransportError | None = None

    async def receive(self, max_bytes: int = 65536) -> bytes:
        while not self._arrived:
            if self._failure:
                raise self._failure
            self._news.clear()
            await self._news.wait()
        data = bytes(self._arrived[:max_bytes])
        del self._arrived[: len(data)]
        self.received += data
        return data

    async def send(self, data: bytes) -> None:
        if self._failure:
            raise self._failure
        self.other._arrived += self._wire.carry(data)
        self.other._news.set()
        await asyncio.sleep(0)

    def fail(self, error: TransportError) -> None:
        self._failure = error
        self._news.set()

    async def aclose(self) -> None:
        self.fail(BrokenError("closed"))


@dataclass
class Store:
    """What survives a board's reset.

    Attributes:
        files: the files, by name.
        free_bytes: how large a file may get.
        log: what happened to them, in order.
    """

    files: dict[bytes, bytes] = field(default_factory=dict)
    free_bytes: int = 1 << 30
    log: list[str] = field(default_factory=list)


class EchoRepl:
    """A REPL that answers a line with its capitals, and nothing in raw mode.

    Attributes:
        typed: all that came.
    """

    def __init__(self) -> None:
        self.typed = bytearray()
        self._line = bytearray()
        self._is_raw = False

    def read(self, data: bytes) -> bytes:
        """Take what was typed; return what is printed."""
        self.typed += data
        printed = b""
        for byte in data:
            key = bytes([byte])
            if self._is_raw and key != b"\x02":
                continue
            self._is_raw = key == b"\x01"
            if key == b"\r":
                printed += b"\r\n" + bytes(self._line).upper() + b"\r\n>>> "
                self._line.clear()
            elif key == b"\x01":
                printed += b"\r\nraw REPL; CTRL-B to exit\r\n>"
            elif key == b"\x02":
                printed += b"\r\n" + BANNER
            elif key == b"\x03":
                self._line.clear()
                printed += b"\r\n>>> "
            elif key == b"\x04":
                printed += b"\r\nMPY: soft reboot\r\n" + BANNER
            elif 32 <= byte < 127:
                self._line += key
                printed += key
        return printed


class PlainBoard:
    """A board that runs no shim: its REPL is on the wire."""

    def __init__(self, stream: ByteStream) -> None:
        self.repl = EchoRepl()
        self._stream = stream

    async def run(self) -> None:
        while True:
            if printed := self.repl.read(await self._stream.receive()):
                await self._stream.send(printed)


class ShimBoard:
    """A board that runs a shim, until `reset` or `stop`.

    Attributes:
        store: its files.
        repl: its REPL.
        requests: how many records were asked.
        asked: set when something comes for the file service.
        hold: while it is clear, the file service does nothing.
        link: its link.
    """

    def __init__(self, stream: ByteStream, store: Store, number: int, hello_ms: int = 50) -> None:
        self.store = store
        self.repl = EchoRepl()
        self.requests = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self.link = Link(number, 1, 256, 1024)
        self.link.hello_ms = hello_ms
        self.link.keepalive_ms = 300
        self._stream = stream
        self._clock = asyncio.get_running_loop().time
        self._start = self._clock()
        self._work = asyncio.Event()
        self._waiting: deque[bytes] = deque()
        self.asked = asyncio.Event()
        self._forget()

    def _forget(self) -> None:
        self._records = bytearray()
        self._put: bytes | None = None
        self._get: bytes | None = None
        self._left = 0
        self._size = 0
        self._code = 0
        self._data = bytearray()
        self._waiting.clear()

    def _now_ms(self) -> int:
        return int((self._clock() - self._start) * 1000)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._receive())
            tasks.create_task(self._send())
            tasks.create_task(self._serve_files())

    async def _receive(self) -> None:
        while True:
            self.link.receive_data(await self._stream.receive(), self._now_ms())
            while (event := self.link.next_event()) is not None:
                kind, value = event
                if kind == UP:
                    self._forget()
                elif kind == TEXT:
                    self._read_text(cast("bytes", value))
                elif kind in (BINARY, BINARY_PART):
                    self._waiting.append(cast("bytes", value))
                    self.asked.set()
                elif kind == CONTROL:
                    self._read_control(cast("bytes", value))
            self._work.set()

    async def _send(self) -> None:
        while True:
            self._work.clear()
            while data := self.link.data_to_send(self._now_ms()):
                await self._stream.send(data)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._start + self.link.next_deadline_ms() / 1000 + 0.001):
                    await self._work.wait()

    def _read_text(self, data: bytes) -> None:
        self.link.consumed(TEXT, len(data))
        self.print(self.repl.read(data))

    def print(self, text: bytes) -> None:
        self.link.send_text(text)
        self._work.set()

    async def _serve_files(self) -> None:
        while True:
            await self.hold.wait()
            if not self._waiting:
                self.asked.clear()
                await self.asked.wait()
                continue
            data = self._waiting.popleft()
            self.link.consumed(BINARY, len(data))
            self._records += data
            self._read_records()
            self._work.set()

    def _read_control(self, data: bytes) -> None:
        if (self._put or self._get) and data[:1] == b"A":
            self._code = ECANCELED
            self.store.log.append("given up")
            if self._put:
                self._left = int.from_bytes(data[1:5], "little") - (self._size - self._left)
                self._read_records()

    def _read_records(self) -> None:
        while True:
            if self._put is not None:
                data = bytes(self._records[: self._left])
                del self._records[: self._left]
                self._left -= len(data)
                self._data += data
                if len(self._data) > self.store.free_bytes:
                    self._code = self._code or ENOSPC
                if self._left:
                    return
                if not self._code:
                    self.store.files[self._put] = bytes(self._data)
                    self.store.log.append(f"stored {self._put.decode()}")
                self._put = None
                self._answer(encode_reply(self._code))
            elif self._records[:1] == b"\0":
                del self._records[:1]
                if self._get is not None:
                    chunk = b"" if self._code else bytes(self._data[:100])
                    del self._data[:100]
                    self._answer(len(chunk).to_bytes(2, "little") + chunk)
                    if not chunk:
                        self._get = None
                        self._answer(encode_reply(self._code))
            elif len(self._records) < REQUEST_BYTES or len(self._records) < (
                size := request_bytes(bytes(self._records[:REQUEST_BYTES]))
            ):
                return
            else:
                self._read_request(bytes(self._records[:size]))
                del self._records[:size]

    def _read_request(self, record: bytes) -> None:
        request = decode_request(record)
        self.requests += 1
        self._code = 0
        if request.op == GET_VER:
            self._answer(bytes((1, 25, 0)))
        elif request.op == PUT_FILE:
            self._put, self._left, self._size = request.name, request.size, request.size
            self._data = bytearray()
            self._answer(encode_reply(0))
        elif request.op == GET_FILE and request.name in self.store.files:
            self._get, self._data = request.name, bytearray(self.store.files[request.name])
            self._answer(encode_reply(0))
        else:
            self._answer(encode_reply(ENOENT))

    def _answer(self, data: bytes) -> None:
        self.link.send_binary(data)


class Rig:
    """A wire with a shim's board at one end, and what the bridge makes of it at the other.

    Attributes:
        wire: the wire.
        store: the board's files.
        shim: the board's side.
        board: the bridge's side.
        seen: the terminal's output.
        notices: what the people at the terminal were told.
    """

    def __init__(self, wire: Wire, board: Board, tasks: asyncio.TaskGroup, hello_ms: int) -> None:
        self.wire = wire
        self.store = Store()
        self._tasks = tasks
        self._hello_ms = hello_ms
        self._starts = 0
        self._running: asyncio.Task[None] | None = None
        self._watch(board)
        self._bridging = tasks.create_task(self._bridge())

    @classmethod
    def of(cls, board: Board) -> Rig:
        """What is seen of a board that runs elsewhere."""
        rig = cls.__new__(cls)
        rig._watch(board)
        return rig

    def _watch(self, board: Board) -> None:
        self.board = board
        self.seen = bytearray()
        self.notices: list[str] = []
        self._news = asyncio.Event()
        board.on_output = self._note_output
        board.on_notice = self._note_notice

    async def _bridge(self) -> None:
        with suppress(TransportError):
            await self.board.run()

    async def replace_bridge(self, board: Board) -> None:
        """Stop the bridge without a goodbye and start another."""
        self._bridging.cancel()
        with suppress(asyncio.CancelledError):
            await self._bridging
        self._watch(board)
        self._bridging = self._tasks.create_task(self._bridge())

    @staticmethod
    async def turns(count: int) -> None:
        """Let everything else run for some turns of the loop."""
        for _ in range(count):
            await asyncio.sleep(0)

    def _note_output(self, data: bytes) -> None:
        self.seen += data
        self._news.set()

    def _note_notice(self, line: str) -> None:
        self.notices.append(line)
        self._news.set()

    def start_plain(self) -> None:
        self.plain = PlainBoard(self.wire.board)
        self._running = self._tasks.create_task(self.plain.run())

    def start_shim(self) -> None:
        self._starts += 1
        self.shim = ShimBoard(self.wire.board, self.store, 1000 * self._starts, self._hello_ms)
        self._running = self._tasks.create_task(self.shim.run())

    async def stop(self) -> None:
        """Stop what the board runs."""
        assert self._running is not None
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running

    async def reset_shim(self) -> None:
        """Reset the board."""
        await self.stop()
        self.start_shim()

    async def expect(self, text: bytes) -> bytes:
        """Read the terminal's output up to and with `text`."""
        while (found := self.seen.find(text)) < 0:
            self._news.clear()
            await self._news.wait()
        data = bytes(self.seen[: found + len(text)])
        del self.seen[: len(data)]
        return data

    async def notice(self, part: str) -> str:
        """Wait for a notice that has `part` in it."""
        while True:
            for line in self.notices:
                if part in line:
                    return line
            self._news.clear()
            await self._news.wait()

    async def put(self, name: str, data: bytes, size_bytes: int | None = None) -> None:
        async with self.board.put(name, len(data) if size_bytes is None else size_bytes) as writer:
            for start in range(0, len(data), 700):
                await writer.write(data[start : start + 700])
            await writer.finish()

    async def get(self, name: str) -> bytes:
        data = b""
        async with self.board.get(name) as reader:
            while piece := await reader.read():
                data += piece
        return data

    async def end(self) -> None:
        """End the bridge and the board."""
        self._bridging.cancel()
        if self._running is not None:
            self._running.cancel()


@asynccontextmanager
async def rig(
    make: Callable[[ByteStream], Board], wire: Wire | None = None, *, shim: bool = True, hello_ms: int = 50
) -> AsyncIterator[Rig]:
    """Run both sides until the block ends.

    Args:
        make: makes the bridge's board on its end of the wire.
        wire: a good one if None.
        shim: whether the board's side runs from the start.
        hello_ms: how often it calls while there is no session.
    """
    wire = wire or Wire()
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        rig = Rig(wire, make(wire.bridge), tasks, hello_ms)
        if shim:
            rig.start_shim()
        try:
            yield rig
        finally:
            await rig.end()
