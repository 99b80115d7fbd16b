"""The page at `/`: what `npm run build` makes of bridge/page, from memory, with headers that keep it to itself."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

FILES = Path(__file__).with_name("page_files")
"""The built page; it comes with an installed package, and is made by the build in a checkout."""

NOT_BUILT = (
    "The page is not built here, because Node.js 20.19 or newer was missing when the bridge was installed.\n"
    "With it, in the checkout: make page    (or: cd bridge/page && npm ci && npm run build)\n"
    "WebREPL clients are served all the same, at this address with ws:// in front.\n"
)

HEADERS = {
    # Styles may be inline: xterm.js makes its own while it runs. Nothing may come from, or go to, another host.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

HTTPS_HEADERS = {"Cross-Origin-Opener-Policy": "same-origin"}
"""Browsers complain about these without TLS."""

CONTENT_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

FOR_EVER = "public, max-age=31536000, immutable"
"""For files whose name has their content's hash in it."""


def page_routes(files: Path = FILES) -> list[BaseRoute]:
    """The routes of the page: `/`, and `/assets/NAME` for what it loads.

    Args:
        files: the folder that the build made; it need not be there.
    """

    async def index(request: Request) -> Response:
        return _answer(request, files / "index.html", "no-cache") or PlainTextResponse(NOT_BUILT, 503, HEADERS)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]  # one segment: Starlette lets no slash in
        if answer := _answer(request, files / "assets" / name, FOR_EVER):
            return answer
        raise HTTPException(404)

    return [Route("/", index), Route("/assets/{name}", asset)]


def _answer(request: Request, file: Path, cache_control: str) -> Response | None:
    content_type = CONTENT_TYPES.get(file.suffix)
    if content_type is None or not file.is_file():
        return None
    packed = "gzip" in request.headers.get("Accept-Encoding", "")
    headers = HEADERS | {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    if request.url.scheme == "https":
        headers |= HTTPS_HEADERS
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(_content(file, file.stat().st_mtime_ns, packed=packed), 200, headers, content_type)


@cache
def _content(file: Path, _changed_ns: int, *, packed: bool) -> bytes:
    content = file.read_bytes()
    return gzip.compress(content) if packed else content
