"""Which pages may talk to the bridge."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from fake_board import FakeBoard
from serving import serving
from webrepl_bridge.frontends.guard import Guard

HERE = "192.168.1.5:8266"


def status(headers: dict[str, str], *allowed: str, kind: str = "http") -> int:
    async def test() -> int:
        sent: list[dict[str, Any]] = []
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": kind, "path": "/", "method": "GET", "headers": raw}
        scope["extensions"] = {"websocket.http.response": {}}

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await PlainTextResponse("in")({**scope, "type": "http"}, receive, send)

        await Guard(app, allowed)(scope, receive, send)
        return int(sent[0]["status"])

    return asyncio.run(test())


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "echo.websocket.org"},  # webrepl_cli.py
        {},
        {"Host": HERE, "Origin": f"http://{HERE}"},
        {"Host": "[::1]:8266", "Origin": "http://[::1]:8266"},
        {"Host": "bench:8266", "Origin": "http://bench:8266"},
        {"Host": "Bench.local:8266", "Origin": "http://bench.local:8266"},
        {"Host": HERE, "Origin": "null"},
        {"Host": HERE, "Origin": "file://"},
        {"Host": HERE, "Origin": "http://micropython.org"},
    ],
)
def test_clients_and_pages_that_are_let_in(headers: dict[str, str]) -> None:
    assert status(headers, kind="websocket") == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": HERE, "Origin": "http://example.com"},
        {"Host": HERE, "Origin": "http://192.168.1.5"},  # another port is another origin
        {"Host": "rebound.example.com:8266", "Origin": "http://rebound.example.com:8266"},
        {"Host": HERE, "Origin": "http://micropython.org.example.com"},
        {"Host": HERE, "Origin": "http://[bad"},
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_pages_that_are_not(headers: dict[str, str], kind: str) -> None:
    assert status(headers, kind=kind) == 403


def test_the_operator_decides() -> None:
    page = {"Host": HERE, "Origin": "https://lab.example.com"}
    assert status(page, "https://lab.example.com/", kind="websocket") == 200
    assert status(page, "https://other.example.com", kind="websocket") == 403
    assert status({"Host": "lab.example.com"}, "https://lab.example.com") == 200
    assert status({"Host": "rebound.example.com"}, "*") == 200


def test_a_rebound_name_gets_no_page() -> None:
    assert status({"Host": "rebound.example.com:8266"}) == 403
    assert status({"Host": "localhost:8266"}) == 200


def test_in_front_of_the_application(caplog: pytest.LogCaptureFixture) -> None:
    async def handshake(origin: str) -> bytes:
        async with serving(FakeBoard()) as running:
            reader, writer = await asyncio.open_connection(running.host, running.port)
            writer.write(
                f"GET / HTTP/1.1\r\nHost: {running.host}:{running.port}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: foo\r\nOrigin: {origin}\r\n\r\n".encode()
            )
            try:
                return await reader.readline()
            finally:
                writer.close()

    assert b" 403 " in asyncio.run(handshake("http://example.com"))
    assert "--allow-origin http://example.com" in caplog.text
    assert b" 101 " in asyncio.run(handshake("null"))
