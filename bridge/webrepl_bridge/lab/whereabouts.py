"""Which serial port a board is on now. Pure: the ports that there are come in as an argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from webrepl_transports import OpenOptions, parse_serial

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from webrepl_transports import SerialPort

SERIAL_NUMBER_CHARS_MIN = 6
"""Shorter serial numbers are the maker's default, such as the CP210x's "0001", and tell no board from another."""


@dataclass(frozen=True)
class Identity:
    """What a port keeps when its board is plugged in again, at whatever hub: the device's own ids and its channel."""

    usb_id: str
    serial_number: str
    channel: str


def identity_of(port: SerialPort) -> Identity | None:
    """What tells `port` from all others; None if nothing does."""
    if port.usb_id is None or len(port.serial_number or "") < SERIAL_NUMBER_CHARS_MIN:
        return None
    return Identity(port.usb_id, port.serial_number or "", port.channel)


def serial_target(url: str) -> str:
    """What `url` names among the serial ports of this computer; "" if it is something else.

    Raises:
        AddressError: it is not well formed.
    """
    address = parse_serial(url, OpenOptions())
    return "" if address.is_url else address.target


def with_device(url: str, device: str) -> str:
    """Put `device` in the place of what `url` names, and keep its options."""
    if not url.lower().startswith("uart://"):
        return device
    _, mark, query = url.partition("?")
    return f"uart://{quote(device)}{mark}{query}"


def url_of(port: SerialPort) -> str:
    """Write a URL that finds the board on `port` again: by its serial number where that names this port alone."""
    if identity_of(port) is None or port.channel:
        return port.device
    return f"id:{port.serial_number}"


class Whereabouts:
    """Follows one board over the serial ports.

    A board that has been open before is found by its identity, wherever it is plugged in; another one only where the
    operator has named its place.

    Args:
        target: what the operator has named: a device, `auto`, or `id:SERIALNUMBER`.
    """

    def __init__(self, target: str) -> None:
        self._target = target
        self._known: Identity | None = None

    def find(self, ports: Sequence[SerialPort], paths: Collection[str]) -> str | None:
        """Return what to open; None if the board is not there.

        Args:
            ports: all that there are.
            paths: the target as a path, and the device that it links to; empty if there is no such file.
        """
        known = [port for port in ports if self._known is not None and identity_of(port) == self._known]
        if len(known) == 1:
            return known[0].device
        fitting = [port for port in ports if self._fits(port, paths)]
        if len(fitting) == 1 and not paths:
            return fitting[0].device
        return self._target if fitting or paths else None

    def opened(self, device: str, ports: Sequence[SerialPort], paths: Collection[str]) -> None:
        """Remember the board that `find`, with the same arguments, has found at `device`."""
        for port in ports:
            if port.device == device or port.device in paths:
                self._known = identity_of(port)

    def claims(self, port: SerialPort, paths: Collection[str]) -> bool:
        """Whether `port` is this board's, or would be if it were opened now; `paths` as in `find`."""
        return (self._known is not None and identity_of(port) == self._known) or self._fits(port, paths)

    def _fits(self, port: SerialPort, paths: Collection[str]) -> bool:
        wanted = self._target.lower()
        if wanted == "auto":
            return port.looks_like_board
        if wanted.startswith("id:"):
            return (port.serial_number or "").lower() == wanted[3:]
        return port.device == self._target or port.device in paths
