"""Noticing that a peer is gone that cannot say so: no goodbye comes from a lost radio link."""

from __future__ import annotations

import socket
from typing import cast

VANISHED_S = 60
"""How long a peer may be silent to the network itself before its connection counts as broken."""


def notice_vanished_peer(sock: socket.socket | None) -> None:
    """Have the network give up a TCP connection whose peer has been silent for VANISHED_S seconds."""
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", VANISHED_S // 2),
        ("TCP_KEEPINTVL", VANISHED_S // 6),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", VANISHED_S * 1000),
    ):
        if hasattr(socket, option):  # not every system has them all
            sock.setsockopt(socket.IPPROTO_TCP, cast("int", getattr(socket, option)), value)
