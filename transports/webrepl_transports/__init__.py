"""Transports: bytes to and from a wire.

`open_stream(url)` gives a `ByteStream`; everything above this package knows only that.
"""

from webrepl_link.errors import BrokenError, EndOfStreamError, OpenError, TransportError
from webrepl_transports._open import open_stream
from webrepl_transports._stream import ByteStream

__all__ = ["BrokenError", "ByteStream", "EndOfStreamError", "OpenError", "TransportError", "open_stream"]
