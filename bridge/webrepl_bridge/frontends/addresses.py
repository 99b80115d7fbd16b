"""Where a client comes from, for the log."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection


def client_address(connection: HTTPConnection) -> str:
    """Name the host of who asks over HTTP or a WebSocket."""
    return without_port(connection.client.host if connection.client else "")


def without_port(host: str) -> str:
    """Name a client's host; an IPv4 address looks like one on any socket."""
    try:
        address = ip_address(host)
    except ValueError:
        return host or "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
