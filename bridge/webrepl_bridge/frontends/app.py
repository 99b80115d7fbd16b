"""One ASGI application for all boards: the page and WebREPL at `/` and `/NAME`, REST, `/boards` and `/metrics`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from .control import control_routes
from .metrics import exposition
from .page import page_routes
from .rest import rest_routes
from .webrepl import serve_client

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.websockets import WebSocket

    from ..lab.lab import Lab
    from ..session import Session
    from .dial_in import DialIn
    from .neighbours import Neighbours
    from .passwords import PasswordGate


def create_app(
    lab: Lab,
    gate: PasswordGate,
    *,
    board: str = "",
    dial_in: DialIn | None = None,
    neighbours: Neighbours | None = None,
) -> Starlette:
    """Make the application.

    Args:
        lab: the boards; clients find each at `/` + its name.
        gate: who is let in.
        board: which board is at `/`; "" for the lab's default.
        dial_in: lets boards in that call; None: none may.
        neighbours: knows other bridges; None if nobody looks for them.
    """

    def find(name: str) -> Session | None:
        return lab.find(name or board)

    async def health(_: Request) -> Response:
        sessions = lab.sessions.values()
        state = {
            "status": "ok",
            "version": bridge_version(),
            "boards": len(sessions),
            "connected": sum(session.board is not None for session in sessions),
            "clients": sum(len(session.clients) for session in sessions),
        }
        return JSONResponse(state, headers={"Access-Control-Allow-Origin": "*"})

    async def metrics(request: Request) -> Response:
        body, content_type = exposition(lab.sessions, bridge_version(), request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    async def webrepl(websocket: WebSocket) -> None:
        session = find(websocket.path_params["name"])
        if session is not None:
            await serve_client(websocket, session, gate)
        else:
            await websocket.send_denial_response(PlainTextResponse(_which(lab), 404))

    async def refuse(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        line = f"{error.detail}. The WebREPL page is at /, the bridge's state at /health.\n"
        return PlainTextResponse(line, error.status_code, error.headers)

    return Starlette(
        routes=[
            *page_routes(),
            Route("/health", health),
            *control_routes(lab, gate, board, neighbours),
            Route("/metrics", metrics),
            *rest_routes(lab, gate, board, neighbours),
            *([WebSocketRoute(f"{dial_in.path}/{{name}}", dial_in.accept)] if dial_in else []),
            WebSocketRoute("/{name:path}", webrepl),
        ],
        exception_handlers={HTTPException: refuse},
    )


def _which(lab: Lab) -> str:
    """Say which boards there are to someone who has asked for another one, or for none of several."""
    names = ", ".join(f"/{name}" for name in lab.sessions)
    return f"There is no board here; {f'there are {names}' if names else 'none is served at all'}.\n"


def bridge_version() -> str:
    """The installed version of the bridge; "unknown" where it runs from its sources."""
    try:
        return version("webrepl-bridge")
    except PackageNotFoundError:
        return "unknown"
