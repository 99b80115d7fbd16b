"""Which pages may talk to the bridge: an Origin allow-list, and a Host check against DNS rebinding.

A browser says in `Origin` which page wants something (RFC 6454), and in `Host` by which name it found the bridge.
Programs such as webrepl_cli.py send no Origin, and any Host: they need no page's leave, so nothing is asked of them.
docs/security.md says what this protects, and what it does not.
"""

from __future__ import annotations

import logging
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

log = logging.getLogger(__name__)

ALWAYS_ALLOWED = frozenset({"null", "file://", "http://micropython.org", "https://micropython.org"})
"""Pages opened from disk (`null` in most browsers), and the firmware's own hosted page."""


class Guard:
    """An ASGI application in front of another, which refuses what a page of another origin asks.

    Args:
        app: what is guarded.
        allow_origins: origins beside the bridge's own, such as `https://lab.example.com`; `*` for any.
    """

    def __init__(self, app: ASGIApp, allow_origins: Iterable[str] = ()) -> None:
        self._app = app
        self._origins = ALWAYS_ALLOWED | {origin.rstrip("/").lower() for origin in allow_origins}
        self._hosts = {urlsplit(origin).hostname for origin in self._origins} | _own_names()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: 403 with a line that says why, or whatever the application answers."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        reason = self._objection(headers, websocket=scope["type"] == "websocket")
        if reason is None:
            await self._app(scope, receive, send)
            return
        log.warning("refused %s: %s", scope["path"], reason)
        refusal = PlainTextResponse(f"{reason}\n", 403)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(refusal)
        else:
            await refusal(scope, receive, send)

    def _objection(self, headers: Headers, *, websocket: bool) -> str | None:
        """Say what is wrong with a request, or nothing."""
        host, origin = headers.get("host", "").lower(), headers.get("origin", "").lower()
        if "*" in self._origins or (websocket and not origin):
            return None
        if origin in self._origins:
            return None
        if origin and origin not in (f"http://{host}", f"https://{host}"):
            return f"pages of {origin} may not use this bridge; --allow-origin {origin} lets them"
        name = _name_of(host)
        if not (_is_address(name) or _is_local(name) or name in self._hosts):
            return f"this bridge is not known as {name}; --allow-origin http://{host} makes it so"
        return None


def _name_of(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host


def _is_address(name: str) -> bool:
    # No one can make a name of their own out of an address.
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_local(name: str) -> bool:
    # A rebinding page needs a name in the public DNS, which has a dot and none of these endings.
    return "." not in name or name.endswith((".localhost", ".local"))


def _own_names() -> set[str | None]:
    return {socket.gethostname().lower(), socket.getfqdn().lower()}
