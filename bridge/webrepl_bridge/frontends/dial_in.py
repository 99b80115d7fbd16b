"""Boards that call the bridge: a WebSocket at `/dial-in/NAME`, which carries the link of the board's shim.

They know a token. A board appears under the name that it calls with, and stays there when it is gone, as any board
does. One that calls again takes the place of its former connection, which may be dead and not know it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocketDisconnect
from websockets.frames import CloseCode

from webrepl_link.errors import BrokenError, EndOfStreamError, TransportError, WebReplError
from webrepl_transports import ByteStream

from ..boards.linked import LinkedBoard
from ..lab.naming import is_name
from .addresses import client_address

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from ..lab.lab import Lab
    from .passwords import PasswordGate

log = logging.getLogger(__name__)

PATH = "/dial-in"


class DialIn:
    """Lets boards in.

    Args:
        lab: where they appear.
        gate: who knows the token.
        path: where they call: at this path, `/` and their name.
    """

    def __init__(self, lab: Lab, gate: PasswordGate, path: str = PATH) -> None:
        self.path = path
        self._lab = lab
        self._gate = gate
        self._calls: dict[str, _Call] = {}

    async def accept(self, websocket: WebSocket) -> None:
        """Serve one call from its handshake to its end; raises nothing for what a board does."""
        name = websocket.path_params["name"]
        address = client_address(websocket)
        if not await self._knows_token(websocket, address):
            await _refuse(websocket, 401, "the token is wrong: it is what the bridge was started with")
        elif not is_name(name):
            await _refuse(websocket, 404, f"{name!r} cannot be a board's name: letters, digits, '.', '-' and '_'")
        elif self._lab.admit(name) is None:
            await _refuse(websocket, 409, f"there is another board called {name!r}, which this bridge opens by itself")
        else:
            await websocket.accept()
            stream = _Call(websocket, f"a call from {address}")
            try:
                await self._serve(name, stream)
            except Exception:
                log.exception("%s: serving the board failed", name)
            finally:
                await stream.aclose()

    async def _knows_token(self, websocket: WebSocket, address: str) -> bool:
        scheme, _, token = websocket.headers.get("authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else ""
        now_ms = int(asyncio.get_running_loop().time() * 1000)
        verdict = self._gate.check(given.encode("utf-8", "surrogateescape"), address, now_ms)
        await asyncio.sleep(verdict.delay_ms / 1000)
        return verdict.right

    async def _serve(self, name: str, stream: _Call) -> None:
        while (before := self._calls.get(name)) is not None:
            await before.end("the board has called again")
            await before.over.wait()
        if (session := self._lab.admit(name)) is None:
            return  # the operator has just given the name to another board
        self._calls[name] = stream
        board = LinkedBoard(stream)
        board.description = stream.description
        try:
            with session.serve(board):
                await board.run()
        except WebReplError as error:
            session.lose_board(str(error))
        finally:
            del self._calls[name]
            stream.over.set()


async def _refuse(websocket: WebSocket, status: int, reason: str) -> None:
    log.warning("%s calls at %s: %s", client_address(websocket), websocket.url.path, reason)
    await websocket.send_denial_response(PlainTextResponse(f"{reason}\n", status))


class _Call(ByteStream):
    """The bytes of the link, in binary messages.

    Attributes:
        over: set when nothing uses it any more.
    """

    reliable = True
    line_rate_baud = None

    def __init__(self, websocket: WebSocket, description: str) -> None:
        self.description = description
        self.over = asyncio.Event()
        self._websocket = websocket
        self._data = b""
        self._end: TransportError | None = None

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """See ByteStream."""
        while not self._data:
            self._raise_if_ended()
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                is_goodbye = message.get("code") in (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY)
                error = EndOfStreamError if is_goodbye else BrokenError
                self._end = self._end or error(f"{self.description} has ended")
            else:
                self._data = message.get("bytes") or b""
        data, self._data = self._data[:max_bytes], self._data[max_bytes:]
        return data

    async def send(self, data: bytes) -> None:
        """See ByteStream."""
        self._raise_if_ended()
        try:
            await self._websocket.send_bytes(data)
        except (WebSocketDisconnect, RuntimeError):  # what starlette raises once it has seen the end
            raise BrokenError(f"{self.description} has ended") from None

    async def aclose(self) -> None:
        """See ByteStream."""
        await self.end(f"{self.description} was closed on this side")

    async def end(self, reason: str) -> None:
        """Close the connection, unless it has ended."""
        if self._end is None:
            self._end = BrokenError(reason)
            with contextlib.suppress(WebSocketDisconnect):
                await self._websocket.close(CloseCode.GOING_AWAY, reason)

    def _raise_if_ended(self) -> None:
        if self._end is not None:
            raise type(self._end)(*self._end.args)
