"""A stream over SPI, by an adapter: blocks of one size, exchanged again and again (docs/protocol.md, "Blocks on SPI").

One thread makes the exchanges, for an adapter's calls block. Where this side clocks and no ready line is wired it
polls, ever less while nothing happens, until at most every 16 ms: the pauses are the block core's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from abc import abstractmethod
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import parse_qsl

from webrepl_link.blocks import OVERHEAD_BYTES, Blocks
from webrepl_link.errors import AddressError, BrokenError, TransportError
from webrepl_transports._buffered import INPUT_LIMIT_BYTES, BufferedStream, run_apart

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_GIVE_UP_S = 15.0

ASK_AGAIN_S = 0.05
"""How long a peripheral waits for the controller before it is asked whether it should go on."""

BLOCK_BYTES_MIN, BLOCK_BYTES_MAX, BLOCK_BYTES_STEP = 32, 256, 8


class Adapter(Protocol):
    """What exchanges blocks; called in a thread of its own.

    It may have `close()` too, which is called when no exchange is under way, and what the two classes below have.
    """

    def exchange(self, block: bytes) -> bytes:
        """Put `block` on the wire and return what came at the same time, as many bytes.

        As the controller: at once. As a peripheral: when the controller has taken it; b"" if it has not after some
        hundredths of a second: then this is called again, with the same block, which is still the one to be taken.
        What came before, while there was nothing to be taken, may be in front of it: a multiple of as many bytes.

        Raises:
            Exception: the adapter is gone; the stream ends.
        """


@runtime_checkable
class HasReadyLine(Protocol):
    """A controller to which the peripheral's ready line is wired."""

    def is_ready(self, *, ask: bool) -> bool:
        """Tell whether the peripheral wants an exchange; `ask` it for one and wait a moment if this side does."""


@runtime_checkable
class DrivesReadyLine(Protocol):
    """A peripheral that has a ready line to the controller."""

    def set_ready(self, *, ready: bool) -> None:
        """Say whether something waits to be taken."""


