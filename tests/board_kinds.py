"""The kinds of board that the contract suite (tests/contract/test_boards_*.py) runs on, and a person in front of one.

A kind is one entry of `KINDS`: what to run, how to make a `Board` of it, and what its firmware lacks. Every kind has to
pass the suite; a new kind of `Board` joins by adding an entry.
"""

from __future__ import annotations

import ast
import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec

import pytest

from board_kit.microbit import run_microbit
from board_kit.pico import PicoKind, run_pico
from board_kit.unix_shim import unix_vm_with_shim
from board_kit.unix_vm import unix_vm
from serving import PASSWORD, bridge, text_webrepl
from shim_kit import pico_with_shim
from webrepl_bridge.boards.base import Board
from webrepl_bridge.boards.bridged import BridgedBoard
from webrepl_bridge.boards.linked import LinkedBoard
from webrepl_bridge.boards.remote import RemoteBoard, connect
from webrepl_bridge.boards.stock import StockBoard, WhileRunning
from webrepl_transports import ByteStream, TransportError, open_stream
from webrepl_transports.websocket import WebSocket

P = ParamSpec("P")

PROMPT = b"\r\n>>> "
PATIENCE_S = 30
"""How long anything may take that should happen at once; machines that run tests can be slow."""


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in an event loop of its own."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        asyncio.run(test(*arguments, **named))

    return run


@dataclass(frozen=True)
class Kind:
    """One kind of board.

    Attributes:
        start: runs it, given an empty folder; yields where it is, as a URL.
        make: makes a Board of it on an open wire.
        version: its firmware's.
        baud: the rate of its line if that is a UART.
        large_bytes: the largest file of the suite.
        paste_bytes: the longest text.
        has_directories: whether its file system has directories.
        has_mounts: whether other file systems can be mounted.
        has_raw_paste: whether its raw REPL has raw-paste mode.
        files_stop_programs: whether a file operation needs the interpreter for itself, and the bridge decides on it.
        is_wire: whether it is on a wire that can damage what crosses it.
        open: makes what `make` takes of where the board is.
        files_beside_programs: whether files move while a program runs, without its notice.
        one_interpreter: whether terminal and files are in one: they share its current directory.
        announces_reset: whether what it says of a soft reset gets out before it is reset.
        takes_bundles: whether it takes many files at once.
        own_files: what is in its root directory without a test's doing.
    """

    start: Callable[[Path], Any]
    make: Callable[[Any, WhileRunning], Board]
    version: tuple[int, int, int]
    baud: int | None = None
    large_bytes: int = 20_000
    paste_bytes: int = 20_000
    has_directories: bool = True
    has_mounts: bool = True
    has_raw_paste: bool = True
    files_stop_programs: bool = True
    is_wire: bool = True
    open: Callable[[str], Awaitable[Any]] = open_stream
    files_beside_programs: bool = False
    one_interpreter: bool = True
    announces_reset: bool = True
    takes_bundles: bool = True
    own_files: frozenset[str] = frozenset()


@contextmanager
def _unix_vm(folder: Path) -> Iterator[str]:
    with unix_vm(folder) as vm:
        yield vm.device


@contextmanager
def _pico(kind: PicoKind, folder: Path) -> Iterator[str]:
    with run_pico(kind) as pico:
        yield pico.repl_url


SHIM_BOOT = "import sys; sys.path.append('/shim'); import webrepl_shim; webrepl_shim.start_uart(1, 115200)\n"


@contextmanager
def _pico_with_shim(folder: Path) -> Iterator[str]:
    with pico_with_shim(PicoKind("stock", lossy=True, slow_flash=True), folder, "shim", SHIM_BOOT) as pico:
        yield pico.uart1_url


def _linked(stream: ByteStream, while_running: WhileRunning) -> Board:
    return LinkedBoard(stream)


@contextmanager
def _unix_vm_with_webrepl(folder: Path) -> Iterator[str]:
    with unix_vm(folder) as vm, text_webrepl(vm.device) as port:
        yield f"ws://127.0.0.1:{port}/"


@contextmanager
def _unix_vm_behind_a_bridge(folder: Path) -> Iterator[str]:
    with unix_vm(folder) as vm, bridge(vm.device) as port:
        yield f"ws://127.0.0.1:{port}/"


def _bridged(websocket: WebSocket, while_running: WhileRunning) -> Board:
    return BridgedBoard(websocket, lambda: connect(websocket.description, PASSWORD))


@contextmanager
def _microbit(folder: Path) -> Iterator[str]:
    with run_microbit() as url:
        yield url


