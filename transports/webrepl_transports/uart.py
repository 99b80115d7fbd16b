"""Serial ports: everything that pySerial opens, as a stream.

Where the port is a terminal of the operating system, the event loop watches it through pyserial-asyncio. That
library's 0.6 is given the bare file descriptor, not pySerial's port, because of what pySerial's `read`,
`write` and `flush` do inside an event loop: `write` spins while the descriptor is full, `read` selects
(which fails from descriptor 1024 on) and takes no data for a disconnection, and closing waits for the line
to drain. And this stream never lets the library end by itself: on an error it would first wait for its
output to drain into a port that is gone.

Elsewhere two threads do it, see `_threaded`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, cast

import serial
from serial_asyncio import SerialTransport

from webrepl_link.errors import BrokenError, OpenError, TransportError
from webrepl_transports import _lines
from webrepl_transports._asyncio import AsyncioStream
from webrepl_transports._buffered import run_apart
from webrepl_transports._open_errors import explain
from webrepl_transports._port_lines import PortLines
from webrepl_transports._threaded import UNCANCELLABLE_READ_S, ThreadedStream
from webrepl_transports.address import ResetOnOpen, SerialAddress, parse
from webrepl_transports.control import hard_reset
from webrepl_transports.ports import PortKind, find_port, only_board, port_with_serial

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrepl_transports._buffered import BufferedStream
    from webrepl_transports.address import OpenOptions

READ_BYTES = 4096
"""As much as a Linux terminal gives at a time; pyserial-asyncio's own 1024 costs four times the calls."""

_DRAIN_EXTRA_S = 0.5


async def open_uart(url: str, options: OpenOptions, *, watch: bool = True) -> BufferedStream:
    """Open a serial port.

    Args:
        url: which, see `address.parse`.
        options: how, unless `url` says otherwise.
        watch: whether the event loop may watch the port; without, threads read and write it as on Windows.

    Raises:
        OpenError: it could not be opened; the message says what to do.
    """
    opening = asyncio.get_running_loop().run_in_executor(None, _open, parse(url, options))
    try:
        opened = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise
    stream: BufferedStream
    if watch and opened.watchable:
        stream = WatchedStream(opened)
    else:
        stream = ThreadedStream(
            opened.port,
            opened.description,
            reliable=False,
            line_rate_baud=opened.line_rate_baud,
            ended=opened.ended,
            close_port=opened.close,
        )
    if opened.has_lines:
        stream.control = PortLines(stream, opened)
    if opened.mode is ResetOnOpen.HARD:
        try:
            await _reset(stream, opened.device)
        except BaseException:
            await stream.aclose()
            raise
    return stream


async def _reset(stream: BufferedStream, device: str) -> None:
    if stream.control is None:
        raise OpenError(f"{device} has no DTR and RTS lines to reset a board: leave out reset_on_open=hard")
    try:
        await hard_reset(stream.control)
    except TransportError as error:
        raise OpenError(f"{device} vanished as it was reset: open it again when it is back") from error


