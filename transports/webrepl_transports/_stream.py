"""The one interface that every transport offers: bytes, in order, in both directions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webrepl_transports.control import ControlLines


class ByteStream(ABC):
    """An open wire.

    One task may receive and others may send at the same time; sends go out one after the other, in the order in
    which they were called. A cancelled `receive` loses no bytes; of a cancelled `send` all goes out or nothing.
    After the end every call raises the same error again, and `aclose` may be called any number of times.

    Attributes:
        description: how to name this wire to a person, such as "/dev/ttyUSB0 at 115200 baud".
        reliable: whether the wire itself keeps bytes from getting lost (TCP does, a UART does not).
        line_rate_baud: bits per second on the line, 10 of them to a byte; None if there is no such limit.
        control: DTR, RTS, break and speed, of a wire that has such; None for another.
    """

    description: str
    reliable: bool
    line_rate_baud: int | None
    control: ControlLines | None = None

    @abstractmethod
    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Return the next bytes, at least one, as soon as there are any.

        Raises:
            EndOfStreamError: the other side closed the stream in good order.
            BrokenError: the stream ended otherwise, or was closed on this side.
        """

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Hand all of `data` to the operating system, at once, waiting while the wire's own buffer is full.

        Raises:
            BrokenError: the stream has ended.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close the wire and free what it holds; a waiting `receive` or `send` raises BrokenError."""
