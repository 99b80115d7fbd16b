"""From what a person writes to which serial port is meant, and how it is to be opened. No I/O."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib import import_module
from urllib.parse import parse_qsl, unquote

import serial

from webrepl_link.errors import OpenError

COMMON_BAUDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)


class ResetOnOpen(StrEnum):
    """What opening a port does to DTR and RTS; `webrepl_transports._lines` says which line goes where."""

    KEEP = "keep"
    """Assert both together and leave them so: boards keep running, and a board's own USB sees a listener."""

    NEVER = "never"
    """Make no request about either line at all."""

    RELEASE = "release"
    """Release both together: for boards whose reset or boot pin hangs directly on a line."""

    HARD = "hard"
    """Reset the board as esptool's hard reset does, then as `KEEP`."""


@dataclass(frozen=True)
class SerialAddress:
    """Which port to open, and how.

    Attributes:
        target: a device ("/dev/ttyUSB0", "COM3"), "auto", "id:SERIALNUMBER", or a pySerial URL.
        baud: bits per second.
        exclusive: whether nobody else may open the port meanwhile.
        reset_on_open: what to do with DTR and RTS.
    """

    target: str
    baud: int = 115200
    exclusive: bool = True
    reset_on_open: ResetOnOpen = ResetOnOpen.KEEP

    @property
    def is_url(self) -> bool:
        """Whether `target` is for pySerial's URL handlers."""
        return "://" in self.target

    @property
    def serial_number(self) -> str | None:
        """The number after `id:`, None for another kind of target."""
        return self.target[3:] if self.target.lower().startswith("id:") else None


def parse(
    text: str,
    *,
    baud: int = 115200,
    exclusive: bool = True,
    reset_on_open: ResetOnOpen | str = ResetOnOpen.KEEP,
) -> SerialAddress:
    """Read a serial address.

    Args:
        text: a device, `auto`, `id:SERIALNUMBER`,
            `uart://DEVICE?baud=115200&reset_on_open=keep&exclusive=yes` (whose target may be `auto` or
            `id:...` too), or a pySerial URL.
        baud: bits per second, unless `text` says otherwise.
        exclusive: whether to lock the port, unless `text` says otherwise.
        reset_on_open: what to do with DTR and RTS, unless `text` says otherwise.

    Raises:
        OpenError: it says nothing, has an unknown scheme or option, or a value that does not fit.
    """
    address = SerialAddress(text.strip(), _baud(baud), exclusive, _reset(reset_on_open))
    scheme, separator, rest = address.target.partition("://")
    if separator and scheme.lower() == "uart":
        target, _, query = rest.partition("?")
        address = replace(address, target=unquote(target))
        for name, value in parse_qsl(query, keep_blank_values=True):
            address = _with_option(address, name, value)
    elif separator and scheme.lower() not in known_schemes():
        raise OpenError(f"unknown scheme {scheme!r} in {text!r}: use a device such as /dev/ttyUSB0, or {_schemes()}")
    if not address.target or address.serial_number == "":
        raise OpenError(f"{text!r} names no port: write a device such as /dev/ttyUSB0 or COM3, id:SERIALNUMBER or auto")
    return address


def known_schemes() -> set[str]:
    """List the URL schemes that can be opened: our own and those of pySerial's installed handlers."""
    schemes = {"uart", "socket"}
    for package_name in serial.protocol_handler_packages:
        package = import_module(package_name)
        names = (module.name for module in pkgutil.iter_modules(package.__path__))
        schemes.update(name.removeprefix("protocol_") for name in names if name.startswith("protocol_"))
    return schemes


def _schemes() -> str:
    return ", ".join(f"{scheme}://" for scheme in sorted(known_schemes()))


def _with_option(address: SerialAddress, name: str, value: str) -> SerialAddress:
    if name == "baud":
        return replace(address, baud=_baud(value))
    if name == "reset_on_open":
        return replace(address, reset_on_open=_reset(value))
    if name == "exclusive":
        flags = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
        if value.lower() not in flags:
            raise OpenError(f"exclusive={value} is neither yes nor no")
        return replace(address, exclusive=flags[value.lower()])
    raise OpenError(f"unknown option {name!r} in a uart:// address: there are baud, exclusive and reset_on_open")


def _baud(value: int | str) -> int:
    try:
        baud = int(value)
    except ValueError:
        baud = 0
    if baud <= 0:
        bauds = ", ".join(str(common) for common in COMMON_BAUDS)
        raise OpenError(f"{value!r} is no baud rate: write a number, most boards use 115200, others one of {bauds}")
    return baud


def _reset(value: ResetOnOpen | str) -> ResetOnOpen:
    try:
        return ResetOnOpen(value)
    except ValueError:
        raise OpenError(f"reset_on_open={value} is unknown: use one of {', '.join(ResetOnOpen)}") from None
