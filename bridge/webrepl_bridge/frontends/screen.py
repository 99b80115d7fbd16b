"""What one client sees: the shortest way from what a board prints to the client's connection."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..protocol.text_frames import HOLD_MS, TextFrames
from .dialects import SOCKET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.websockets import WebSocket

    from ..session import Client
    from .dialects import WebReplWebSocket


@contextmanager
def showing(client: Client[str], websocket: WebSocket) -> Iterator[None]:
    """Send `client` what it is shown, until the block ends.

    No task waits for it, which would take longer than all the rest of the way: the session calls, and the connection.
    What the connection does not take yet waits in the client.
    """
    socket: WebReplWebSocket = websocket.scope["state"][SOCKET]
    screen = _Screen(client, socket)
    before = client.on_news, socket.on_ready
    client.on_news = socket.on_ready = screen.update
    try:
        screen.update()
        yield
    finally:
        client.on_news, socket.on_ready = before
        screen.hold_no_longer()


class _Screen:
    def __init__(self, client: Client[str], socket: WebReplWebSocket) -> None:
        self._client = client
        self._socket = socket
        self._frames = TextFrames()
        self._flushing: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def update(self) -> None:
        while self._socket.is_ready and (text := self._client.take()):
            self.hold_no_longer()
            self._socket.send_texts(self._frames.cut(text))
            if self._frames.holding:
                self._flushing = self._loop.call_later(HOLD_MS / 1000, self._flush)

    def hold_no_longer(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None

    def _flush(self) -> None:
        self._flushing = None
        self._socket.send_texts(self._frames.flush())
