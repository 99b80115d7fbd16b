"""Which transport opens a URL: ours, those of installed plug-ins, and pySerial's.

A transport is an entry point of the group `webrepl_bridge.transports`: its name is the URL's scheme, its object
an `Opener`, and its extra, if it has one, is what has to be installed with the package for it to work. Ours are
entries of the same form, and everybody's are imported when a URL first needs them.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, TypeAlias, cast

import serial

from webrepl_link.errors import AddressError, OpenError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from webrepl_transports._stream import ByteStream
    from webrepl_transports.address import OpenOptions

Opener: TypeAlias = "Callable[[str, OpenOptions], Awaitable[ByteStream]]"
"""Opens the URL, as it was written, and raises OpenError, one line that says what to do, if it cannot."""

GROUP = "webrepl_bridge.transports"

_UART = EntryPoint("uart", "webrepl_transports.uart:open_uart", GROUP)
_OURS = (
    _UART,
    EntryPoint("tcp", "webrepl_transports.tcp:open_tcp", GROUP),
    EntryPoint("rfc2217", "webrepl_transports.rfc2217:open_rfc2217", GROUP),
    EntryPoint("socket", "webrepl_transports.tcp:open_tcp", GROUP),
    EntryPoint("ws", "webrepl_transports.websocket:refuse_stream", GROUP),
    EntryPoint("wss", "webrepl_transports.websocket:refuse_stream", GROUP),
    EntryPoint("spi+ftdi", "webrepl_transports.spi_ftdi:open_spi_ftdi [spi]", GROUP),
    EntryPoint("spi+ft4222", "webrepl_transports.spi_ft4222:open_spi_ft4222 [ft4222]", GROUP),
    EntryPoint("spi", "webrepl_transports.spi_dev:open_spi_dev [spi]", GROUP),
)


async def open_url(url: str, options: OpenOptions) -> ByteStream:
    """Open `url` with the transport of its scheme; what has none is a serial port.

    Raises:
        AddressError: there is no such scheme, or its transport cannot be loaded.
        OpenError: it could not open the URL.
    """
    scheme, separator, _ = url.partition("://")
    transport = _find(scheme.lower()) if separator else _UART
    if transport is None:
        known = ", ".join(f"{scheme}://" for scheme in known_schemes())
        raise AddressError(f"unknown scheme {scheme!r} in {url!r}: use a device such as /dev/ttyUSB0, or {known}")
    try:
        return await _load(transport)(url, options)
    except ModuleNotFoundError as error:
        raise _missing(transport, error) from error
    except OSError as error:
        raise OpenError(f"cannot open {url}: {error.strerror or error}") from error


def known_schemes() -> list[str]:
    """List the URL schemes that can be opened: ours, those of plug-ins, and those of pySerial's handlers."""
    return sorted({transport.name for transport in _transports()} | _pyserial_schemes())


def _transports() -> list[EntryPoint]:
    """Ours first: a plug-in takes the place of one of pySerial's schemes, but not of ours."""
    return [*_OURS, *entry_points(group=GROUP)]


def _find(scheme: str) -> EntryPoint | None:
    for transport in _transports():
        if transport.name == scheme:
            return transport
    return _UART if scheme in _pyserial_schemes() else None


def _pyserial_schemes() -> set[str]:
    packages = [import_module(name) for name in serial.protocol_handler_packages]
    names = [module.name for package in packages for module in pkgutil.iter_modules(package.__path__)]
    return {name.removeprefix("protocol_") for name in names if name.startswith("protocol_")}


def _load(transport: EntryPoint) -> Opener:
    try:
        return cast("Opener", transport.load())
    except ModuleNotFoundError:
        raise
    except (ImportError, AttributeError) as error:
        raise AddressError(f"{transport.name}://: {_package(transport)} is broken, update it: {error}") from error


def _missing(transport: EntryPoint, error: ModuleNotFoundError) -> AddressError:
    if not transport.extras:
        return AddressError(f"{transport.name}://: {_package(transport)} is broken, install it again: {error}")
    wanted = f"{_package(transport)}[{','.join(transport.extras)}]"
    return AddressError(f"{transport.name}:// needs the Python package {error.name}: pip install {wanted}")


def _package(transport: EntryPoint) -> str:
    return transport.dist.name if transport.dist else "webrepl-bridge"
