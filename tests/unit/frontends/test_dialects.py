"""WebSocket as clients speak it: what a strict server refuses and ours takes, and what ours refuses too."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import struct
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from clients.official import BINARY, TEXT, OfficialClient, request
from fake_board import FakeBoard
from serving import PASSWORD, Running, serving
from webrepl_bridge.frontends import dialects
from webrepl_bridge.frontends.dialects import MESSAGE_BYTES_MAX, ZeroMask, accept_value

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine


def run(test: Coroutine[None, None, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(20):
            await test

    asyncio.run(bounded())


async def shake_hands(
    running: Running, head: str, path: str = "/"
) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a handshake with the lines of `head`, and return the answer's head."""
    reader, writer = await asyncio.open_connection(running.host, running.port)
    lines = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{head}\r\n"
    writer.write(lines.encode("latin-1"))
    return await reader.readuntil(b"\r\n\r\n"), reader, writer


@asynccontextmanager
async def strict(running: Running, path: str = "/") -> AsyncIterator[ClientConnection]:
    """A logged-in client by the book: the websockets library's."""
    async with connect(f"ws://{running.host}:{running.port}{path}", max_size=None) as websocket:
        assert await websocket.recv() == "Password: "
        await websocket.send(PASSWORD + "\r")
        assert await websocket.recv() == "\r\nWebREPL connected\r\n>>> "
        yield websocket


