"""From a URL to an open stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webrepl_transports.address import OpenOptions, ResetOnOpen, as_baud, as_reset
from webrepl_transports.schemes import open_url

if TYPE_CHECKING:
    from webrepl_transports._stream import ByteStream


async def open_stream(
    url: str,
    *,
    baud: int = 115200,
    exclusive: bool = True,
    reset_on_open: ResetOnOpen | str = ResetOnOpen.KEEP,
) -> ByteStream:
    """Open the wire that `url` names; it can be opened again once it has ended or was closed.

    Args:
        url: a device ("/dev/ttyUSB0", "COM3"), `id:SERIALNUMBER`, `auto` for the one board that is plugged
            in, `uart://DEVICE?baud=115200&reset_on_open=keep&exclusive=yes`, `tcp://HOST:PORT`, what a
            plug-in opens, or a URL of pySerial's (`loop://`, `spy://`, `hwgrep://` ...).
        baud: bits per second of a serial line; what `url` says goes before.
        exclusive: whether to keep other programs from opening the port meanwhile; `url` goes before.
        reset_on_open: what to do with DTR and RTS, see `ResetOnOpen`; `url` goes before.

    Raises:
        OpenError: it could not be opened; the message is one line that says what to do.
    """
    return await open_url(url.strip(), OpenOptions(as_baud(baud), exclusive, as_reset(reset_on_open)))
