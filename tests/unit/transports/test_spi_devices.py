"""spidev and the FT4222H: how they are opened, driven and refused. The kernel's device and the chip are made up."""

from __future__ import annotations

import asyncio
import errno
import sys
import threading
from types import ModuleType
from typing import Any, ClassVar

import pytest

from ftdi_kit import Board
from stream_kit import in_loop
from webrepl_transports import AddressError, ByteStream, OpenError, open_stream


async def _refusal(url: str) -> str:
    with pytest.raises(OpenError) as caught:
        await open_stream(url)
    line = str(caught.value)
    assert "\n" not in line
    return line


async def _receive_exactly(stream: ByteStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.receive()
    return data


class SpiDev:
    """spidev's class, on a board."""

    board: ClassVar[Board]
    refusal: ClassVar[int]
    opened: ClassVar[list[SpiDev]]
    mode = max_speed_hz = None

    def open(self, bus: int, device: int) -> None:
        if self.refusal:
            raise OSError(self.refusal, "refused")
        self.name = f"{bus}.{device}"
        self.opened.append(self)

    def xfer2(self, data: bytes) -> list[int]:
        assert (self.mode, self.max_speed_hz) == (0, 2_000_000)
        return list(self.board.shift(bytes(data)))

    def close(self) -> None:
        self.opened.remove(self)


@pytest.fixture
def spidev(monkeypatch: pytest.MonkeyPatch) -> type[SpiDev]:
    module = ModuleType("spidev")
    module.SpiDev = SpiDev  # type: ignore[attr-defined]
    SpiDev.board, SpiDev.refusal, SpiDev.opened = Board(64), 0, []
    monkeypatch.setitem(sys.modules, "spidev", module)
    monkeypatch.delitem(sys.modules, "webrepl_transports.spi_dev", raising=False)
    return SpiDev


@in_loop
async def test_spidev(spidev: type[SpiDev]) -> None:
    stream = await open_stream("spi:///dev/spidev1.2?clock=2000000&block=64")
    assert stream.description == "SPI on /dev/spidev1.2 at 2 MHz"
    assert [device.name for device in spidev.opened] == ["1.2"]
    spidev.board.blocks.send(bytes(1000))
    await stream.send(b"there")
    assert spidev.board.received == b"there"
    assert await _receive_exactly(stream, 1000) == bytes(1000)
    await stream.aclose()
    assert not spidev.opened


@in_loop
async def test_spidev_refused(spidev: type[SpiDev]) -> None:
    for number, line in (
        (errno.ENOENT, "there is no /dev/spidev0.0: switch SPI on (raspi-config, or dtparam=spi=on in config.txt)"),
        (errno.EACCES, "no permission to open /dev/spidev0.0: run 'sudo usermod -aG spi $USER', then log out and in"),
        (errno.EIO, "cannot open /dev/spidev0.0: refused"),
    ):
        spidev.refusal = number
        assert (await _refusal("spi:///dev/spidev0.0")).startswith(line)
    for url in ("spi://", "spi:///dev/ttyUSB0", "spi:///dev/spidev0", "spi:///dev/spidev0.0?cs=1"):
        with pytest.raises(AddressError):
            await open_stream(url)


class Ft4222:
    """The chip with the library ft4222, as the package for Python gives it: two buffers, and pins on the side."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.out = b""
        self.came = b""
        self.levels: list[bool] = []
        self.closed = 0

    def spiSlave_InitEx(self, protocol: object) -> None: ...

    def spiSlave_SetMode(self, polarity: object, phase: object) -> None: ...

    def spiSlave_GetRxStatus(self) -> int:
        return len(self.came)

    def spiSlave_Read(self, size: int) -> bytes:
        with self.changed:
            came, self.came = self.came[:size], self.came[size:]
        return came

    def spiSlave_Write(self, data: bytes) -> int:
        with self.changed:
            self.out += data
            self.changed.notify_all()
        return len(data)

    def setSuspendOut(self, enable: bool) -> None: ...

    def setWakeUpInterrupt(self, enable: bool) -> None: ...

    def gpio_Init(self, **pins: object) -> None:
        assert list(pins) == ["gpio3"]

    def gpio_Write(self, pin: int, level: bool) -> None:
        assert pin == 3
        self.levels.append(level)

    def close(self) -> None:
        self.closed += 1

    def exchange(self, board: Board) -> None:
        """Clock one block, when one is loaded."""
        size = board.blocks.block_bytes
        block = board.blocks.block_to_send()
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.out) >= size, 5)
            loaded, self.out = self.out[:size], self.out[size:]
            self.came += block
        board.received += board.blocks.receive_block(loaded)


@pytest.fixture
def chip(monkeypatch: pytest.MonkeyPatch) -> Ft4222:
    ft4222: Any = pytest.importorskip("ft4222")
    chip = Ft4222()
    names = ["FT4222 A", "FT4222 B"]
    monkeypatch.setattr(ft4222, "createDeviceInfoList", lambda: len(names))
    monkeypatch.setattr(ft4222, "getDeviceInfoDetail", lambda number: {"description": names[number].encode()})
    monkeypatch.setattr(ft4222, "openByDescription", lambda name: chip if name in names else None)
    return chip


@in_loop
async def test_ft4222(chip: Ft4222) -> None:
    stream = await open_stream("spi+ft4222://?ready=3&block=64")
    assert stream.description == "SPI on FT4222 A"
    assert stream.line_rate_baud is None
    board = Board(64)
    board.blocks.send(b"from the board")
    sending = asyncio.create_task(stream.send(b"to the board"))
    while not sending.done() or board.blocks.waiting_bytes:
        await asyncio.to_thread(chip.exchange, board)
    assert board.received == b"to the board"
    assert await _receive_exactly(stream, 14) == b"from the board"
    assert chip.levels[:2] == [False, True]
    assert not chip.levels[-1]
    await stream.aclose()
    assert chip.closed == 2


@in_loop
async def test_ft4222_refused(chip: Ft4222) -> None:
    line = await _refusal("spi+ft4222://FT4222%20C")
    assert line == "there is no 'FT4222 C': plug an FT4222H in; there is FT4222 A, FT4222 B"
    with pytest.raises(AddressError, match="ready=4 does not fit"):
        await open_stream("spi+ft4222://?ready=4")


@in_loop
async def test_without_the_chip_its_own_library_refuses() -> None:
    pytest.importorskip("ft4222")
    assert "there is no 'NO SUCH A': plug an FT4222H in; there is" in await _refusal("spi+ft4222://NO%20SUCH%20A")


@in_loop
async def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package, module, url, extra in (
        ("pyftdi.spi", "spi_ftdi", "spi+ftdi://", "spi"),
        ("ft4222", "spi_ft4222", "spi+ft4222://", "ft4222"),
        ("spidev", "spi_dev", "spi:///dev/spidev0.0", "spi"),
    ):
        monkeypatch.delitem(sys.modules, f"webrepl_transports.{module}", raising=False)
        monkeypatch.setitem(sys.modules, package, None)
        assert (await _refusal(url)).endswith(f"pip install webrepl-bridge[{extra}]")
