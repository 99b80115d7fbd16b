"""Where a connection to another bridge and the pure cores meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webrepl_link.errors import BrokenError

from ..protocol.relayed_terminal import RelayedTerminal
from .wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrepl_transports.websocket import WebSocket


TOLD_MAX = 64
"""Records that wait for whoever asked for them; there is never more than one on the way."""


class BridgeWire(Wire):
    """One connection to the other bridge, logged in: text is the terminal's, the rest are records.

    Args:
        websocket: the connection; closed by its owner.
        on_output: called with the terminal's bytes.

    Attributes:
        terminal: the core that types. After changing it, call `kick`.
        sessions: there is one only.
        told: binary messages that have come.
    """

    def __init__(self, websocket: WebSocket, on_output: Callable[[bytes], None]) -> None:
        super().__init__()
        self.terminal = RelayedTerminal()
        self.sessions = 1
        self.told: list[bytes] = []
        self._websocket = websocket
        self._on_output = on_output
        self._records: list[bytes] = []

    async def _receive(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message.is_text:
                self.terminal.receive_data(message.data)
                self._on_output(message.data)
            elif len(self.told) < TOLD_MAX:
                self.told.append(message.data)
            else:
                raise BrokenError(f"{self._websocket.description} sends records that nobody has asked for")
            self._changed.set()

    async def _send(self) -> None:
        while True:
            self._work.clear()
            if data := self.terminal.data_to_send():
                await self._websocket.send_text(data)
            while self._records:
                await self._websocket.send_binary(self._records[0])
                del self._records[0]
                self._changed.set()
            self._changed.set()
            await self._work.wait()

    @property
    def waiting_bytes(self) -> int:
        """How much of the records has not been sent."""
        return sum(map(len, self._records))

    def tell(self, data: bytes) -> None:
        """Send a record, or a part of one."""
        self._records.append(data)
        self.kick()

    def tell_control(self, data: bytes) -> None:
        """Nothing: WebREPL has no control messages."""
