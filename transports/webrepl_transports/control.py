"""The wires of a serial port beside its data: DTR, RTS, break, speed, and what the other side signals back."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass

RESET_S = 0.2
BOOT_S = 0.1


@dataclass(frozen=True)
class Signals:
    """What the other side signals: true where the line is asserted."""

    cts: bool
    dsr: bool
    ri: bool
    cd: bool


class ControlLines(ABC):
    """What a stream can do with a serial port beside sending and receiving; `ByteStream.control` has it.

    Requests take effect in the order in which they were called, and may be made while others send and receive.
    """

    @abstractmethod
    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Assert or release DTR and RTS, both by one request where that can be had; None leaves one as it is.

        Raises:
            TransportError: the port refused; BrokenError if the stream has ended.
        """

    @abstractmethod
    async def set_break(self, on: bool) -> None:
        """Begin or end to hold the board's input in the break condition.

        Raises:
            TransportError: the port refused; BrokenError if the stream has ended.
        """

    @abstractmethod
    async def set_baud(self, baud: int) -> None:
        """Change the speed of the line, and the stream's `line_rate_baud` with it.

        Raises:
            TransportError: the port refused, and goes on as before; BrokenError if the stream has ended.
        """

    @abstractmethod
    async def signals(self) -> Signals:
        """Read the lines of the other side.

        Raises:
            TransportError: the port refused; BrokenError if the stream has ended.
        """


async def hard_reset(control: ControlLines) -> None:
    """Reset a board as esptool's hard reset does; one without that wiring does not notice. Takes 0.3 s.

    RTS pulls the reset line of the usual two transistors, DTR the boot pin; `_lines` has the table.

    Raises:
        TransportError: the port refused, or the stream has ended.
    """
    await control.set_lines(dtr=False, rts=True)
    await asyncio.sleep(RESET_S)
    await control.set_lines(rts=False)
    await asyncio.sleep(BOOT_S)
    await control.set_lines(dtr=True, rts=True)
