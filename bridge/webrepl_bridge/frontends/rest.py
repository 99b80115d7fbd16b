"""The boards over HTTP as CircuitPython's web workflow has them: `/NAME/fs/…` for files, `/NAME/cp/…` for the rest.

Without a name stands the board at `/`: requests are sent on to the board's own address, so that what a client keeps of
it stays true when another board becomes the default. An address that listens for one board is that board's own.

Source: CircuitPython docs/workflows.md, supervisor/shared/web_workflow/web_workflow.c.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from webrepl_link.errors import BoardError, TransportError

from ..protocol.web_workflow import WEB_API_VERSION, disk_info
from . import rest_files
from .authorization import demand, judge
from .rest_serial import serve_terminal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.websockets import WebSocket

    from ..lab.lab import Lab
    from ..session import Session
    from .neighbours import Neighbours
    from .passwords import PasswordGate

# Whoever asks has passed the Guard. No credentials: a page gives the password itself, not the browser for it.
SHARED = Middleware(
    CORSMiddleware,
    allow_origins=["*"],
    allow_methods=(*rest_files.METHODS, "OPTIONS"),
    allow_headers=["*"],
    expose_headers=["ETag", "Content-Range"],
)


def rest_routes(lab: Lab, gate: PasswordGate, board: str, neighbours: Neighbours | None) -> list[BaseRoute]:
    """The routes.

    Args:
        lab: the boards.
        gate: who is let in.
        board: which board is at `/`; "" for the lab's default.
        neighbours: the other bridges on the network; None if they are not looked for.
    """

    def find(name: str) -> Session:
        session = lab.find(name or board)
        if session is None:
            raise HTTPException(404, f"there is no board {name}".rstrip())
        return session

    def at_own_address(
        path: str,
        handle: Callable[[Request, Session], Awaitable[Response]],
        own_methods: Sequence[str] = ("GET", "HEAD"),
    ) -> Route:
        methods = (*own_methods, "OPTIONS")

        async def handle_or_send_on(request: Request) -> Response:
            if request.method == "OPTIONS":  # not sent on, as browsers do not follow; and without the password
                allowed = ", ".join(methods)
                return Response(status_code=204, headers={"Allow": allowed, "Access-Control-Allow-Methods": allowed})
            name = request.path_params.get("name", "")
            session = find(name)
            if name or board:
                return await handle(request, session)
            own = f"/{session.name}" + request.scope["raw_path"].decode("ascii")
            query = f"?{request.url.query}" if request.url.query else ""
            # A RedirectResponse would encode the path a second time.
            return Response(status_code=307, headers={"Location": own + query})

        return Route(path, handle_or_send_on, methods=methods, middleware=[SHARED])

    async def files(request: Request, session: Session) -> Response:
        await _demand_all(request, gate)
        return await rest_files.answer(request, session)

    async def disk(request: Request, session: Session) -> Response:
        await _demand_all(request, gate)
        return JSONResponse(disk_info(await rest_files.board_space(request, session)))

    async def version(request: Request, session: Session) -> Response:
        verdict = await judge(request, gate)
        return JSONResponse(await _version(request, session, may_ask=verdict is not None and not verdict.watches_only))

    async def devices(request: Request, session: Session) -> Response:
        others = [_device(request, other.name) for other in lab.sessions.values() if other is not session]
        if neighbours is not None:
            others += [_far_device(neighbour.name, neighbour.url) for neighbour in neighbours.listed()]
        return JSONResponse({"total": len(others), "devices": others})

    async def page(_: Request, __: Session) -> Response:
        return RedirectResponse("/")

    async def terminal(websocket: WebSocket) -> None:
        try:
            await serve_terminal(websocket, find(websocket.path_params.get("name", "")), gate)
        except HTTPException as error:
            refused = PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
            await websocket.send_denial_response(refused)

    return [
        route
        for prefix in ("", "/{name}")
        for route in (
            at_own_address(f"{prefix}/fs/{{path:path}}", files, rest_files.METHODS),
            at_own_address(f"{prefix}/cp/version.json", version),
            at_own_address(f"{prefix}/cp/devices.json", devices),
            at_own_address(f"{prefix}/cp/diskinfo.json", disk),
            at_own_address(f"{prefix}/cp/serial/", page),
            WebSocketRoute(f"{prefix}/cp/serial/", terminal),
        )
    ]


async def _demand_all(request: Request, gate: PasswordGate) -> None:
    """Let in who has the password, and does not have a browser use it for another page's picture.

    Raises:
        HTTPException: who is not let in.
    """
    foreign = request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin")
    if foreign and request.headers.get("Sec-Fetch-Mode") == "no-cors":
        raise HTTPException(403, "this is no picture for another page")
    if (await demand(request, gate)).watches_only:
        raise HTTPException(403, "who may only watch may not do this")


async def _version(request: Request, session: Session, *, may_ask: bool) -> dict[str, Any]:
    board = session.board
    version = board.known_version if board is not None else None
    if version is None and board is not None and may_ask:
        try:
            version = await board.version()
        except (BoardError, TransportError):
            version = None
    device = _device(request, session.name)
    return {
        "web_api_version": WEB_API_VERSION,
        "version": ".".join(map(str, version or (0, 0, 0))),
        "build_date": "",
        "board_name": session.name,
        "mcu_name": "",
        "board_id": session.name,
        "creator_id": 0,
        "creation_id": 0,
        **{key: device[key] for key in ("hostname", "port", "ip")},
    }


def _device(request: Request, name: str) -> dict[str, Any]:
    """A board of this bridge; `url` is ours: several boards share an address."""
    ip, port = request.scope["server"]
    hostname = socket.gethostname().partition(".")[0]
    return {"hostname": hostname, "instance_name": name, "port": port, "ip": ip, "url": f"{request.base_url}{name}/"}


def _far_device(name: str, url: str) -> dict[str, Any]:
    place = urlsplit(url)
    return {"hostname": place.hostname, "instance_name": name, "port": place.port, "ip": place.hostname, "url": url}
