"""DTR, RTS, break and speed of an open port of this computer; a driver may take its time, so threads ask it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from webrepl_link.errors import TransportError
from webrepl_transports import _lines
from webrepl_transports.control import ControlLines, Signals

if TYPE_CHECKING:
    from collections.abc import Callable

    import serial

    from webrepl_transports._buffered import BufferedStream
    from webrepl_transports.uart import OpenPort

T = TypeVar("T")


class PortLines(ControlLines):
    """Requests on a port, one at a time."""

    def __init__(self, stream: BufferedStream, opened: OpenPort) -> None:
        self._stream = stream
        self._opened = opened
        self._turn = asyncio.Lock()

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """See `ControlLines.set_lines`."""
        await self._request("DTR and RTS", lambda port: _lines.set_lines(port, dtr=dtr, rts=rts))

    async def set_break(self, on: bool) -> None:
        """See `ControlLines.set_break`."""
        await self._request("break", lambda port: setattr(port, "break_condition", on))

    async def set_baud(self, baud: int) -> None:
        """See `ControlLines.set_baud`."""
        await self._request(f"{baud} baud", lambda port: self._opened.set_baud(baud))
        if self._stream.line_rate_baud is not None:
            self._stream.line_rate_baud = baud

    async def signals(self) -> Signals:
        """See `ControlLines.signals`."""
        return await self._request("its signals", lambda port: Signals(port.cts, port.dsr, port.ri, port.cd))

    async def _request(self, what: str, call: Callable[[serial.Serial], T]) -> T:
        async with self._turn:
            self._stream.raise_if_ended()
            try:
                return await asyncio.get_running_loop().run_in_executor(None, self._call, call)
            except Exception as error:  # whatever pySerial and its backends raise
                self._stream.raise_if_ended()
                raise TransportError(f"{self._opened.device} refuses {what}: {error}") from error

    def _call(self, call: Callable[[serial.Serial], T]) -> T:
        with self._opened.in_use:
            return call(self._opened.port)
