"""What a client sees goes to its connection at once, and waits in the client while that does not take it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from starlette.websockets import WebSocket

from webrepl_bridge.frontends.dialects import SOCKET
from webrepl_bridge.frontends.screen import showing
from webrepl_bridge.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable


class Socket:
    """Takes messages while it is told to."""

    def __init__(self) -> None:
        self.is_ready = True
        self.on_ready: Callable[[], None] = lambda: None
        self.sent: list[str] = []
        self.something_sent = asyncio.Event()

    def send_texts(self, messages: tuple[str, ...]) -> None:
        self.sent += messages
        self.something_sent.set()


def over(socket: Socket) -> WebSocket:
    async def nothing(*_: object) -> Any: ...

    return WebSocket({"type": "websocket", "state": {SOCKET: socket}}, nothing, nothing)


def test_at_once_and_no_longer_than_the_block() -> None:
    async def test() -> None:
        socket = Socket()
        with Session("lab1").attach("here") as client:
            client.show("before")
            with showing(client, over(socket)):
                client.show("1\r\n>>> ")
            client.show("after")
            socket.on_ready()
            assert client.take() == "after"
        assert "".join(socket.sent) == "\r\n[lab1: not connected]\r\nbefore1\r\n>>> "
        assert socket.sent[-3:] == ["1", "\r\n", ">>> "]

    asyncio.run(test())


def test_what_the_connection_does_not_take_waits_in_the_client() -> None:
    async def test() -> None:
        socket = Socket()
        with Session("lab1").attach("here") as client, showing(client, over(socket)):
            socket.sent.clear()
            socket.is_ready = False
            pieces = [f"{number:7}," for number in range(5_000)]
            for piece in pieces:
                client.show(piece)
            assert not socket.sent
            socket.is_ready = True
            socket.on_ready()
        assert "".join(socket.sent) == "".join(pieces)
        assert max(map(len, socket.sent)) == 16_000

    asyncio.run(test())


def test_the_first_part_of_a_line_end_waits_for_its_rest_but_not_for_ever() -> None:
    async def test() -> None:
        socket = Socket()
        with Session("lab1").attach("here") as client, showing(client, over(socket)):
            for text, sent in (("1\r", ["1"]), ("\n", ["\r\n"]), ("50%\r", ["50%"])):
                socket.sent.clear()
                client.show(text)
                assert socket.sent == sent
            socket.is_ready = False  # a few characters need no room
            socket.something_sent.clear()
            await socket.something_sent.wait()
            assert socket.sent == ["50%", "\r"]

    asyncio.run(test())
