"""What SPI's stream makes of its adapter."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from ftdi_kit import Board
from stream_kit import in_loop
from webrepl_transports import BrokenError
from webrepl_transports.spi import FifoAdapter, SpiOptions, SpiStream

SIZE = 128
PAYLOAD = SIZE - 9


class ToBoard:
    """An adapter that clocks a board; `damage` may change what the board gets, `answer` what comes back."""

    def __init__(self) -> None:
        self.board = Board(SIZE)
        self.exchanges = 0
        self.damage: Callable[[bytes], bytes] = bytes
        self.answer: Callable[[bytes], bytes] = bytes

    def exchange(self, block: bytes) -> bytes:
        self.exchanges += 1
        return self.answer(self.board.shift(self.damage(block)))


class TwoBuffers(FifoAdapter):
    """A peripheral, and in `clock` its controller."""

    def __init__(self) -> None:
        super().__init__()
        self.changed = threading.Condition()
        self.out = b""
        self.came = b""

    def write(self, data: bytes) -> None:
        with self.changed:
            self.out += data
            self.changed.notify_all()

    def read(self, timeout_s: float) -> bytes:
        with self.changed:
            self.changed.wait_for(lambda: self.came, timeout_s)
            came, self.came = self.came, b""
            return came

    def clock(self, data: bytes) -> bytes:
        with self.changed:
            out = self.out[: len(data)].ljust(len(data), b"\0")
            self.out = self.out[len(data) :]
            self.came += data
            self.changed.notify_all()
            return out


@in_loop
async def test_polls_less_and_less_while_nothing_happens() -> None:
    adapter = ToBoard()
    stream = SpiStream(adapter, "SPI")
    await stream.send(b"x")
    exchanges, started_s = adapter.exchanges, time.monotonic()
    await asyncio.sleep(0.3)  # that little happens can only be seen by waiting
    exchanges = adapter.exchanges - exchanges
    assert 1 <= exchanges <= 6 + (time.monotonic() - started_s) / 0.016  # 5 in 31 ms, then one every 16 ms
    await stream.aclose()


@in_loop
async def test_what_is_damaged_is_lost_and_nothing_else() -> None:
    adapter = ToBoard()
    stream = SpiStream(adapter, "SPI")
    await stream.send(b"one.")
    adapter.damage = lambda block: block[:6] + b"?" + block[7:]
    await stream.send(b"two.")
    adapter.damage = bytes
    await stream.send(b"3...")
    assert adapter.board.received == b"one.3..."
    adapter.answer = lambda block: block[:-1] if block[4] else block
    adapter.board.blocks.send(b"cut")
    with pytest.raises(BrokenError, match="SPI: an exchange of 128 bytes gave 127"):
        await stream.receive()
    await stream.aclose()


@in_loop
async def test_what_the_adapter_raises_ends_the_stream_in_one_line() -> None:
    adapter = ToBoard()
    stream = SpiStream(adapter, "SPI")

    def fail(block: bytes) -> bytes:
        raise RuntimeError("unplugged,\nor so")

    adapter.answer = fail
    with pytest.raises(BrokenError, match="SPI: the exchange failed: unplugged, or so"):
        await stream.receive()
    await stream.aclose()


@in_loop
async def test_says_how_fast_the_line_is_without_what_blocks_cost() -> None:
    for clock_hz, rate_baud in ((None, None), (1_000_000, 1_162_109)):
        stream = SpiStream(ToBoard(), "SPI", clock_hz=clock_hz)
        assert stream.line_rate_baud == rate_baud
        assert not stream.reliable
        await stream.aclose()


@in_loop
async def test_a_peripheral_in_whose_buffers_blocks_begin_anywhere_is_in_step_with_the_controller() -> None:
    adapter = TwoBuffers()
    stream = SpiStream(adapter, "SPI", clocks=False)
    board = Board(SIZE)
    answers = b""
    board.shift(adapter.clock(b"\0" * 77))  # the board's start was not clean
    sending = asyncio.create_task(stream.send(bytes(1000)))
    board.blocks.send(b"from the board")
    while not sending.done() or len(answers) < 14 or len(board.received) < 1000:
        for _ in range(3):  # more than are loaded
            board.received += board.blocks.receive_block(adapter.clock(board.blocks.block_to_send()))
        receiving = asyncio.create_task(stream.receive())
        await asyncio.wait([receiving], timeout=0.01)
        receiving.cancel()
        if receiving.done() and not receiving.cancelled():
            answers += receiving.result()
    assert answers == b"from the board"
    assert board.received == bytes(1000)
    await stream.aclose()


def test_reads_the_options_of_an_address() -> None:
    assert SpiOptions.read("", "clock") == SpiOptions(1_000_000, 128, 0, None, 20)
    assert SpiOptions.read("clock=5000000&block=64&cs=1&ready=9&ask=3", "clock", "block", "cs", "ready", "ask") == (
        SpiOptions(5_000_000, 64, 1, 9, 3)
    )
