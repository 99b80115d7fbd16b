"""TCP, beyond what every stream promises."""

from __future__ import annotations

import socket

import pytest

from stream_kit import KINDS, in_loop
from webrepl_transports._asyncio import AsyncioStream


@pytest.mark.parametrize("kind", ["tcp", "rfc2217"])
@in_loop
async def test_a_peer_that_vanishes_without_a_word_is_noticed(kind: str) -> None:
    """By the operating system: it is asked to probe a silent connection."""
    async with KINDS[kind].join() as joined:
        assert isinstance(joined.stream, AsyncioStream)
        assert joined.stream._transport is not None
        sock = joined.stream._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
