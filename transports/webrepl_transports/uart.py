"""Serial ports, opened with pyserial and watched by the event loop through pyserial-asyncio."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import serial
from serial_asyncio import SerialTransport

from webrepl_link.errors import BrokenError, OpenError
from webrepl_transports._asyncio import AsyncioStream


async def open_uart(device: str, *, baud: int, exclusive: bool) -> AsyncioStream:
    """Open a serial device."""
    try:
        port = await asyncio.to_thread(
            serial.serial_for_url, device, baudrate=baud, exclusive=exclusive or None
        )
    except (OSError, ValueError) as error:
        raise OpenError(f"cannot open {device}: {error}") from error
    return UartStream(port, f"{device} at {baud} baud", baud)


class UartStream(AsyncioStream):
    """A serial port whose file descriptor the event loop watches."""

    def __init__(self, port: serial.Serial, description: str, baud: int) -> None:
        super().__init__(description, reliable=False, line_rate_baud=baud)
        self._loop = asyncio.get_running_loop()
        self._port = port
        self._closing: asyncio.Future[None] | None = None
        transport: Any = SerialTransport(self._loop, self, _Descriptor(port, self._io_failed))
        self.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Close the port off the loop: closing waits for what the driver still holds."""
        self._closing = self._loop.run_in_executor(None, self._port.close)
        super().connection_lost(exc)

    def _io_failed(self, error: OSError | None) -> None:
        name = self._port.name
        self._loop.call_soon(
            self._finish, BrokenError(f"{name} vanished: unplugged, or the board reset its USB")
        )

    async def _wait_closed(self) -> None:
        await super()._wait_closed()
        assert self._closing is not None
        await asyncio.shield(self._closing)


class _Descriptor:
    """What `SerialTransport` needs of a port, straight on its file descriptor."""

    timeout: float | None = None
    write_timeout: float | None = None

    def __init__(self, port: serial.Serial, failed: Any) -> None:
        self._fd = port.fileno()
        self._failed = failed

    def fileno(self) -> int:
        return self._fd

    def read(self, size: int) -> bytes:
        try:
            data = os.read(self._fd, size)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as error:
            self._failed(error)
            return b""
        if not data:
            self._failed(None)
        return data

    def write(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            self._failed(error)
            return len(data)

    def flush(self) -> None:
        """Nothing: waiting for the line here would stop the event loop."""

    def close(self) -> None:
        """Nothing: the stream closes the port, off the event loop."""
