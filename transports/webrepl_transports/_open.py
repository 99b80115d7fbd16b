"""From a URL to an open stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webrepl_transports.tcp import open_tcp
from webrepl_transports.uart import open_uart

if TYPE_CHECKING:
    from webrepl_transports._stream import ByteStream


async def open_stream(url: str, *, baud: int = 115200, exclusive: bool = True) -> ByteStream:
    """Open the wire that `url` names.

    Raises:
        OpenError: it could not be opened; the message says what to do.
    """
    if url.startswith("socket://"):
        return await open_tcp(url)
    return await open_uart(url, baud=baud, exclusive=exclusive)
