"""TCP: `socket://HOST:PORT`, the raw bytes of a serial server, an emulator or `ser2net`.

The URL is pySerial's, but the connection is asyncio's own: pySerial's `socket://` does not tell an end in
good order from a broken one, spins while its socket is full, and sleeps 0.3 s in close.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from webrepl_link.errors import OpenError
from webrepl_transports._asyncio import AsyncioStream

CONNECT_TIMEOUT_S = 5.0


async def open_tcp(url: str) -> AsyncioStream:
    """Connect to `socket://HOST:PORT`.

    Raises:
        OpenError: malformed URL, unknown host, nothing listening, or no answer within 5 s.
    """
    host, port = _split(url)
    stream = AsyncioStream(f"socket://{host}:{port}", reliable=True, line_rate_baud=None)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await loop.create_connection(lambda: stream, host, port)
    except TimeoutError:
        raise OpenError(
            f"{host}:{port} did not answer within {CONNECT_TIMEOUT_S:.0f} s: check the address and firewalls"
        ) from None
    except ConnectionRefusedError:
        raise OpenError(f"nothing listens on {host}:{port}: start the server, or correct the port") from None
    except OSError as error:
        raise OpenError(f"cannot connect to {host}:{port}: {error.strerror or error}") from error
    return stream


def _split(url: str) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise OpenError(f"{url!r} is not a TCP address: write socket://HOST:PORT")
    return host, port
