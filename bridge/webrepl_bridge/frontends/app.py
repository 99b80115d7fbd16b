"""One ASGI application for one board: the page at `/`, `/health`, and WebREPL at `/` and `/NAME`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from .page import page_routes
from .webrepl import serve_client

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from ..session import Session
    from .passwords import PasswordGate


def create_app(session: Session, gate: PasswordGate) -> Starlette:
    """Make the application.

    Args:
        session: the board's session; clients find it at `/` and at `/` + its name.
        gate: who is let in.
    """

    async def health(_: Request) -> Response:
        state = {
            "status": "ok",
            "board": session.name,
            "version": bridge_version(),
            "clients": len(session.clients),
        }
        return JSONResponse(state, headers={"Access-Control-Allow-Origin": "*"})

    async def webrepl(websocket: WebSocket) -> None:
        name = websocket.path_params.get("name", "")
        if name in ("", session.name):
            await serve_client(websocket, session, gate)
        else:
            line = f"There is no board here by that name; {session.name!r} is the one there is.\n"
            await websocket.send_denial_response(PlainTextResponse(line, 404))

    async def refuse(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        line = f"{error.detail}. The WebREPL page is at /, the bridge's state at /health.\n"
        return PlainTextResponse(line, error.status_code, error.headers)

    return Starlette(
        routes=[
            *page_routes(),
            Route("/health", health),
            WebSocketRoute("/{name:path}", webrepl),
        ],
        exception_handlers={HTTPException: refuse},
    )


def bridge_version() -> str:
    """The installed version of the bridge; "unknown" where it runs from its sources."""
    try:
        return version("webrepl-bridge")
    except PackageNotFoundError:
        return "unknown"
