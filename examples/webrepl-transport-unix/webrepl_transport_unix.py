"""A transport of another package: boards behind a Unix socket, such as the serial port of a virtual machine.

qemu-system-arm -M microbit … -chardev socket,id=line,path=/tmp/board,server=on,wait=off -serial chardev:line
webrepl-bridge --serial unix:///tmp/board
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from webrepl_transports import AddressError, AsyncioStream, OpenError

if TYPE_CHECKING:
    from webrepl_transports import OpenOptions


async def open_unix(url: str, options: OpenOptions) -> AsyncioStream:
    """Connect to `unix:///PATH`; there is no line whose speed or whose DTR and RTS `options` could set."""
    path = url.partition("://")[2]
    if not path:
        raise AddressError(f"{url!r} names no socket: write unix:///path/of/socket")
    stream = AsyncioStream(url, reliable=True, line_rate_baud=None)
    try:
        await asyncio.get_running_loop().create_unix_connection(lambda: stream, path)
    except OSError as error:
        raise OpenError(f"cannot connect to {path}: {error.strerror or error}; is the server running?") from error
    return stream
