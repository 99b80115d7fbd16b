"""SPI by an FTDI chip on USB, by pyftdi: `spi+ftdi://ftdi:232h/1?clock=1000000&block=128&cs=0&ready=4`.

The chip is the controller, the board the peripheral. What is between `spi+` and the question mark is an address of
pyftdi's; `spi+ftdi://` alone is the first FT232H. `ready` is a pin by pyftdi's count: 4 is AD4, 8 is AC0.
"""

from __future__ import annotations

import contextlib
import errno
import time
from typing import TYPE_CHECKING

import usb.core
from pyftdi.ftdi import FtdiError
from pyftdi.spi import SpiController
from pyftdi.usbtools import UsbTools, UsbToolsError

from webrepl_link.errors import AddressError, OpenError
from webrepl_transports.spi import Adapter, HasReadyLine, SpiOptions, SpiStream, open_apart

if TYPE_CHECKING:
    from webrepl_transports.address import OpenOptions

DEFAULT = "ftdi:232h/1"
CHIP_SELECTS = 5  # AD3 to AD7
_POLL_S = 0.0002


async def open_spi_ftdi(url: str, options: OpenOptions) -> SpiStream:
    """Open `spi+ftdi://`; see above.

    Raises:
        AddressError: it has no such form.
        OpenError: there is no such chip, it may not be used, or another program has it.
    """
    target, _, query = url.partition("://")[2].partition("?")
    spi = SpiOptions.read(query, "clock", "block", "cs", "ready", "ask")
    if spi.cs >= CHIP_SELECTS:
        raise AddressError(f"cs={spi.cs} does not fit: 0 is the pin AD3, {CHIP_SELECTS - 1} is AD7")
    if spi.ready is not None and spi.ready not in range(spi.cs + 4, 16):
        raise AddressError(f"ready={spi.ready} does not fit: {spi.cs + 4} is the first free pin, 15, AC7, the last")
    device = f"ftdi://{target or DEFAULT}"
    adapter = await open_apart(lambda: _open(device, spi))
    return SpiStream(
        adapter,
        f"SPI on {device} at {spi.clock_hz / 1e6:g} MHz",
        block_bytes=spi.block_bytes,
        clock_hz=spi.clock_hz,
    )


def _open(device: str, options: SpiOptions) -> Adapter:
    controller = SpiController(cs_count=options.cs + 1)
    try:
        UsbTools.flush_cache()  # what was plugged in since
        controller.configure(device, frequency=options.clock_hz)
        return (FtdiAdapter if options.ready is None else FtdiAdapterWithReadyLine)(controller, options)
    except (UsbToolsError, FtdiError, usb.core.USBError, NotImplementedError, ValueError) as error:
        with contextlib.suppress(Exception):  # it fails where opening has not come far enough
            controller.close()
        raise _explain(device, error) from error


def _explain(device: str, error: Exception) -> OpenError:
    number = getattr(error, "errno", None) or getattr(error.__context__, "errno", None)
    if isinstance(error, ValueError) and "backend" in str(error):
        return OpenError("pyftdi needs libusb: install libusb-1.0 (apt install libusb-1.0-0, brew install libusb)")
    if number == errno.EACCES or "langid" in str(error):
        return OpenError(
            f"no permission to use {device}: add a udev rule for vendor 0403 "
            '(SUBSYSTEM=="usb", ATTR{idVendor}=="0403", MODE="0666") and plug it in again'
        )
    if number == errno.EBUSY:
        return OpenError(f"{device} is in use: close the program that has it open")
    if isinstance(error, UsbToolsError):
        return OpenError(f"there is no {device}: plug the adapter in, or see `python -m pyftdi.ftdi` ({_line(error)})")
    return OpenError(f"cannot open {device}: {_line(error)}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class FtdiAdapter(Adapter):
    """The chip.

    Args:
        controller: open.
        options: how to use it.
    """

    def __init__(self, controller: SpiController, options: SpiOptions) -> None:
        self._controller = controller
        self._port = controller.get_port(options.cs, options.clock_hz, mode=0)

    def exchange(self, block: bytes) -> bytes:
        """See Adapter."""
        return bytes(self._port.exchange(block, len(block), duplex=True))

    def close(self) -> None:
        """Give the chip back."""
        self._controller.close()


class FtdiAdapterWithReadyLine(FtdiAdapter, HasReadyLine):
    """The chip, and the board's ready line on one of its pins.

    Args:
        controller, options: as for FtdiAdapter.
    """

    def __init__(self, controller: SpiController, options: SpiOptions) -> None:
        super().__init__(controller, options)
        assert options.ready is not None
        self._ready = 1 << options.ready
        self._ask_s = options.ask_ms / 1000
        self._gpio = controller.get_gpio()
        self._gpio.set_direction(self._ready, 0)

    def is_ready(self, *, ask: bool) -> bool:
        """See HasReadyLine."""
        if self._is_high():
            return True
        if not ask:
            return False
        self._port.force_select(level=False)
        deadline = time.monotonic() + self._ask_s
        while not self._is_high() and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        return True

    def _is_high(self) -> bool:
        return bool(self._gpio.read() & self._ready)
