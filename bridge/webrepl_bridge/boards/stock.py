"""A board with stock firmware: nothing installed on it, everything done through its own REPL."""

from __future__ import annotations

import asyncio
import calendar
import contextlib
import enum
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from webrepl_link.errors import BoardError, LocalProtocolError, RemoteProtocolError, TransportError

from ..protocol.bundled_transfers import PutBundled
from ..protocol.deflated_transfers import PutDeflated
from ..protocol.dialogue import Deliver, Dialogue, DialogueTimeoutError, Fetch, Opened, Step
from ..protocol.errnos import EBUSY, EINVAL, ENOSYS
from ..protocol.file_programs import FilePrograms
from ..protocol.put_files import PutFiles
from ..protocol.raw_repl import ProgramError, RawRepl
from ..protocol.repl_tracker import Mode
from ..protocol.retype import retype
from ..protocol.text_transfers import GetText, PutText
from ..protocol.transfers import EARLY_BYTES, Get, Put, Transfer
from .programs import program
from .repl_wire import ReplWire
from .terminal_board import INTERRUPT_ATTEMPTS, INTERRUPT_TIMEOUT_MS, TerminalBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from webrepl_transports import ByteStream

    from ..protocol.file_requests import Answer, FileRequest
    from .base import FileReader, FileWriter

log = logging.getLogger(__name__)

GRACE_MS = 300
"""How long what was just entered may run before it counts as a running program."""

MAYBE_MS = 1_000
"""How long a program may go on printing what may be prompts before it is taken for one that runs."""

HELD_TIMEOUT_MS = 30_000
"""How long an operation waits while a client holds raw or paste mode, or while a paste is being typed."""

LINGER_MS = 50
"""How long a visit waits at the raw prompt for the next one, unless someone types: going in and out costs time."""

INDENT_MS = 20
"""How long after a continuation prompt the board may take to indent the line."""

INTERRUPTING = "interrupting the program for a file operation"
FIRST_PROMPT_TIMEOUT_MS = 500
BLOCK_BYTES_MAX = 7168
BLOCK_BYTES_MIN = 64
BLOCK_TIME_MAX_MS = 650
"""How long a block may be on the wire: one that is given up in the middle has to be filled up."""

SMALL_WINDOW_BITS, LARGE_WINDOW_BITS = 12, 15
INFLATING_FREE_BYTES_MIN, LARGE_WINDOW_FREE_BYTES_MIN = 1 << 16, 1 << 17
"""Inflating takes up to 18 kB of a board's memory with the small window, and 46 kB with the large one."""

FAST_BYTES_PER_S = 300_000
"""On a wire that is faster to deflate takes longer than to send."""

GET_BLOCK_BYTES_MAX = 1024
"""What a board reads and checks while its UART sends what is left of the block before."""


class WhileRunning(enum.Enum):
    """What a file operation does when a program is running."""

    INTERRUPT = "interrupt"
    REFUSE = "refuse"
    WAIT = "wait"


@dataclass(frozen=True)
class Firmware:
    """What the program `probe` found.

    Attributes:
        version: (major, minor, micro).
        epoch_s: what its clock calls 0, in seconds since 1970.
        inflates: whether it has the module `deflate` (1.21 and later).
        free_bytes: free RAM, or 0 if the firmware lacks what the binary transfers need.
    """

    version: tuple[int, int, int]
    epoch_s: int
    inflates: bool
    free_bytes: int


UNKNOWN_FIRMWARE = Firmware((0, 0, 0), 0, False, 0)


