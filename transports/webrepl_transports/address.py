"""From what a person writes to which wire is meant, and how it is to be opened. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from webrepl_link.errors import AddressError

if TYPE_CHECKING:
    from collections.abc import Callable

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
class OpenOptions:
    """How a wire is to be opened, unless its URL says otherwise.

    Attributes:
        baud: bits per second of a serial line.
        exclusive: whether nobody else may open the port meanwhile.
        reset_on_open: what to do with DTR and RTS.
    """

    baud: int = 115200
    exclusive: bool = True
    reset_on_open: ResetOnOpen = ResetOnOpen.KEEP

    def with_query(self, query: str, *known: str) -> OpenOptions:
        """Put what a URL says behind its question mark in the place of these.

        Args:
            query: such as `baud=9600&reset_on_open=hard`.
            known: names of the attributes that this kind of URL may set.

        Raises:
            AddressError: an unknown option, or a value that does not fit.
        """
        given: dict[str, Any] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            if name not in known:
                raise AddressError(f"unknown option {name!r} in an address: this kind has {', '.join(known) or 'none'}")
            given[name] = _READ[name](value)
        return replace(self, **given)


@dataclass(frozen=True)
class SerialAddress:
    """Which port to open, and how.

    Attributes:
        target: a device ("/dev/ttyUSB0", "COM3"), "auto", "id:SERIALNUMBER", or a pySerial URL.
        options: how.
    """

    target: str
    options: OpenOptions = field(default_factory=OpenOptions)

    @property
    def is_url(self) -> bool:
        """Whether `target` is for pySerial's URL handlers."""
        return "://" in self.target

    @property
    def serial_number(self) -> str | None:
        """The number after `id:`, None for another kind of target."""
        return self.target[3:] if self.target.lower().startswith("id:") else None


def parse(text: str, options: OpenOptions) -> SerialAddress:
    """Read a serial address.

    Args:
        text: a device, `auto`, `id:SERIALNUMBER`,
            `uart://DEVICE?baud=115200&reset_on_open=keep&exclusive=yes` (whose target may be `auto` or
            `id:...` too), or a pySerial URL.
        options: how to open it, unless `text` says otherwise.

    Raises:
        AddressError: it says nothing, has an unknown option, or a value that does not fit.
    """
    address = SerialAddress(text, options)
    scheme, separator, rest = text.partition("://")
    if separator and scheme.lower() == "uart":
        target, _, query = rest.partition("?")
        address = SerialAddress(unquote(target), options.with_query(query, "baud", "reset_on_open", "exclusive"))
    if not address.target or address.serial_number == "":
        raise AddressError(
            f"{text!r} names no port: write a device such as /dev/ttyUSB0 or COM3, id:SERIALNUMBER or auto"
        )
    return address


def split_host_port(url: str) -> tuple[str, int, str]:
    """Take `SCHEME://HOST:PORT?QUERY` apart into host, port and query.

    Raises:
        AddressError: it has no such form.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise AddressError(f"{url!r} is no address: write {url.partition(':')[0]}://HOST:PORT")
    return host, port, parts.query


def as_baud(value: int | str) -> int:
    """Read a number of bits per second.

    Raises:
        AddressError: it is none.
    """
    try:
        baud = int(value)
    except ValueError:
        baud = 0
    if not 0 < baud < 2**32:
        bauds = ", ".join(str(common) for common in COMMON_BAUDS)
        raise AddressError(f"{value!r} is no baud rate: write a number, most boards use 115200, others one of {bauds}")
    return baud


def as_reset(value: str) -> ResetOnOpen:
    """Read the name of a `ResetOnOpen`.

    Raises:
        AddressError: there is none of this name.
    """
    try:
        return ResetOnOpen(value)
    except ValueError:
        raise AddressError(f"reset_on_open={value} is unknown: use one of {', '.join(ResetOnOpen)}") from None


def _flag(value: str) -> bool:
    flags = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    if value.lower() not in flags:
        raise AddressError(f"exclusive={value} is neither yes nor no")
    return flags[value.lower()]


_READ: dict[str, Callable[[str], Any]] = {"baud": as_baud, "exclusive": _flag, "reset_on_open": as_reset}
"""How to read the text of each attribute of `OpenOptions`."""
