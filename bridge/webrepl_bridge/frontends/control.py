"""The boards over HTTP: `GET /boards`, and `POST /boards/NAME/ACTION` with the password.

The password goes as in `curl -u :PASSWORD` (the user's name does not matter) or as a bearer token. Without it
`GET /boards` says no more than the page of the bridge needs.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from webrepl_link.errors import BoardError, TransportError

from ..session import Action, Session
from .addresses import client_address
from .authorization import demand, judge

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from ..lab.lab import Lab
    from .neighbours import Neighbours
    from .passwords import PasswordGate

TAKEOVER = "takeover"
ACTIONS = (*(action.value for action in Action), TAKEOVER)


def control_routes(lab: Lab, gate: PasswordGate, board: str, neighbours: Neighbours | None) -> list[BaseRoute]:
    """The routes.

    Args:
        lab: the boards.
        gate: who is let in.
        board: which board is at `/`; "" for the lab's default.
        neighbours: the other bridges on the network; None if they are not looked for.
    """

    async def boards(request: Request) -> Response:
        tell = _outline if await judge(request, gate) is None else _describe
        listed = [tell(session) for session in lab.sessions.values()]
        state: dict[str, Any] = {"default": board or lab.default, "boards": listed}
        if neighbours is not None:
            state["bridges"] = [asdict(neighbour) for neighbour in neighbours.listed()]
        return JSONResponse(state, headers={"Cache-Control": "no-store"})

    async def act(request: Request) -> Response:
        verdict = await demand(request, gate)
        if verdict.watches_only:
            raise HTTPException(403, "who may only watch may not do this")
        name, action = request.path_params["name"], request.path_params["action"]
        session = lab.sessions.get(name)
        if session is None:
            raise HTTPException(404, f"there is no board {name}")
        if action not in ACTIONS:
            raise HTTPException(404, f"there is no action {action}, but {', '.join(ACTIONS)}")
        try:
            await _act(session, action, client_address(request), disconnect="disconnect" in request.query_params)
        except BoardError as error:
            return PlainTextResponse(f"{error}\n", 503 if session.board is None else 409)
        except TransportError as error:
            return PlainTextResponse(f"{error}\n", 502)
        return PlainTextResponse("done\n")

    return [Route("/boards", boards), Route("/boards/{name}/{action}", act, methods=["POST"])]


async def _act(session: Session, action: str, by: str, *, disconnect: bool) -> None:
    if action != TAKEOVER:
        await session.control(Action(action), by)
        return
    if disconnect:
        session.dismiss(f"taken over by {by}")
    if session.board is not None:
        await session.take_over(f"taken over by {by}")


def _outline(session: Session) -> dict[str, Any]:
    return {"name": session.name, "connected": session.board is not None, "clients": len(session.clients)}


def _describe(session: Session) -> dict[str, Any]:
    now_s = asyncio.get_running_loop().time()
    board, holder, counters = session.board, session.holder, session.counters
    version = board.known_version if board is not None else None
    return _outline(session) | {
        "on": board.description if board is not None else None,
        "absence": session.absence if board is None else None,
        "mode": board.mode.value if board is not None else None,
        "version": ".".join(map(str, version)) if version is not None else None,
        "attached": [{"name": client.name, "watches_only": client.watches_only} for client in session.everyone],
        "holder": holder.name if holder is not None else None,
        "files": [
            {"kind": one.kind, "name": one.name, "client": one.client, "since_s": round(now_s - one.since_s, 3)}
            for one in session.files.operations
        ],
        "counters": {
            "printed_bytes": counters.printed_bytes,
            "typed_bytes": counters.typed_bytes,
            "losses": counters.losses,
            "attached": counters.attached,
            "files": dict(session.files.done),
            "files_failed": session.files.failed,
        },
    }
