"""The page, the state, and what is said to everyone else; over HTTP."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import socket

import pytest

from clients.official import OfficialClient
from fake_board import FakeBoard
from serving import PASSWORD, Running, serving
from webrepl_bridge.frontends.app import bridge_version
from webrepl_bridge.frontends.server import open_listeners, serve


async def fetch(running: Running, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    def talk() -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(running.host, running.port, timeout=5)
        try:
            connection.request(method, path)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return response.status, headers, response.read()
        finally:
            connection.close()

    return await asyncio.to_thread(talk)


def get(path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    async def test() -> tuple[int, dict[str, str], bytes]:
        async with serving(FakeBoard(), name="lab1") as running:
            return await fetch(running, path, method)

    return asyncio.run(test())


def test_the_boards_are_listed() -> None:
    status, headers, body = get("/boards")
    assert status == 200
    assert headers["cache-control"] == "no-store"
    assert json.loads(body) == {"default": "lab1", "boards": [{"name": "lab1", "connected": True, "clients": 0}]}


def test_prometheus_is_served() -> None:
    status, headers, body = get("/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=")
    assert b'webrepl_board_connected{board="lab1"} 1.0' in body


def test_health() -> None:
    async def test() -> None:
        async with serving(FakeBoard(), name="lab1") as running:
            async with OfficialClient.connect(running.host, running.port) as client:
                await client.login(PASSWORD)
                await client.get_ver()
                status, headers, body = await fetch(running, "/health")
            assert status == 200
            assert headers["content-type"] == "application/json"
            assert headers["access-control-allow-origin"] == "*"
            assert json.loads(body) == {
                **{"status": "ok", "version": bridge_version()},
                **{"boards": 1, "connected": 1, "clients": 1},
            }

    asyncio.run(test())


@pytest.mark.parametrize(("path", "method", "status"), [("/lab1", "GET", 404), ("/x?y", "GET", 404), ("/", "PUT", 405)])
def test_everything_else_gets_one_plain_line(path: str, method: str, status: int) -> None:
    got, headers, body = get(path, method)
    assert got == status
    assert headers["content-type"].startswith("text/plain")
    assert body.count(b"\n") == 1
    assert b"/health" in body


def test_what_is_no_http_at_all(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with serving(FakeBoard()) as running:
            for garbage in (b"\x00\xff\r\n\r\n", b"WA\x03" + bytes(79) + b"\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"):
                reader, writer = await asyncio.open_connection(running.host, running.port)
                writer.write(garbage)
                assert b" 400 " in await reader.readline()
                writer.close()
            assert (await fetch(running, "/health"))[0] == 200

    with caplog.at_level(logging.ERROR):
        asyncio.run(test())
    assert caplog.records == []


def test_several_listens_and_a_cancelled_server() -> None:
    async def test() -> None:
        sockets: list[socket.socket] = [*open_listeners("127.0.0.1:0"), *open_listeners("127.0.0.2:0")]
        ready = asyncio.Event()

        async def app(scope: object, receive: object, send: object) -> None:
            raise AssertionError("no one asks")

        server = asyncio.create_task(serve(app, sockets, stop=asyncio.Event(), ready=ready.set))
        await ready.wait()
        addresses = [sock.getsockname()[:2] for sock in sockets]
        for host, port in addresses:
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
        server.cancel()
        with pytest.raises(asyncio.CancelledError):
            await server
        for host, port in addresses:
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(host, port)

    asyncio.run(test())
