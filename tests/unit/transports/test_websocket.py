"""WebSocket connections: messages of any bytes, ends told apart, and one line for each way in which opening fails."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from stream_kit import in_loop
from webrepl_transports import AddressError, BrokenError, EndOfStreamError, OpenError, open_stream
from webrepl_transports import websocket as module
from webrepl_transports.websocket import Message, WebSocket, open_websocket

Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, **options: Any) -> AsyncIterator[int]:
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        yield next(iter(server.sockets)).getsockname()[1]


@asynccontextmanager
async def opened(handler: Handler, *subprotocols: str, **options: Any) -> AsyncIterator[WebSocket]:
    async with serving(handler, **options) as port:
        websocket = await open_websocket(f"ws://127.0.0.1:{port}/", *subprotocols)
        try:
            yield websocket
        finally:
            await websocket.aclose()


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def refusal(url: str) -> str:
    with pytest.raises(OpenError) as caught:
        await open_websocket(url)
    assert isinstance(caught.value, AddressError) == ("no WebSocket address" in str(caught.value))
    line = str(caught.value)
    assert "\n" not in line
    assert url in line
    return line


@in_loop
async def test_both_kinds_of_messages_there_and_back() -> None:
    async with opened(echo) as websocket:
        for size in (0, 1, 125, 126, 65_535, 65_536, 1 << 20):
            await websocket.send_text(b"x" * size)
            await websocket.send_binary(b"\xff" * size)
            assert await websocket.receive() == Message(True, b"x" * size)
            assert await websocket.receive() == Message(False, b"\xff" * size)


@in_loop
async def test_text_of_any_bytes_both_ways() -> None:
    came: list[bytes] = []

    async def board(connection: ServerConnection) -> None:
        came.append(await connection.recv(decode=False))
        await connection.send(bytes(range(256)), text=True)
        await connection.wait_closed()

    async with opened(board) as websocket:
        await websocket.send_text(b"\x80\xff")
        assert await websocket.receive() == Message(True, bytes(range(256)))
    assert came == [b"\x80\xff"]


@in_loop
async def test_fragments_between_whole_messages() -> None:
    async def board(connection: ServerConnection) -> None:
        await connection.send(["a", "b", "c"])
        await connection.send([b"1", b"2"])
        await connection.send("d")
        await connection.wait_closed()

    async with opened(board) as websocket:
        assert [await websocket.receive() for _ in range(3)] == [(True, b"abc"), (False, b"12"), (True, b"d")]


@in_loop
async def test_a_receive_that_is_cancelled_takes_nothing() -> None:
    async with opened(echo) as websocket:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await websocket.receive()
        await websocket.send_text(b"first")
        await websocket.send_binary(b"second")
        assert await websocket.receive() == (True, b"first")
        assert await websocket.receive() == (False, b"second")


@in_loop
async def test_asks_for_no_compression_and_sends_no_pings() -> None:
    asked: list[Request] = []

    async def board(connection: ServerConnection) -> None:
        assert connection.request is not None
        asked.append(connection.request)
        await connection.wait_closed()

    async with opened(board, "one", "two", subprotocols=["two"]) as websocket:
        assert websocket.subprotocol == "two"
        assert websocket._connection.ping_interval is None
    assert "Sec-WebSocket-Extensions" not in asked[0].headers
    assert asked[0].headers["Sec-WebSocket-Protocol"] == "one, two"


@pytest.mark.parametrize(
    ("code", "error"), [(1000, EndOfStreamError), (1001, EndOfStreamError), (1008, BrokenError), (1011, BrokenError)]
)
@in_loop
async def test_an_end_says_why(code: int, error: type[Exception]) -> None:
    async def board(connection: ServerConnection) -> None:
        await connection.close(code, "the reason")

    async with opened(board) as websocket:
        for _ in range(2):
            with pytest.raises(error, match="the reason"):
                await websocket.receive()
        with pytest.raises(BrokenError, match="the reason"):
            await websocket.send_text(b"too late")


@in_loop
async def test_a_peer_that_vanishes() -> None:
    async def board(connection: ServerConnection) -> None:
        connection.transport.abort()

    async with opened(board) as websocket:
        with pytest.raises(BrokenError, match="broke"):
            await websocket.receive()


@in_loop
async def test_a_message_that_is_too_large_ends_it() -> None:
    async def board(connection: ServerConnection) -> None:
        await connection.send(bytes(module.MESSAGE_BYTES_MAX + 1))
        await connection.wait_closed()

    async with opened(board) as websocket:
        with pytest.raises(BrokenError):
            await websocket.receive()


@in_loop
async def test_closing_on_this_side_ends_a_receive() -> None:
    async with opened(echo) as websocket:
        receiving = asyncio.create_task(websocket.receive())
        await asyncio.sleep(0)
        await websocket.aclose()
        await websocket.aclose()
        with pytest.raises((EndOfStreamError, BrokenError)):
            await receiving


@pytest.mark.parametrize(
    "url", ["ws://", "ws:///path", "ws://host:port/", "ws://host:99999/", "ws://host/#part", "wss://[::1/", "WS:8266"]
)
@in_loop
async def test_what_is_no_address(url: str) -> None:
    assert "write ws://HOST:PORT/" in await refusal(url)


@in_loop
async def test_is_no_stream_of_bytes() -> None:
    for url in ("ws://host/", "wss://host/"):
        with pytest.raises(AddressError, match="is a board's WebREPL"):
            await open_stream(url)


@in_loop
async def test_nothing_listens() -> None:
    async with serving(echo) as port:
        pass
    for host in ("127.0.0.1", "localhost"):
        assert "nothing listens there" in await refusal(f"ws://{host}:{port}/")


@in_loop
async def test_an_unknown_host() -> None:
    assert "no-such-host.invalid: " in await refusal("ws://no-such-host.invalid/")


@in_loop
async def test_a_refusal_over_http() -> None:
    async def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus.NOT_FOUND, "There is no board here\nby that name.\n" + "long " * 100)

    async with serving(echo, process_request=refuse) as port:
        line = await refusal(f"ws://127.0.0.1:{port}/x")
    assert "it answers 404 Not Found: There is no board here by that name." in line
    assert len(line) < 400


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 101 Switching\r\n\r\n", b"", b"\0" * 20_000])
@in_loop
async def test_something_that_speaks_no_websocket(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        line = await refusal(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert "does not speak WebSocket" in line


@in_loop
async def test_something_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN_TIMEOUT_S", 0.05)
    ended = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        ended.set()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        assert "no answer within" in await refusal(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        await ended.wait()


@in_loop
async def test_a_certificate_has_to_verify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    async with serving(echo, ssl=context) as port:
        assert "its certificate does not verify" in await refusal(f"wss://localhost:{port}/")

        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert "127.0.0.1" in (line := await refusal(f"wss://127.0.0.1:{port}/"))
        assert "its certificate does not verify" in line
        websocket = await open_websocket(f"wss://localhost:{port}/")
        await websocket.send_text(b"hello")
        assert await websocket.receive() == (True, b"hello")
        await websocket.aclose()


@in_loop
async def test_no_tls_where_it_should_be() -> None:
    async with serving(echo) as port:
        assert "where there is no TLS" in await refusal(f"wss://localhost:{port}/")
