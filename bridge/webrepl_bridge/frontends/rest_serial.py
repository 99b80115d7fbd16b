"""A board's terminal as CircuitPython's web workflow has it: a WebSocket of text, the password in its handshake."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, NoReturn

from starlette.exceptions import HTTPException
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..session import Client, ClientEndedError, Session
from .addresses import client_address
from .authorization import demand
from .guard import ALWAYS_ALLOWED
from .screen import showing
from .typist import Typist
from .webrepl import close_code, close_websocket, first_of, take_back

if TYPE_CHECKING:
    from .passwords import PasswordGate

log = logging.getLogger(__name__)


async def serve_terminal(websocket: WebSocket, session: Session, gate: PasswordGate) -> None:
    """Serve one client from its handshake to its end; raises nothing for what a client does after the handshake.

    Raises:
        HTTPException: the password is missing or wrong, the page is a stranger's, or there are too many clients.
    """
    # A browser gives the password that it knows by itself, for a page that need not know it.
    if websocket.headers.get("Origin", "").lower() in ALWAYS_ALLOWED:
        raise HTTPException(403, "a page from elsewhere may use the WebREPL at / only")
    verdict = await demand(websocket, gate)
    if session.is_full:
        raise HTTPException(503, f"{session.name} takes no more clients now")
    await websocket.accept()
    goodbye: Exception | None = None
    client: Client[str] | None = None
    try:
        with session.attach(client_address(websocket), watches_only=verdict.watches_only) as client:
            typist = Typist(client)
            with showing(client, websocket):
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(_listen(websocket, typist))
                    tasks.create_task(typist.run())
                    await client.fall_behind()  # not a task, as in boards/wire.py
    except* WebSocketDisconnect:
        pass
    except* ClientEndedError as group:
        goodbye = first_of(group)
    finally:
        if client is not None:
            await take_back(session, client)
    if goodbye is not None:
        await close_websocket(websocket, close_code(goodbye), str(goodbye))


async def _listen(websocket: WebSocket, typist: Typist) -> NoReturn:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
        text: str | None = message.get("text")
        data: bytes = message.get("bytes") or b""
        await typist.add_when_there_is_space(data if text is None else text.encode("utf-8", "surrogateescape"))
