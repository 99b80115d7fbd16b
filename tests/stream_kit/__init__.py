"""Streams for tests, each with the peer at its other end.

A kind of stream is one entry of `KINDS`: how to open it, and what its peer can do. Every kind has to pass
tests/contract/test_streams.py; a new transport joins by adding an entry.
"""

from __future__ import annotations

import functools
import sys

from stream_kit.base import Joined, Kind, Peer, in_loop
from stream_kit.serial_ports import PtyPeer, join_pty
from stream_kit.sockets import SocketPeer, join_rfc2217, join_tcp, join_unix
from stream_kit.spi import join_spi
from webrepl_transports import BrokenError, EndOfStreamError

__all__ = ["KINDS", "Joined", "Kind", "Peer", "PtyPeer", "SocketPeer", "in_loop"]

KINDS: dict[str, Kind] = {
    "tcp": Kind(join_tcp, EndOfStreamError, 16_000_000, half_closes=True),
    "rfc2217": Kind(join_rfc2217, EndOfStreamError, 16_000_000, half_closes=True, has_control=True),
    "spi": Kind(functools.partial(join_spi, clocks=True), BrokenError, 300_000),
    "spi-peripheral": Kind(functools.partial(join_spi, clocks=False), BrokenError, 300_000),
}
if sys.platform != "win32":
    KINDS["plug-in"] = Kind(join_unix, EndOfStreamError, 1_000_000, half_closes=True)
    KINDS["uart"] = Kind(functools.partial(join_pty, watch=True), BrokenError, 300_000)
    KINDS["uart-threads"] = Kind(functools.partial(join_pty, watch=False), BrokenError, 300_000)