class OpenPort:
    """An open pySerial port, and what is known of it."""

    def __init__(self, address: SerialAddress, device: str) -> None:
        """Open it. Blocks.

        Raises:
            Exception: whatever pySerial or the system raises.
        """
        self.device = device
        self.in_use = threading.Lock()  # held by a request, so that no other thread closes the port under it
        options = address.options
        self.mode = options.reset_on_open
        self.port = serial.serial_for_url(
            device, do_not_open=True, baudrate=options.baud, exclusive=options.exclusive or None
        )
        if not hasattr(self.port, "cancel_read"):
            self.port.timeout = UNCANCELLABLE_READ_S
        self.is_terminal = _lines.has_descriptor(self.port)
        usb = None if self.port.port is None else find_port(self.port.port)
        is_wire = self.is_terminal or not address.is_url
        has_line = is_wire and (usb is None or usb.kind is not PortKind.BOARD)
        self.line_rate_baud = options.baud if has_line else None
        self.description = f"{device} at {options.baud} baud" if has_line else device
        _lines.before_open(self.port, self.mode)
        self.port.open()
        try:
            self._set_up(exclusive=options.exclusive, own_usb=usb is not None and usb.listens_to_dtr)
        except BaseException:
            self.close()
            raise

    @property
    def has_lines(self) -> bool:
        """Whether there are DTR, RTS and a speed to set, as far as can be known before it is tried."""
        if not self.is_terminal:
            return True
        from webrepl_transports import _posix

        return _posix.has_lines(self.port.fileno())

    @property
    def watchable(self) -> bool:
        """Whether reading and writing the descriptor is all that this port's `read` and `write` do."""
        native = (serial.Serial.read, serial.Serial.write)
        return self.is_terminal and (type(self.port).read, type(self.port).write) == native

    def ended(self, error: Exception | None = None) -> BrokenError:
        """Make the error of a port that failed while in use."""
        if "://" in self.device and not self.is_terminal:
            return BrokenError(f"{self.device} broke: {error}")
        return BrokenError(f"{self.device} vanished: unplugged, or the board reset its USB")

    def close(self) -> None:
        """Close it when the line has taken what the driver still holds. Blocks for as long as that takes.

        A driver that cannot get rid of its output would make the close itself wait, for 30 s on Linux: so
        what is left when the line must long have taken it is discarded.
        """
        with contextlib.suppress(Exception):
            self._drain()
        with contextlib.suppress(Exception):
            _lines.before_close(self.port, self.mode)
        if self.is_terminal and self.port.is_open:
            from webrepl_transports import _posix

            _posix.unlock(self.port.fileno())
        with self.in_use, contextlib.suppress(Exception):
            self.port.close()

    def set_baud(self, baud: int) -> None:
        """Change the speed; a rate that the driver refuses leaves it as it was. Blocks.

        Raises:
            Exception: whatever pySerial or the system raises.
        """
        before = self.port.baudrate
        try:
            self.port.baudrate = baud
        except Exception:
            self.port.baudrate = before
            raise
        finally:
            self._tell_empty_from_gone()  # pySerial sets all of the terminal's attributes anew

    def _tell_empty_from_gone(self) -> None:
        if self.watchable:
            from webrepl_transports import _posix

            _posix.tell_empty_from_gone(self.port.fileno())

    def _set_up(self, *, exclusive: bool, own_usb: bool) -> None:
        if self.is_terminal and exclusive:
            from webrepl_transports import _posix

            _posix.lock(self.port.fileno())
        self._tell_empty_from_gone()
        with contextlib.suppress(AttributeError, NotImplementedError, ValueError):
            self.port.set_low_latency_mode(True)  # FTDI chips else hold back what came for 16 ms
        with contextlib.suppress(OSError):  # of a port without such lines, or one that reading will find gone
            _lines.after_open(self.port, self.mode, own_usb=own_usb)

    def _drain(self) -> None:
        if not self.is_terminal and os.name != "nt":
            return
        baud = self.line_rate_baud or 1_000_000
        deadline = time.monotonic() + self.port.out_waiting * 10 / baud + _DRAIN_EXTRA_S
        while self.port.out_waiting:
            if time.monotonic() > deadline:
                self.port.reset_output_buffer()
                return
            time.sleep(0.005)


class WatchedStream(AsyncioStream):
    """A serial port whose file descriptor the event loop watches."""

    def __init__(self, opened: OpenPort) -> None:
        super().__init__(opened.description, reliable=False, line_rate_baud=opened.line_rate_baud)
        self._loop = asyncio.get_running_loop()
        self._opened = opened
        self._port_closed: asyncio.Future[None] | None = None
        descriptor = _Descriptor(opened.port.fileno(), self._io_failed)
        self.connection_made(cast("asyncio.Transport", SerialTransport(self._loop, self, descriptor)))

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the port, off the loop since that can take as long as the line needs."""
        self._port_closed = run_apart(self._loop, self._opened.close)
        super().connection_lost(exc)

    def _io_failed(self) -> None:
        """Not at once: the transport is in the middle of its own read or write."""
        self._loop.call_soon(self._finish, self._opened.ended())

    async def _wait_closed(self) -> None:
        await super()._wait_closed()
        assert self._port_closed is not None
        await asyncio.shield(self._port_closed)


class _Descriptor:
    """What `SerialTransport` needs of a port, straight on its file descriptor.

    Failures never reach the transport: they end the stream, which aborts the transport.
    """

    timeout: float | None = None
    write_timeout: float | None = None

    def __init__(self, fd: int, failed: Callable[[], None]) -> None:
        self._fd = fd
        self._failed = failed

    def fileno(self) -> int:
        return self._fd

    def read(self, size: int) -> bytes:
        try:
            data = os.read(self._fd, max(size, READ_BYTES))
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:
            data = b""
        if not data:
            self._failed()
        return data

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self._failed()
            return len(data)

    def flush(self) -> None:
        """Nothing: waiting for the line here would stop the event loop."""

    def close(self) -> None:
        """Nothing: the stream closes the port, off the event loop."""


def _open(address: SerialAddress) -> OpenPort:
    device = address.target
    if device.lower() == "auto":
        device = only_board().device
    elif address.serial_number is not None:
        device = port_with_serial(address.serial_number).device
    try:
        return OpenPort(address, device)
    except OpenError:
        raise
    except Exception as error:  # pySerial lets through what its backends raise, termios.error among others
        raise explain(address, device, error) from error


def _close_unwanted(opening: asyncio.Future[OpenPort]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        asyncio.get_running_loop().run_in_executor(None, opening.result().close)
