"""How the page is served; what it does is in tests/page."""

from __future__ import annotations

import asyncio
import gzip
import http.client
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette

from webrepl_bridge.frontends.page import page_routes
from webrepl_bridge.frontends.server import open_listeners, serve

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = b"start();" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(b"<title>page</title>")
    (tmp_path / "assets" / "main-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / ".env").write_bytes(b"secret")
    return tmp_path


def get(files: Path, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    def fetch(port: int) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    async def test() -> tuple[int, dict[str, str], bytes]:
        sockets = open_listeners("127.0.0.1:0")
        port = sockets[0].getsockname()[1]
        stop, ready = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(Starlette(routes=page_routes(files)), sockets, stop=stop, ready=ready.set))
            await ready.wait()
            try:
                return await asyncio.to_thread(fetch, port)
            finally:
                stop.set()

    return asyncio.run(test())


def test_the_page_keeps_to_itself(built: Path) -> None:
    status, headers, body = get(built, "/")
    assert (status, body) == (200, b"<title>page</title>")
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-content-type-options"] == "nosniff"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    assert "//" not in policy


def test_what_the_page_loads_is_compressed_and_kept(built: Path) -> None:
    status, headers, body = get(built, "/assets/main-1a2b.js", {"Accept-Encoding": "br, gzip"})
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(body) == SCRIPT
    assert "immutable" in headers["cache-control"]
    status, headers, body = get(built, "/assets/main-1a2b.js")
    assert (status, body) == (200, SCRIPT)
    assert "content-encoding" not in headers


@pytest.mark.parametrize("name", ["missing.js", ".env", "..%2Findex.html", "%2e%2e/index.html", "..", "main-1a2b.js/x"])
def test_nothing_else_is_there(built: Path, name: str) -> None:
    assert get(built, f"/assets/{name}")[0] == 404


def test_a_page_that_is_not_built_says_how(tmp_path: Path) -> None:
    status, headers, body = get(tmp_path, "/")
    assert status == 503
    assert headers["content-type"].startswith("text/plain")
    assert b"make page" in body