KINDS: dict[str, Kind] = {
    "unix": Kind(_unix_vm, StockBoard, (1, 29, 0), large_bytes=2_000_000),
    "unix-remote": Kind(
        _unix_vm_with_webrepl,
        RemoteBoard,
        (1, 29, 0),
        large_bytes=200_000,
        is_wire=False,
        open=lambda url: connect(url, PASSWORD),
        takes_bundles=False,
    ),
    "unix-bridged": Kind(
        _unix_vm_behind_a_bridge,
        _bridged,
        (1, 29, 0),
        large_bytes=2_000_000,
        files_stop_programs=False,
        is_wire=False,
        open=lambda url: connect(url, PASSWORD),
    ),
    "unix-linked": Kind(
        unix_vm_with_shim,
        _linked,
        (1, 29, 0),
        large_bytes=100_000,
        has_mounts=False,
        files_stop_programs=False,
        files_beside_programs=True,
        one_interpreter=False,
        announces_reset=False,
        takes_bundles=False,
    ),
    "pico-usb": Kind(functools.partial(_pico, PicoKind("stock")), StockBoard, (1, 25, 0)),
    "pico-uart": Kind(
        functools.partial(_pico, PicoKind("uart", lossy=True, slow_flash=True)), StockBoard, (1, 25, 0), 115_200
    ),
    "pico-linked": Kind(
        _pico_with_shim,
        _linked,
        (1, 25, 0),
        115_200,
        paste_bytes=3_000,
        files_stop_programs=False,
        files_beside_programs=True,
        announces_reset=False,
        takes_bundles=False,
        own_files=frozenset({"boot.py", "shim"}),
    ),
    "microbit": Kind(
        _microbit,
        StockBoard,
        (1, 9, 2),
        115_200,
        large_bytes=700,
        has_directories=False,
        has_mounts=False,
        has_raw_paste=False,
        takes_bundles=False,
    ),
}
_MARKS = {
    name: pytest.mark.pico if name.startswith("pico") else pytest.mark.microbit
    for name in KINDS
    if not name.startswith("unix")
}
KIND_PARAMETERS = [pytest.param(name, marks=_MARKS.get(name, ())) for name in KINDS]


class SlowLine(ByteStream):
    """A stream that says that it is a UART: the emulated boards have theirs behind a socket."""

    def __init__(self, inner: ByteStream, baud: int) -> None:
        self.inner = inner
        self.description = inner.description
        self.reliable = False
        self.line_rate_baud = baud

    async def receive(self, max_bytes: int = 65536) -> bytes:
        return await self.inner.receive(max_bytes)

    async def send(self, data: bytes) -> None:
        await self.inner.send(data)

    async def aclose(self) -> None:
        await self.inner.aclose()


class Desk:
    """A served board, and a person who types at its terminal and reads what comes.

    Attributes:
        kind: what the board is.
        board: the board.
        seen: all of the terminal's output.
        notices: what the people at the terminal were told.
    """

    def __init__(self, kind: Kind, board: Board) -> None:
        self.kind = kind
        self.board = board
        self.seen = bytearray()
        self.notices: list[str] = []
        self._read = 0  # how much of `seen` has been looked at
        self._news = asyncio.Event()
        board.on_output = self._note_output
        board.on_notice = self._note_notice

    def _note_output(self, data: bytes) -> None:
        self.seen += data
        self._news.set()

    def _note_notice(self, line: str) -> None:
        self.notices.append(line)
        self._news.set()

    async def notice(self, part: str) -> None:
        """Wait for a notice with `part` in it."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(part in notice for notice in self.notices):
                self._news.clear()
                await self._news.wait()

    @property
    def unread(self) -> bytes:
        """The output that nobody has looked at yet."""
        return bytes(self.seen[self._read :])

    async def type(self, text: str | bytes) -> None:
        await self.board.write(text.encode() if isinstance(text, str) else text)

    async def expect(self, end: str | bytes, patience_s: float = PATIENCE_S) -> bytes:
        """Read the output up to and with `end`."""
        if isinstance(end, str):
            end = end.encode()
        try:
            async with asyncio.timeout(patience_s):
                while (found := self.seen.find(end, self._read)) < 0:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"the terminal shows {self.unread[-600:]!r} and not {end!r}")
        text = bytes(self.seen[self._read : found + len(end)])
        self._read = found + len(end)
        return text

    async def enter(self, line: str) -> str:
        """Enter a line at the prompt; return what it printed."""
        await self.type(line + "\r")
        await self.expect(line + "\r\n")
        return self._printed(await self.expect(b">>> "))

    @staticmethod
    def _printed(text: bytes) -> str:
        return text.removesuffix(b">>> ").decode().strip()

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression on the board."""
        return ast.literal_eval(await self.enter(f"print(repr({expression}))"))

    async def at_prompt(self) -> None:
        """Check that the board is at its prompt, with nothing typed, by using it."""
        assert await self.evaluate("6*7") == 42

    async def files(self) -> list[str]:
        """The files and directories in the board's current directory, when no transfer is being given up any more."""
        await self.board.settle()
        await self.enter("import os")
        return sorted(set(await self.evaluate("os.listdir()")) - self.kind.own_files)

    async def put(self, name: str, data: bytes) -> None:
        async with self.board.put(name, len(data)) as writer:
            for start in range(0, len(data), 1000):
                await writer.write(data[start : start + 1000])
            await writer.finish()

    async def get(self, name: str) -> bytes:
        data = b""
        async with self.board.get(name) as reader:
            while piece := await reader.read():
                assert len(piece) <= 4096
                data += piece
        return data


@asynccontextmanager
async def serve(
    kind: Kind,
    url: str,
    while_running: WhileRunning = WhileRunning.INTERRUPT,
    *,
    wrap: Callable[[ByteStream], ByteStream] = lambda stream: stream,
    wait: bool = True,
) -> AsyncIterator[Desk]:
    """Serve the board at `url` until the block ends.

    Args:
        kind: what it is.
        url: where it is.
        while_running: see StockBoard.
        wrap: puts something between the wire and the bridge.
        wait: whether to wait until the board is at its prompt.
    """
    stream = await kind.open(url)
    if kind.baud:
        stream = SlowLine(stream, kind.baud)
    board = kind.make(wrap(stream), while_running)
    desk = Desk(kind, board)
    running = asyncio.create_task(board.run())
    try:
        await asyncio.sleep(0)  # lets `run` begin
        if wait:
            await desk.expect(b">>> ")
            await desk.at_prompt()
        yield desk
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError, TransportError):
            await running
        await stream.aclose()