class StockBoard(TerminalBoard):
    """A board on a wire, served through its REPL.

    Args:
        stream: the open wire; closed by its owner.
        while_running: what a file operation does when a program is running.

    Attributes:
        is_sending_file: whether what the board sends is a file's content.
    """

    def __init__(self, stream: ByteStream, while_running: WhileRunning = WhileRunning.INTERRUPT) -> None:
        self._stream = stream
        self._wire = ReplWire(stream, lambda data: self.on_output(data))
        super().__init__(self._wire)
        self.is_sending_file = False
        self._while_running = while_running
        self._repl = RawRepl()
        self._firmware = UNKNOWN_FIRMWARE
        self._early_bytes = EARLY_BYTES
        self._wire_bytes_per_s = 0  # in the fastest put so far
        self._turn = asyncio.Lock()
        self._settling = 0  # how many wait for the prompt
        self._lingering: _Visit | None = None  # the last visit, while it has not left the raw REPL

    @property
    def is_half_typed(self) -> bool:
        """See Board."""
        return self._wire.terminal.is_half_typed

    async def settle(self) -> None:
        """Wait until no operation is under way and the board is back at its prompt; none lingers for another."""
        self._settling += 1
        self._wire.notify()
        try:
            while self._turn.locked() or self._lingering is not None:
                await self._wire.change()
        finally:
            self._settling -= 1

    async def type_at_prompt(self, keys: bytes) -> None:
        """See Board."""
        await self.settle()
        async with self._turn:
            await self._reach_prompt()
            await self._type_on_empty_line(keys)

    # Coming to a prompt, and visits to the raw REPL.

    async def _reach_prompt(self) -> None:
        clock = asyncio.get_running_loop().time
        start = clock()
        while not self._at_rest:
            waited_ms = int((clock() - start) * 1000)
            limit_ms: int | None = HELD_TIMEOUT_MS - waited_ms
            if self._tracker.mode in (Mode.UNKNOWN, Mode.RUNNING) and not self._terminal.waiting_bytes:
                limit_ms = GRACE_MS - waited_ms
                if self._tracker.may_be_at_prompt and waited_ms < MAYBE_MS:
                    limit_ms = GRACE_MS
                if limit_ms <= 0 and self._while_running is WhileRunning.REFUSE:
                    raise BoardError(EBUSY, "a program is running, and --while-running says refuse")
                if limit_ms <= 0 and self._while_running is WhileRunning.INTERRUPT:
                    await self._interrupt_program()
                    return
                if self._while_running is WhileRunning.WAIT:
                    limit_ms = GRACE_MS if self._tracker.may_be_at_prompt else None
            elif limit_ms is not None and limit_ms <= 0:
                raise BoardError(EBUSY, f"the REPL is held by a client in {self._tracker.mode.value} mode")
            if not await self._wire.change(limit_ms) and self._tracker.may_be_at_prompt:
                self._tracker.take_as_prompt()

    async def _interrupt_program(self) -> None:
        self.on_notice(INTERRUPTING)
        for _ in range(INTERRUPT_ATTEMPTS):
            self._type(b"\x03")
            if await self._until(lambda: self._at_rest, INTERRUPT_TIMEOUT_MS):
                return
        self._wire.lend()
        try:
            await self._recover()
            await self._wire.advance(self._repl.leave())
            self._tracker.resume(Mode.PROMPT)
        finally:
            self._wire.take_back()

    async def _recover(self) -> None:
        await self._wire.advance(self._repl.recover(BLOCK_BYTES_MAX + 4))
        self._tracker.line.clear()
        self._tracker.block.clear()

    async def _enter_raw_repl(self) -> None:
        try:
            await self._wire.advance(self._repl.enter(self._tracker.line_is_empty))
        except (DialogueTimeoutError, RemoteProtocolError):
            # What looked like a prompt was none: a program printed it, or the prompt after it got lost.
            if self._while_running is not WhileRunning.INTERRUPT:
                raise
            self.on_notice(INTERRUPTING)
            await self._recover()

    @contextlib.asynccontextmanager
    async def _visit(self) -> AsyncIterator[_Visit]:
        """Take a turn in the raw REPL, out of the clients' sight, and give the prompt back as it was."""
        visit = _Visit(self._wire, self._turn)
        await visit.begin_turn()
        try:
            if self._lingering is not None:
                visit.stay(self._lingering.mode)
                self._lingering = None
            else:
                await self._reach_prompt()
                while self._tracker.mode is Mode.CONTINUATION and await self._wire.change(INDENT_MS):
                    await self._reach_prompt()
                visit.lend(self._tracker.mode)
                if visit.mode is not Mode.RAW:
                    await self._enter_raw_repl()
            if self._firmware is UNKNOWN_FIRMWARE:
                await visit.advance(self._probe())
            visit.at_prompt = True
            yield visit
        except ProgramError:
            visit.at_prompt = True
            raise
        finally:
            # Nobody has to wait for it: the next visit waits for its turn, and the terminal for its wire.
            if self._wire.ended:
                visit.end_turn()
            else:
                giving_back = self._tasks.create_task(self._give_back(visit))
                giving_back.add_done_callback(lambda _: visit.end_turn())

    def _probe(self) -> Dialogue[None]:
        printed = yield from self._repl.execute(program("probe") + b"\ntry:probe()\nfinally:del probe\n")
        try:
            version, epoch_year, inflates, free_bytes = printed.decode("ascii").split("\n")[:4]
            major, minor, micro = (int(number) for number in version.split())
            epoch_s = calendar.timegm((int(epoch_year), 1, 1, 0, 0, 0))
            self._firmware = Firmware((major, minor, micro), epoch_s, bool(int(inflates)), int(free_bytes))
            self._answered_version = self._firmware.version
        except ValueError as error:
            raise RemoteProtocolError("the board does not say what it is") from error

    async def _give_back(self, visit: _Visit) -> None:
        if visit.at_prompt and not self._terminal.waiting_bytes and not self._settling:
            self._lingering = visit
            visit.end_turn()
            with contextlib.suppress(TransportError):
                await self._wire.change(LINGER_MS)
            if self._lingering is not visit:
                return
            await visit.begin_turn()
            if self._lingering is not visit:
                return
            self._lingering = None
        try:
            if visit.lent:
                await self._restore(visit)
        except (BoardError, RemoteProtocolError) as error:
            log.warning("the board did not come back to its prompt: %s", error)
            self._tracker.resume(Mode.UNKNOWN)
        except TransportError:
            pass  # `run` says so
        finally:
            if visit.lent:
                self._wire.take_back()

    async def _restore(self, visit: _Visit) -> None:
        advance = self._wire.advance
        if not visit.at_prompt and visit.transfer is not None and visit.transfer.opened:
            try:
                await advance(visit.transfer.abandon())
                visit.at_prompt = True
            except (BoardError, RemoteProtocolError) as error:
                log.debug("the program did not end when asked: %s", error)
        if not visit.at_prompt:
            await advance(self._repl.recover(BLOCK_BYTES_MAX + 4))
            if visit.transfer is not None:
                await advance(visit.transfer.clean_up())
        if visit.mode is not Mode.RAW:
            await advance(self._repl.leave())
            tracker = self._tracker
            await advance(retype(tracker.block, tracker.line.text, tracker.line.cursor))
        else:
            await advance(self._repl.forget())
        self._tracker.resume(visit.mode)

    async def execute(self, code: bytes) -> bytes:
        """Run `code` on the board and return what it printed.

        Raises:
            BoardError: it ended with an exception, or the board did not come to its prompt.
            TransportError: the wire failed.
        """
        printed = []

        def run() -> Dialogue[None]:
            printed.append((yield from self._repl.execute(code)))

        async with self._visit() as visit:
            visit.at_prompt = False
            await visit.advance(run())
            visit.at_prompt = True
        return printed[0]

    # Files.

    def _block_bytes(self) -> int:
        line_bytes_per_s = (self._stream.line_rate_baud or 10**9) // 10
        return max(
            BLOCK_BYTES_MIN,
            min(BLOCK_BYTES_MAX, self._firmware.free_bytes // 8, line_bytes_per_s * BLOCK_TIME_MAX_MS // 1000),
        )

    def _deflating_pays(self) -> bool:
        is_slow = self._wire_bytes_per_s < FAST_BYTES_PER_S
        return is_slow and self._firmware.inflates and self._firmware.free_bytes >= INFLATING_FREE_BYTES_MIN

    def _new_put(self, name: str, size_bytes: int, offset_bytes: int, keep: bool) -> Transfer:
        if not self._firmware.free_bytes:
            if offset_bytes:
                raise BoardError(ENOSYS, "the firmware cannot go on with a file")
            return PutText(self._repl, program("put_text"), name, size_bytes)
        block_bytes = self._block_bytes()
        put = (self._repl, program("put"), name, size_bytes, block_bytes, self._early_bytes, offset_bytes)
        inflate = program("inflate")
        if self._deflating_pays() and block_bytes >= len(inflate):
            is_large = self._firmware.free_bytes >= LARGE_WINDOW_FREE_BYTES_MIN
            window_bits = LARGE_WINDOW_BITS if is_large else SMALL_WINDOW_BITS
            return PutDeflated(*put, keep=keep, inflate=inflate, window_bits=window_bits)
        return Put(*put, keep=keep)

    def _new_get(self, name: str, offset_bytes: int, size_bytes: int | None) -> Transfer:
        if not self._firmware.free_bytes:
            return GetText(self._repl, program("get_text"), name, offset_bytes, size_bytes)
        block_bytes = min(self._block_bytes(), GET_BLOCK_BYTES_MAX)
        return Get(self._repl, program("get"), name, block_bytes, offset_bytes, size_bytes)

    @contextlib.asynccontextmanager
    async def put(
        self, name: str, size_bytes: int, offset_bytes: int = 0, *, keep: bool = False
    ) -> AsyncIterator[FileWriter]:
        """See Board."""
        _check_name(name)
        async with self._visit() as visit:
            transfer = self._new_put(name, size_bytes, offset_bytes, keep)
            await visit.open(transfer)
            clock = asyncio.get_running_loop().time
            opened_s = clock()
            yield visit
            if isinstance(transfer, Put):
                rate = int(transfer.wire_bytes / max(clock() - opened_s, 1e-3))
                self._wire_bytes_per_s = max(self._wire_bytes_per_s, rate)
                if transfer.resent_blocks:
                    log.info("%d blocks of %s had to be sent again", transfer.resent_blocks, name)
                    self._early_bytes = 0  # more than this board's UART can keep

    @contextlib.asynccontextmanager
    async def get(self, name: str, offset_bytes: int = 0, size_bytes: int | None = None) -> AsyncIterator[FileReader]:
        """See Board."""
        _check_name(name)
        async with self._visit() as visit:
            await visit.open(self._new_get(name, offset_bytes, size_bytes))
            self.is_sending_file = True
            try:
                yield visit
            finally:
                self.is_sending_file = False

    def _new_put_files(self, request: PutFiles) -> Transfer:
        if not self._firmware.free_bytes:
            raise BoardError(ENOSYS, "the firmware takes one file at a time")
        return PutBundled(
            self._repl, program("put_files"), request, self._block_bytes(), deflates=self._deflating_pays()
        )

    async def ask(self, request: FileRequest[Answer]) -> Answer:
        """See Board."""
        if isinstance(request, PutFiles):
            async with self._visit() as visit:
                await visit.open(self._new_put_files(request))
                await visit.finish()
            return cast("Answer", None)
        answers = []

        def run() -> Dialogue[None]:
            programs = FilePrograms(self._repl, program, self._firmware.epoch_s, stay=bool(self._firmware.free_bytes))
            answers.append((yield from programs.ask(request)))

        async with self._visit() as visit:
            await visit.advance(run())
        return answers[0]

    async def version(self) -> tuple[int, int, int]:
        """See Board. Where the banner does not say it, an idle board is asked; a running program is not disturbed."""
        if self._firmware is UNKNOWN_FIRMWARE:
            await self._until(lambda: self._tracker.version is not None or self._at_rest, FIRST_PROMPT_TIMEOUT_MS)
        if self._tracker.version is not None:
            return self._tracker.version
        if self._firmware is UNKNOWN_FIRMWARE and self._at_rest:
            async with self._visit():
                pass
        return self._firmware.version


class _Visit:
    """One operation in the raw REPL, and the file that it moves: FileWriter and FileReader at once.

    Attributes:
        mode: where the board was, and is brought back to.
        lent: whether the wire is lent to this visit.
        transfer: what is done there.
        at_prompt: whether the board is at the raw prompt, with nothing running.
    """

    def __init__(self, wire: ReplWire, turn: asyncio.Lock) -> None:
        self.mode = Mode.UNKNOWN
        self.lent = False
        self.transfer: Transfer | None = None
        self.at_prompt = False
        self._wire = wire
        self._turn = turn
        self._has_turn = False
        self._dialogue: Dialogue[None] | None = None
        self._step: Step | None = None
        self._unsent = bytearray()

    async def begin_turn(self) -> None:
        """Wait until no other visit has its turn."""
        await self._turn.acquire()
        self._has_turn = True

    def end_turn(self) -> None:
        """Let the next one have its turn; nothing if this was done before."""
        if self._has_turn:
            self._has_turn = False
            self._turn.release()
            self._wire.notify()

    def lend(self, mode: Mode) -> None:
        """Take the wire from the terminal."""
        self.mode = mode
        self.lent = True
        self._wire.lend()

    def stay(self, mode: Mode) -> None:
        """Take the wire from a visit before this one, which came from `mode` and has not left."""
        self.mode = mode
        self.lent = True

    async def advance(self, dialogue: Dialogue[None]) -> None:
        """Drive a dialogue that needs only the wire, to its end."""
        await self._wire.advance(dialogue)

    async def open(self, transfer: Transfer) -> None:
        """Start the transfer, until the board has opened the file."""
        self.transfer = transfer
        self._dialogue = transfer.run()
        await self._go_on()

    async def _go_on(self, answer: bytes = b"") -> None:
        assert self._dialogue is not None
        self.at_prompt = False
        self._step = await self._wire.advance(self._dialogue, answer)
        self.at_prompt = self._step is None

    async def write(self, data: bytes) -> None:
        """See FileWriter."""
        self._unsent += data
        if isinstance(self._step, Opened):
            await self._go_on()
        while isinstance(self._step, Fetch) and len(self._unsent) >= self._step.count:
            piece = bytes(self._unsent[: self._step.count])
            del self._unsent[: len(piece)]
            await self._go_on(piece)

    async def finish(self) -> None:
        """See FileWriter."""
        await self.write(b"")
        if not self.at_prompt or self._unsent:
            raise LocalProtocolError("the file has another size than was announced")

    async def read(self) -> bytes:
        """See FileReader."""
        if self.at_prompt:
            return b""
        await self._go_on()
        return self._step.data if isinstance(self._step, Deliver) else b""


def _check_name(name: str) -> None:
    if not name or "\0" in name:
        raise BoardError(EINVAL, "a file needs a name")
