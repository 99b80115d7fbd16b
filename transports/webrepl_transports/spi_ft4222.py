"""SPI by an FT4222H on USB as the peripheral: `spi+ft4222://FT4222 A?block=128&ready=3`. The board is the controller.

The chip is by the package ft4222, which brings FTDI's library. Between `://` and the question mark is the device's
description, `FT4222 A` without one. `ready` is one of its GPIO pins, wired to the board as its ready line.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import unquote

import ft4222
from ft4222.GPIO import Dir, Port
from ft4222.SPI import Cpha, Cpol
from ft4222.SPISlave import Protocol

from webrepl_link.errors import AddressError, OpenError
from webrepl_transports.spi import Adapter, DrivesReadyLine, FifoAdapter, SpiOptions, SpiStream, open_apart

if TYPE_CHECKING:
    from webrepl_transports.address import OpenOptions

DEFAULT = "FT4222 A"
PINS = range(4)
_POLL_S = 0.0005


async def open_spi_ft4222(url: str, options: OpenOptions) -> SpiStream:
    """Open `spi+ft4222://`; see above.

    Raises:
        AddressError: it has no such form.
        OpenError: there is no such device, or it may not be used.
    """
    target, _, query = url.partition("://")[2].partition("?")
    spi = SpiOptions.read(query, "block", "ready")
    if spi.ready is not None and spi.ready not in PINS:
        raise AddressError(f"ready={spi.ready} does not fit: it is a GPIO pin of the chip, 0 to 3")
    description = unquote(target) or DEFAULT
    try:
        adapter = await open_apart(lambda: _open(description, spi))
    except ft4222.FT2XXDeviceError as error:
        raise OpenError(f"cannot open {description!r}: close the program that has it open ({error})") from error
    return SpiStream(adapter, f"SPI on {description}", block_bytes=spi.block_bytes, clocks=False)


def _open(description: str, options: SpiOptions) -> Adapter:
    found = _descriptions()
    if description not in found:  # FTDI's library may crash when it is asked for one that is not there
        raise OpenError(f"there is no {description!r}: plug an FT4222H in; there is {', '.join(found) or 'none'}")
    device = ft4222.openByDescription(description)
    try:
        if options.ready is None:
            return Ft4222Adapter(device)
        pins = ft4222.openByDescription(description.removesuffix("A") + "B")  # the chip's other interface
        return Ft4222AdapterWithReadyLine(device, pins, options.ready)
    except ft4222.FT2XXDeviceError:
        device.close()
        raise


def _descriptions() -> list[str]:
    try:
        count = ft4222.createDeviceInfoList()
    except ft4222.FT2XXDeviceError:  # no USB at all
        return []
    return [ft4222.getDeviceInfoDetail(number)["description"].decode("ascii", "replace") for number in range(count)]


class Ft4222Adapter(FifoAdapter):
    """The chip.

    Args:
        device: open.
    """

    def __init__(self, device: ft4222.FT4222) -> None:
        super().__init__()
        self._device = device
        device.spiSlave_InitEx(Protocol.SPI_SLAVE_NO_PROTOCOL)
        device.spiSlave_SetMode(Cpol.IDLE_LOW, Cpha.CLK_LEADING)

    def write(self, data: bytes) -> None:
        """See FifoAdapter."""
        self._device.spiSlave_Write(data)

    def read(self, timeout_s: float) -> bytes:
        """See FifoAdapter."""
        deadline = time.monotonic() + timeout_s
        while not (size := self._device.spiSlave_GetRxStatus()):
            if time.monotonic() >= deadline:
                return b""
            time.sleep(_POLL_S)
        return bytes(self._device.spiSlave_Read(size))

    def close(self) -> None:
        """Give the chip back."""
        self._device.close()


class Ft4222AdapterWithReadyLine(Ft4222Adapter, DrivesReadyLine):
    """The chip, and a pin of it that is wired to the board as its ready line.

    Args:
        device: open.
        pins: its other interface, open.
        ready: which of them.
    """

    def __init__(self, device: ft4222.FT4222, pins: ft4222.FT4222, ready: int) -> None:
        super().__init__(device)
        self._pins = pins
        self._port = Port(ready)
        self._level = False
        pins.setSuspendOut(False)  # else pin 2 is taken
        pins.setWakeUpInterrupt(False)  # and pin 3
        pins.gpio_Init(**{f"gpio{ready}": Dir.OUTPUT})
        pins.gpio_Write(self._port, False)

    def set_ready(self, *, ready: bool) -> None:
        """See DrivesReadyLine."""
        if ready != self._level:
            self._pins.gpio_Write(self._port, ready)
            self._level = ready

    def close(self) -> None:
        """Give the chip back."""
        self._pins.close()
        super().close()