async def close_of(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Read frames until a close, and return its code and reason."""
    while True:
        first_byte, size = await reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack(">H", await reader.readexactly(2))
        payload = await reader.readexactly(size)
        if first_byte == 0x88:
            return int.from_bytes(payload[:2], "big"), payload[2:].decode()


async def close_after(websocket: ClientConnection, message: bytes | list[bytes]) -> tuple[int, str]:
    """Send a message that ends the connection, and return the close's code and reason."""
    with contextlib.suppress(ConnectionClosed):
        await websocket.send(message)
        await websocket.recv()
    assert websocket.close_code is not None
    return websocket.close_code, websocket.close_reason or ""


class TestHandshake:
    @pytest.mark.parametrize(
        "head",
        [
            "Sec-WebSocket-Key: foo\r\n",
            "Sec-WebSocket-Key: foo\r\nSec-WebSocket-Version: 13\r\n",
            "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nSEC-WEBSOCKET-VERSION: 13\r\n",
            "Sec-WebSocket-Key: \xe4 b\r\n",
        ],
    )
    def test_any_key_and_no_version_will_do(self, head: str) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running:
                answer, _, writer = await shake_hands(running, head)
                key = head.split("\r\n")[0].partition(": ")[2]
                assert answer.startswith(b"HTTP/1.1 101 ")
                assert f"Sec-WebSocket-Accept: {accept_value(key)}\r\n".encode() in answer
                writer.transport.abort()

        run(test())

    def test_the_accept_value_is_the_standard_one(self) -> None:
        assert accept_value("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "RFC 6455 section 1.3"

    @pytest.mark.parametrize(
        "head",
        [
            "",
            "Sec-WebSocket-Key:\r\n",
            "Sec-WebSocket-Key: foo\r\nSec-WebSocket-Key: bar\r\n",
            "Sec-WebSocket-Key: foo\r\nSec-WebSocket-Version: 8\r\n",
            "Sec-WebSocket-Key: foo\r\nContent-Length: 5\r\n",
        ],
    )
    def test_what_is_no_handshake_is_still_refused(self, head: str) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running:
                answer, reader, writer = await shake_hands(running, head)
                assert answer.startswith(b"HTTP/1.1 400 ")
                assert (await reader.read()).count(b"\n") == 1
                writer.close()

        run(test())

    def test_too_many_headers(self) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running:
                head = "".join(f"X-{number}: x\r\n" for number in range(200))
                answer, reader, writer = await shake_hands(running, f"Sec-WebSocket-Key: foo\r\n{head}")
                assert answer.startswith(b"HTTP/1.1 431 ")
                assert (await reader.read()).count(b"\n") == 1
                writer.close()

        run(test())

    def test_compression_is_not_negotiated(self) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running, strict(running) as websocket:
                assert "Sec-WebSocket-Extensions" in websocket.request.headers
                assert "Sec-WebSocket-Extensions" not in websocket.response.headers

        run(test())

    def test_a_path_that_is_no_board_is_refused_in_one_line(self) -> None:
        async def test() -> None:
            async with serving(FakeBoard(), name="lab1") as running:
                async with strict(running, "/lab1"):
                    pass
                answer, reader, writer = await shake_hands(running, "Sec-WebSocket-Key: foo\r\n", "/lab2")
                assert answer.startswith(b"HTTP/1.1 404 ")
                body = await reader.read()
                assert b"/lab1" in body
                assert body.count(b"\n") == 1
                writer.close()

        run(test())


@st.composite
def client_frames(draw: st.DrawFn) -> tuple[bytes, bytes, list[bytes]]:
    """A stream with some frames masked, the same with all of them masked, and the payloads."""
    mixed, masked, payloads = bytearray(), bytearray(), []
    for _ in range(draw(st.integers(0, 5))):
        payload = draw(st.binary(max_size=10)) * draw(st.sampled_from([1, 13, 20, 7000]))
        payloads.append(payload)
        frame = Frame(Opcode.BINARY, payload)
        if draw(st.booleans()):
            data = frame.serialize(mask=True)
            mixed += data
            masked += data
        else:
            plain = frame.serialize(mask=False)
            head = len(plain) - len(payload)
            mixed += plain
            masked += bytes([plain[0], plain[1] | 0x80]) + plain[2:head] + bytes(4) + payload
    return bytes(mixed), bytes(masked), payloads


@given(client_frames(), st.lists(st.integers(1, 2000), max_size=20))
def test_unmasked_frames_get_a_mask_of_zeros_wherever_the_stream_is_cut(
    frames: tuple[bytes, bytes, list[bytes]], sizes: list[int]
) -> None:
    mixed, masked, payloads = frames
    zero_mask, out = ZeroMask(), bytearray()
    for size in [*sizes, len(mixed)]:
        out += zero_mask.filter(mixed[:size])
        mixed = mixed[size:]
    assert out == masked
    server = Protocol(Side.SERVER)
    server.receive_data(out)
    assert [event.data for event in server.events_received()] == payloads


def test_a_peer_that_vanishes_is_noticed_by_the_network() -> None:
    async def test() -> None:
        sockets = []

        def remember(sock: socket.socket) -> None:
            sockets.append(sock)
            notice(sock)

        notice = dialects.notice_vanished_peer
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dialects, "notice_vanished_peer", remember)
            async with serving(FakeBoard()) as running, strict(running):
                (sock,) = sockets
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                if sys.platform == "linux":
                    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
                    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 60_000

    run(test())


@given(st.lists(st.binary(max_size=50)))
def test_the_filter_takes_any_bytes(pieces: list[bytes]) -> None:
    zero_mask = ZeroMask()
    for piece in pieces:
        zero_mask.filter(piece)


class TestFrames:
    def test_unmasked_frames_as_the_official_client_sends_them(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, OfficialClient.connect(running.host, running.port) as client:
                await client.login(PASSWORD)
                assert await client.get_ver() == (1, 29, 0)
                await client.put_file("a.bin", bytes(range(256)) * 300)
                assert board.files["a.bin"] == bytes(range(256)) * 300
                assert await client.get_file("a.bin") == board.files["a.bin"]
                await client.send_frame(b"1+1\r", TEXT)
                assert await client.read_text_until("1+1\r\n>>> ")

        run(test())

    def test_text_cut_within_a_character_reaches_the_board_as_it_is(self) -> None:
        """As belay and mpfshell do with code that has a character across their 256-byte blocks."""

        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, OfficialClient.connect(running.host, running.port) as client:
                await client.login(PASSWORD)
                await client.get_ver()
                for piece in ("ä".encode()[:1], "ä".encode()[1:], b"\xff\x80\x03", "ö\r".encode()):
                    await client.send_frame(piece, TEXT)
                await client.read_text_until(">>> ")
                await client.read_text_until(">>> ")
                assert board.typed == "ä".encode() + b"\xff\x80\x03" + "ö\r".encode()

        run(test())

    def test_fragments_from_clients(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, strict(running) as websocket:
                await websocket.send([b"WA", request(1, b"a", 6)[2:], b"", b"abc"])
                await websocket.send([b"", b"def"])
                assert [await websocket.recv(), await websocket.recv()] == [b"WB\0\0", b"WB\0\0"]
                assert board.files == {"a": b"abcdef"}
                await websocket.send(["1", "", "+1"])
                assert await websocket.recv() == "1+1"

        run(test())

    def test_empty_messages_mean_nothing(self) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running, strict(running) as websocket:
                await websocket.send("")
                await websocket.send(b"")
                await websocket.send("x")
                assert await websocket.recv() == "x"

        run(test())

    def test_pings_from_clients_are_answered_and_none_are_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def no_pings(_: object) -> None:
            raise AssertionError("webrepl_cli.py never answers a ping")

        monkeypatch.setattr(WebSocketsSansIOProtocol, "schedule_ping", no_pings)

        async def test() -> None:
            async with serving(FakeBoard()) as running, strict(running) as websocket:
                await (await websocket.ping(b"there?"))

        run(test())

    def test_the_longest_message(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, strict(running) as websocket:
                await websocket.send(request(1, b"a", MESSAGE_BYTES_MAX))
                await websocket.send(bytes(MESSAGE_BYTES_MAX))
                assert [await websocket.recv(), await websocket.recv()] == [b"WB\0\0", b"WB\0\0"]
                assert board.files == {"a": bytes(MESSAGE_BYTES_MAX)}

        run(test())

    def test_a_longer_message_ends_the_connection(self) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running, strict(running) as websocket:
                assert (await close_after(websocket, bytes(MESSAGE_BYTES_MAX + 1)))[0] == 1009

        run(test())

    def test_a_message_that_grows_too_long_in_fragments(self) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running, strict(running) as websocket:
                assert (await close_after(websocket, [bytes(MESSAGE_BYTES_MAX // 2)] * 3))[0] == 1009

        run(test())

    @pytest.mark.parametrize(
        ("frame", "reason"),
        [
            (b"\x83\x00", "invalid opcode"),
            (b"\x8b\x00", "invalid opcode"),
            (b"\xc1\x01x", "reserved bits must be 0"),
            (b"\xa2\x01x", "reserved bits must be 0"),
            (b"\x80\x01x", "unexpected continuation frame"),
            (b"\x09\x00", "fragmented control frame"),
            (b"\x89\x7e\x00\x7e" + bytes(126), "control frame too long"),
            (b"\x01\x01x\x81\x01x", "expected a continuation frame"),
            (b"\x88\x01x", "close frame too short"),
        ],
    )
    def test_frames_that_are_none(self, frame: bytes, reason: str) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running:
                _, reader, writer = await shake_hands(running, "Sec-WebSocket-Key: foo\r\n")
                writer.write(frame)
                assert await close_of(reader) == (1002, reason)
                assert await reader.read() == b"", "and then the end"
                writer.close()
                async with strict(running) as other:
                    await other.send("x")
                    assert await other.recv() == "x", "the others are none the wiser"

        run(test())

    def test_a_client_that_is_out_of_step_is_told_why(self) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running, strict(running) as websocket:
                code, reason = await close_after(websocket, b"print(1)\r")
                assert code == 1002
                assert "a request starts with 'WA'" in reason

        run(test())

    def test_noise_ends_its_own_connection_at_most(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            board = FakeBoard()
            dice = random.Random(8266)
            starts = [b"", b"", bytes([BINARY, 0xFE, 0, 90]), bytes([TEXT, 100]), b"\x89\x05"]
            async with serving(board) as running, strict(running) as other:
                for _ in range(150):
                    async with OfficialClient.connect(running.host, running.port) as client:
                        if dice.random() < 0.8:
                            await client.login(PASSWORD)
                        for _ in range(dice.randrange(5)):
                            noise = dice.randbytes(dice.randrange(300))
                            client._writer.write(dice.choice(starts) + noise)
                        if dice.random() < 0.5:
                            client._writer.write_eof()
                            await client._reader.read()
                await other.send("x")
                while "x" not in await other.recv():
                    pass

        with caplog.at_level(logging.ERROR):
            run(test())
        assert caplog.records == []

    def test_the_official_clients_frames_are_ended_by_a_reset_without_harm(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running:
                for cut in (1, 2, 5, 20, 80):
                    async with OfficialClient.connect(running.host, running.port) as client:
                        await client.login(PASSWORD)
                        await client.get_ver()
                        client._writer.write((bytes([BINARY, 82]) + request(2, b"a"))[:cut])
                async with OfficialClient.connect(running.host, running.port) as client:
                    await client.login(PASSWORD)
                    assert await client.get_ver() == (1, 29, 0)

        run(test())