class FifoAdapter(Adapter):
    """A peripheral with two buffers that know nothing of blocks: one is clocked out, the other clocked in."""

    def __init__(self) -> None:
        self._came = b""
        self._left_bytes = 0  # of the block that was written

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Put bytes where the controller will take them; there is room for a block."""

    @abstractmethod
    def read(self, timeout_s: float) -> bytes:
        """Return what the controller has clocked, b"" if it does nothing for so long."""

    def exchange(self, block: bytes) -> bytes:
        """See Adapter."""
        if not self._left_bytes:
            while came := self.read(0):  # instead of which the controller got nothing
                self._came += came
            self.write(block)
            self._left_bytes = len(block)
        while self._left_bytes:
            if not (came := self.read(ASK_AGAIN_S)):
                return b""
            self._came += came
            self._left_bytes = max(0, self._left_bytes - len(came))
        whole_bytes = len(self._came) // len(block) * len(block)
        came, self._came = self._came[:whole_bytes], self._came[whole_bytes:]
        return came


@dataclass(frozen=True)
class SpiOptions:
    """What an address says behind its question mark.

    Attributes:
        clock_hz: bits per second while a block is exchanged.
        block_bytes: the size of a block, the same on the board.
        cs: which of the adapter's chip select lines.
        ready: which of its pins the board's ready line is wired to, None if there is none.
        ask_ms: how long a board with a ready line may take to be ready, once CS is low.
    """

    clock_hz: int = 1_000_000
    block_bytes: int = 128
    cs: int = 0
    ready: int | None = None
    ask_ms: int = 20

    @classmethod
    def read(cls, query: str, *known: str) -> SpiOptions:
        """Read them.

        Args:
            query: such as `clock=1000000&block=128`.
            known: which of clock, block, cs, ready and ask there may be.

        Raises:
            AddressError: an unknown option, or a value that does not fit.
        """
        options = cls()
        names = {"clock": "clock_hz", "block": "block_bytes", "cs": "cs", "ready": "ready", "ask": "ask_ms"}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in known:
                raise AddressError(f"unknown option {name!r} in an SPI address: there are {', '.join(known)}")
            if not (value.isascii() and value.isdecimal()):
                raise AddressError(f"{name}={value} is no number")
            options = replace(options, **{names[name]: int(value)})
        size = options.block_bytes
        if not BLOCK_BYTES_MIN <= size <= BLOCK_BYTES_MAX or size % BLOCK_BYTES_STEP:
            raise AddressError(
                f"block={size} does not fit: {BLOCK_BYTES_MIN} to {BLOCK_BYTES_MAX}, a multiple of {BLOCK_BYTES_STEP}, "
                "as on the board"
            )
        if not options.clock_hz:
            raise AddressError("clock=0 does not fit: it is in Hz, 1000000 is a good beginning")
        return options


async def open_apart(open_adapter: Callable[[], Adapter]) -> Adapter:
    """Open an adapter in a thread; if this is cancelled meanwhile it is closed again."""
    opening = asyncio.get_running_loop().run_in_executor(None, open_adapter)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise


def _close_unwanted(opening: asyncio.Future[Adapter]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        asyncio.get_running_loop().run_in_executor(None, _close, opening.result())


def _close(adapter: Adapter) -> None:
    with contextlib.suppress(Exception):
        getattr(adapter, "close", lambda: None)()


class SpiStream(BufferedStream):
    """A stream over an adapter that is open.

    Args:
        adapter: makes the exchanges; closed with the stream.
        description: how to name it to a person.
        block_bytes: the size of a block, 32 to 256, a multiple of 8; the same on the board.
        clock_hz: bits per second while a block is exchanged, None if not known.
        clocks: whether this side is the controller.
    """

    def __init__(
        self,
        adapter: Adapter,
        description: str,
        *,
        block_bytes: int = 128,
        clock_hz: int | None = None,
        clocks: bool = True,
    ) -> None:
        rate_baud = None if clock_hz is None else clock_hz * 10 // 8 * (block_bytes - OVERHEAD_BYTES) // block_bytes
        super().__init__(description, reliable=False, line_rate_baud=rate_baud)
        self._loop = asyncio.get_running_loop()
        self._adapter = adapter
        self._clocks = clocks
        self._blocks = Blocks(block_bytes)  # the thread's
        self._is_handing_over = False  # the thread's: whether `_handed_over` is still to be called
        self._chunks: deque[bytes] = deque()  # to the thread
        self._payloads: deque[bytes] = deque()  # from the thread
        self._arrived_bytes = self._taken_bytes = 0  # of these, ever; the thread's and the loop's
        self._stopping = False
        self._kicked = threading.Event()
        self._stopped: asyncio.Future[None] | None = None
        self._thread = threading.Thread(target=self._run, name=f"exchange {description}", daemon=True)
        self._thread.start()

    # BufferedStream, on the loop

    def _hand_over(self, chunk: bytes) -> bool:
        self._chunks.append(chunk)
        self._kicked.set()
        return False

    def _pause_input(self) -> None:
        """Nothing to do: the thread looks at `_input_paused`."""

    def _resume_input(self) -> None:
        self._kicked.set()

    def _close_wire(self) -> None:
        self._stopping = True
        self._kicked.set()
        self._stopped = run_apart(self._loop, self._stop)

    async def _wait_closed(self) -> None:
        assert self._stopped is not None
        await asyncio.shield(self._stopped)

    def _take(self) -> None:
        while self._payloads:
            payload = self._payloads.popleft()
            self._taken_bytes += len(payload)
            self._feed(payload)

    def _sent(self) -> None:
        if self._ended is None:
            self._handed_over()

    # The thread

    def _run(self) -> None:
        try:
            while not self._stopping:
                self._exchange()
                if self._clocks and self._blocks.pause_ms:
                    self._kicked.wait(self._blocks.pause_ms / 1000)
                self._kicked.clear()
        except TransportError as error:
            self._tell(self._finish, error)
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            self._tell(self._finish, BrokenError(f"{self.description}: the exchange failed: {reason}"))

    def _exchange(self) -> None:
        blocks, adapter = self._blocks, self._adapter
        while self._chunks:
            blocks.send(self._chunks.popleft())
            self._is_handing_over = True
        blocks.has_room = not self._input_paused and self._arrived_bytes - self._taken_bytes <= INPUT_LIMIT_BYTES
        if isinstance(adapter, HasReadyLine) and not adapter.is_ready(ask=bool(blocks.waiting_bytes)):
            blocks.pause_ms = min(max(2 * blocks.pause_ms, 1), blocks.pause_max_ms)
            return
        block = blocks.block_to_send()
        came = b""
        while not came:
            if isinstance(adapter, DrivesReadyLine):
                adapter.set_ready(ready=bool(block[4] or blocks.waiting_bytes or self._chunks))
            came = adapter.exchange(block)
            if self._stopping:
                return
        if len(came) % len(block):
            raise BrokenError(f"{self.description}: an exchange of {len(block)} bytes gave {len(came)}")
        for at in range(0, len(came), len(block)):
            self._receive(came[at : at + len(block)])
        if self._is_handing_over and not blocks.waiting_bytes:
            self._is_handing_over = False
            self._tell(self._sent)

    def _receive(self, block: bytes) -> None:
        blocks = self._blocks
        if payload := blocks.receive_block(block):
            self._arrived_bytes += len(payload)
            self._payloads.append(payload)
            if len(self._payloads) == 1:
                self._tell(self._take)
        elif blocks.peer_block_bytes not in (0, blocks.block_bytes):
            raise BrokenError(
                f"{self.description}: the board's blocks have {blocks.peer_block_bytes} bytes, not "
                f"{blocks.block_bytes}: write block={blocks.peer_block_bytes} in the address"
            )

    def _tell(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop was closed under an open stream: nobody is left to tell
            self._stopping = True

    def _stop(self) -> None:
        self._thread.join(_GIVE_UP_S)
        if self._thread.is_alive():
            log.warning("%s: a thread still hangs in the driver; it is left behind", self.description)
        _close(self._adapter)
