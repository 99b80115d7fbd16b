"""How boards are called when nobody has given them a name. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .whereabouts import identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from webrepl_transports import SerialPort

RESERVED = frozenset({"assets", "boards", "cp", "dial-in", "fs", "health", "metrics"})
"""Paths that are the bridge's own."""

_NAME = re.compile(r"\w[\w.-]{0,63}")


def is_name(text: str) -> bool:
    """Whether a board may be called so: a path of the bridge that is not taken."""
    return _NAME.fullmatch(text) is not None and text not in RESERVED


def name_of_url(url: str) -> str:
    """Name a board after what it is on: `ttyUSB0` of `/dev/ttyUSB0`, `10.0.0.7-5000` of `tcp://10.0.0.7:5000`."""
    last = re.split(r"[/\\]", url.partition("?")[0].rstrip("/\\"))[-1].removeprefix("id:")
    return _as_name(last)


def name_ports(ports: Iterable[SerialPort]) -> dict[str, SerialPort]:
    """Name each of `ports` after its USB serial number, and after its device where that tells nothing.

    So a board keeps its name at whatever hub it is plugged in, and whatever else is.
    """
    named: dict[str, SerialPort] = {}
    for port in sorted(ports, key=lambda port: port.device):
        name = _name_of_port(port)
        if name in named:
            name = name_of_url(port.device)
        named.setdefault(name, port)
    return named


def _name_of_port(port: SerialPort) -> str:
    identity = identity_of(port)
    if identity is None:
        return name_of_url(port.device)
    is_first = identity.channel in ("", "1.0")
    return _as_name(identity.serial_number if is_first else f"{identity.serial_number}-{identity.channel}")


def _as_name(text: str) -> str:
    name = re.sub(r"[^\w.-]", "-", text)[:64]
    return name if is_name(name) else f"board-{name}"[:64].rstrip("-")
