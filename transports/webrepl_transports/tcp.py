"""TCP: `tcp://HOST:PORT`, the raw bytes of a serial server such as `ser2net`, or of an emulator.

`socket://` is pySerial's name for the same, kept for those who know it. The connection is asyncio's own: pySerial's
does not tell an end in good order from a broken one, spins while its socket is full, and sleeps 0.3 s in close.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from webrepl_link.errors import OpenError
from webrepl_transports._asyncio import AsyncioStream
from webrepl_transports.address import split_host_port
from webrepl_transports.keepalive import notice_vanished_peer

if TYPE_CHECKING:
    from webrepl_transports.address import OpenOptions

CONNECT_TIMEOUT_S = 5.0


async def open_tcp(url: str, options: OpenOptions) -> AsyncioStream:
    """Connect to `tcp://HOST:PORT`; none of the options has a meaning there.

    Raises:
        OpenError: malformed URL, unknown host, nothing listening, or no answer within 5 s.
    """
    host, port, query = split_host_port(url)
    options.with_query(query)
    return await connect(AsyncioStream(url, reliable=True, line_rate_baud=None), host, port)


_Stream = TypeVar("_Stream", bound=AsyncioStream)


async def connect(stream: _Stream, host: str, port: int) -> _Stream:
    """Give `stream` a connection to `host`.

    Raises:
        OpenError: unknown host, nothing listening, or no answer within 5 s.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            transport, _ = await loop.create_connection(lambda: stream, host, port)
    except TimeoutError:
        raise OpenError(
            f"{host}:{port} did not answer within {CONNECT_TIMEOUT_S:.0f} s: check the address and firewalls"
        ) from None
    except ConnectionRefusedError:
        raise OpenError(f"nothing listens on {host}:{port}: start the server, or correct the port") from None
    except OSError as error:
        raise OpenError(f"cannot connect to {host}:{port}: {error.strerror or error}") from error
    notice_vanished_peer(transport.get_extra_info("socket"))
    return stream
