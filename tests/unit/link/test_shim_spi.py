"""The shim's ends of SPI, on pins that are not there."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ftdi_kit import Board
from webrepl_link.blocks import Blocks

SOURCE = Path(__file__).parents[3] / "firmware_shim" / "webrepl_shim" / "spi.py"
SIZE = 64
PAYLOAD = SIZE - 9
ROOM_BYTES = 512


@pytest.fixture
def spi(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setitem(sys.modules, "micropython", micropython := ModuleType("micropython"))
    micropython.const = int  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("shim_spi", SOURCE)  # the package itself is for boards only
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Pin:
    """A machine.Pin."""

    IRQ_RISING, IRQ_FALLING = 1, 2

    def __init__(self, level: int = 0) -> None:
        self.level = level
        self.handlers: list[tuple[object, int]] = []

    def __call__(self, level: int | None = None) -> int:
        if level is not None:
            self.level = level
        return self.level

    def irq(self, handler: object, trigger: int) -> None:
        self.handlers.append((handler, trigger))


class MachineSpi:
    """A machine.SPI with an adapter at its other end."""

    def __init__(self, cs: Pin) -> None:
        self.cs = cs
        self.adapter = Board(SIZE)
        self.exchanges = 0
        self.is_there = True

    def write_readinto(self, out: bytes, came: bytearray) -> None:
        assert not self.cs()
        self.exchanges += 1
        came[:] = self.adapter.shift(out) if self.is_there else bytes(SIZE)


def test_a_controller_carries_bytes_both_ways_and_asks_to_be_called(spi: Any) -> None:
    bus = MachineSpi(cs := Pin())
    stream = spi.Controller(bus, cs, None, SIZE)
    assert cs()
    assert not hasattr(stream, "irq")
    assert stream.any() == 0
    assert (bus.exchanges, stream.pause_ms) == (1, 1)
    bus.adapter.blocks.send(b"x" * 1000)
    received = b""
    while count := stream.any():
        assert count < ROOM_BYTES + PAYLOAD
        received += stream.read(count)
    assert received == b"x" * 1000
    assert stream.write(b"y" * 100) == 100
    assert bus.adapter.received == b"y" * PAYLOAD  # a whole block at once
    assert stream.pause_ms == 0
    stream.any()
    assert bus.adapter.received == b"y" * 100
    assert [stream.any() or stream.pause_ms for _ in range(6)] == [2, 4, 8, 16, 16, 16]


def test_a_controller_without_a_peer_keeps_little_and_does_not_hurry(spi: Any) -> None:
    bus = MachineSpi(cs := Pin())
    bus.is_there = False
    stream = spi.Controller(bus, cs, None, SIZE)
    for _ in range(100):
        assert stream.write(b"hello" * 5) == 25  # the first ones are kept
        assert stream.any() == 0
    assert stream.pause_ms == 16
    assert stream._blocks.waiting_bytes <= ROOM_BYTES + 25
    bus.is_there = True
    for _ in range(20):
        stream.any()
    assert bus.adapter.received.startswith(b"hellohello")
    assert len(bus.adapter.received) <= ROOM_BYTES + 25


def test_a_controller_takes_no_more_than_a_slow_peer_has_room_for(spi: Any) -> None:
    bus = MachineSpi(cs := Pin())
    stream = spi.Controller(bus, cs, None, SIZE)
    stream.any()
    bus.adapter.blocks.has_room = False
    stream.any()
    taken = b""
    while stream.write(b"z" * 50):
        taken += b"z" * 50
    assert ROOM_BYTES < len(taken) <= ROOM_BYTES + 50
    bus.adapter.blocks.has_room = True
    while len(bus.adapter.received) < len(taken):
        stream.any()
    assert bus.adapter.received == taken


def test_a_controller_with_a_ready_line_is_called(spi: Any) -> None:
    bus = MachineSpi(cs := Pin())
    ready = Pin()
    stream = spi.Controller(bus, cs, ready, SIZE)
    stream.irq("handler", stream.IRQ_RXIDLE)
    assert ready.handlers == [("handler", Pin.IRQ_RISING)]
    stream.any()
    assert stream.pause_ms == 1000
    ready(1)
    bus.adapter.blocks.send(b"late")
    bus.adapter.blocks.block_to_send = _after(3, bus.adapter.blocks.block_to_send)  # type: ignore[method-assign]
    assert stream.any() == 4
    assert stream.pause_ms == 0
    exchanges = bus.exchanges
    stream.read(4)
    stream.any()
    assert bus.exchanges - exchanges == 12  # a line that stays high does not hold the board


def _after(count: int, make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Give filler so often before what `make` gives: an adapter that is slow to load its block."""
    filler = Blocks(SIZE)

    def next_block() -> bytes:
        nonlocal count
        count -= 1
        return make() if count < 0 else filler.block_to_send()

    return next_block


class PybSpi:
    """A pyb.SPI as the peripheral; the controller clocks when it is told to and the ready line is high."""

    PERIPHERAL = 0

    def __init__(self, ready: Pin) -> None:
        self.ready = ready
        self.host = Blocks(SIZE)
        self.received = b""
        self.clocks = False
        self.timeouts: list[int] = []
        self.is_busy = True

    def init(self, mode: int, *, polarity: int, phase: int) -> None:
        assert (mode, polarity, phase) == (self.PERIPHERAL, 0, 0)
        self.is_busy = False

    def send_recv(self, send: bytes, recv: bytearray, timeout: int) -> None:
        assert self.ready()
        self.timeouts.append(timeout)
        if not self.clocks or self.is_busy:
            self.is_busy = True  # as stm32's driver is after a time-out, until it is initialised
            raise OSError(110)
        recv[:] = self.host.block_to_send()
        self.received += self.host.receive_block(send)


def test_a_peripheral_waits_only_when_it_is_asked_or_has_something(spi: Any) -> None:
    cs, ready = Pin(1), Pin()
    bus = PybSpi(ready)
    stream = spi.Peripheral(bus, cs, ready, SIZE)
    stream.irq("handler", stream.IRQ_RXIDLE)
    assert cs.handlers == [("handler", Pin.IRQ_FALLING)]
    assert stream.any() == 0
    assert bus.timeouts == []
    assert stream.pause_ms == 1000
    cs(0)
    bus.clocks = True
    bus.host.send(b"hello")
    while not (count := stream.any()):
        pass
    assert stream.read(count) == b"hello"
    cs(1)
    stream.write(b"answer")
    stream.any()
    assert bus.received == b"answer"
    bus.clocks = False
    waits = len(bus.timeouts)
    stream.write(b"not taken")
    stream.any()
    assert len(bus.timeouts) == waits + 1
    bus.clocks = True
    stream.any()
    assert bus.received == b"answernot taken"
    assert not ready()
