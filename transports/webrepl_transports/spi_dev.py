"""SPI of a Linux computer such as a Raspberry Pi, by spidev: `spi:///dev/spidev0.0?clock=1000000&block=128`."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

import spidev

from webrepl_link.errors import AddressError, OpenError
from webrepl_transports.spi import Adapter, SpiOptions, SpiStream, open_apart

if TYPE_CHECKING:
    from webrepl_transports.address import OpenOptions


async def open_spi_dev(url: str, options: OpenOptions) -> SpiStream:
    """Open `spi:///dev/spidevBUS.CS`; the computer is the controller, the board the peripheral.

    Raises:
        AddressError: it has no such form.
        OpenError: there is no such device, or it may not be used.
    """
    device, _, query = url.partition("://")[2].partition("?")
    spi = SpiOptions.read(query, "clock", "block")
    if not (found := re.fullmatch(r"/dev/spidev(\d+)\.(\d+)", device)):
        raise AddressError(f"{device!r} is no SPI device: write spi:///dev/spidev0.0")
    bus, cs = map(int, found.groups())
    try:
        adapter = await open_apart(lambda: SpidevAdapter(bus, cs, spi.clock_hz))
    except OSError as error:
        raise _explain(device, error) from error
    return SpiStream(
        adapter,
        f"SPI on {device} at {spi.clock_hz / 1e6:g} MHz",
        block_bytes=spi.block_bytes,
        clock_hz=spi.clock_hz,
    )


def _explain(device: str, error: OSError) -> OpenError:
    if error.errno == errno.ENOENT:
        return OpenError(f"there is no {device}: switch SPI on (raspi-config, or dtparam=spi=on in config.txt)")
    if error.errno in (errno.EACCES, errno.EPERM):
        return OpenError(f"no permission to open {device}: run 'sudo usermod -aG spi $USER', then log out and in again")
    return OpenError(f"cannot open {device}: {error.strerror or error}")


class SpidevAdapter(Adapter):
    """The device.

    Args:
        bus: its bus.
        cs: its chip select.
        clock_hz: bits per second.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, bus: int, cs: int, clock_hz: int) -> None:
        self._device = spidev.SpiDev()
        self._device.open(bus, cs)
        try:
            self._device.mode = 0
            self._device.max_speed_hz = clock_hz
        except OSError:
            self._device.close()
            raise

    def exchange(self, block: bytes) -> bytes:
        """See Adapter."""
        return bytes(self._device.xfer2(block))

    def close(self) -> None:
        """Give the device back."""
        self._device.close()
