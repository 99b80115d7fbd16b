"""Transports: bytes to and from a wire.

`await open_stream(url)` gives a `ByteStream`; everything above this package knows only that.
`list_ports()` and `list_boards()` say what is plugged in.

schemes        which transport opens which URL; where other people's come in
address        what a person writes: devices, uart:// and pySerial's URLs, baud, reset_on_open
ports          the serial ports of this computer, and which of them look like boards
uart           serial ports: opened by pySerial, watched by the event loop or by threads
tcp            tcp://HOST:PORT
rfc2217        rfc2217://HOST:PORT; _rfc2217 is its protocol, without I/O, on
telnet         options, subnegotiations and escapes of either side of a telnet connection, without I/O
control        DTR, RTS, break and speed, of the streams that have them
websocket      ws:// and wss://: messages, for boards that speak WebREPL
spi            a stream over any adapter that exchanges blocks by SPI
spi_ftdi       spi+ftdi://, an FTDI chip as the controller, by pyftdi
spi_dev        spi:///dev/spidevB.D, a Linux computer as the controller, by spidev
spi_ft4222     spi+ft4222://, an FT4222H as the peripheral, by ft4222
keepalive      noticing that a peer has vanished
_stream        the interface `ByteStream`
_buffered      what every kind of stream here has in common: order, back-pressure, cancellation, one end
_asyncio       over an asyncio transport: TCP, and pyserial-asyncio's
_threaded      over blocking calls in two threads: Windows, loop://, spy://
_lines         DTR and RTS: what opening and closing do to a board
_port_lines    the same requests on an open port of this computer
_open_errors   one line that says what to do
_posix         requests on a terminal's descriptor
_usb_ids       USB ids of boards and USB-serial chips
"""

from webrepl_link.errors import AddressError, BrokenError, EndOfStreamError, OpenError, TransportError
from webrepl_transports._asyncio import AsyncioStream
from webrepl_transports._open import open_stream
from webrepl_transports._stream import ByteStream
from webrepl_transports.address import OpenOptions, ResetOnOpen, SerialAddress
from webrepl_transports.address import parse as parse_serial
from webrepl_transports.control import ControlLines, Signals, hard_reset
from webrepl_transports.ports import PortKind, SerialPort, list_boards, list_ports
from webrepl_transports.schemes import Opener

__all__ = [
    "AddressError",
    "AsyncioStream",
    "BrokenError",
    "ByteStream",
    "ControlLines",
    "EndOfStreamError",
    "OpenError",
    "OpenOptions",
    "Opener",
    "PortKind",
    "ResetOnOpen",
    "SerialAddress",
    "SerialPort",
    "Signals",
    "TransportError",
    "hard_reset",
    "list_boards",
    "list_ports",
    "open_stream",
    "parse_serial",
]
