"""RFC 2217 beyond what every stream promises: against pySerial's own server, and against servers that misbehave."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from stream_kit import KINDS, in_loop
from stream_kit.pyserial_server import pyserial_server
from stream_kit.sockets import ComPortPeer, tcp_server
from webrepl_transports import BrokenError, ByteStream, OpenError, Signals, TransportError, open_stream, rfc2217

AGREE = b"\xff\xfd\x2c"


async def receive_exactly(stream: ByteStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.receive()
    return data


@in_loop
async def test_reaches_the_port_behind_pyserials_server() -> None:
    async with pyserial_server() as server:
        stream = await open_stream(server.url, baud=57600)
        assert (stream.description, stream.line_rate_baud) == (f"{server.url} at 57600 baud", 57600)
        assert not stream.reliable
        settings = server.port.get_settings()
        assert (settings["baudrate"], settings["bytesize"], settings["parity"], settings["stopbits"]) == (
            57600,
            8,
            "N",
            1,
        )
        every_byte = bytes(range(256)) * 8
        await stream.send(every_byte)
        assert await receive_exactly(stream, len(every_byte)) == every_byte
        await stream.aclose()


@pytest.mark.parametrize(
    ("mode", "lines"),
    [
        ("keep", []),
        ("never", []),
        ("release", ["rts-", "dtr-"]),
        ("hard", ["dtr-", "rts+", "rts-", "dtr+", "rts+"]),
    ],
)
@in_loop
async def test_lines_at_the_opening(mode: str, lines: list[str]) -> None:
    async with pyserial_server() as server:
        stream = await open_stream(f"{server.url}?reset_on_open={mode}")
        assert server.port.lines == lines
        await stream.aclose()


@in_loop
async def test_control_lines_arrive_and_signals_come_back() -> None:
    async with pyserial_server() as server:
        stream = await open_stream(f"{server.url}?baud=9600")
        control = stream.control
        assert control is not None
        await control.set_lines(rts=False)
        await control.set_lines(dtr=True, rts=True)
        await control.set_lines(dtr=False, rts=False)
        await control.set_break(True)
        await control.set_break(False)
        assert server.port.lines == ["rts-", "dtr+", "rts+", "rts-", "dtr-", "break+", "break-"]
        await control.set_baud(230400)
        assert (server.port.baudrate, stream.line_rate_baud) == (230400, 230400)
        # loop:// has its RTS wired to its CTS, and its DTR to its DSR.
        assert await control.signals() == Signals(cts=False, dsr=False, ri=False, cd=True)
        await stream.aclose()


@asynccontextmanager
async def server_that(answers: Callable[[bytes], bytes]) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server that gives to each piece of what a client sends what `answers` says; and an event that it was left."""
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(answers(data))
        finally:
            left.set()

    async with tcp_server(serve) as port:
        yield f"rfc2217://127.0.0.1:{port}", left


def agree(data: bytes) -> bytes:
    """Answer each request with what it asks for."""
    requests = re.findall(rb"\xff\xfa\x2c(.)(.*?)\xff\xf0", data, re.DOTALL)
    answers = [b"\xff\xfa\x2c" + bytes([command[0] + 100]) + value + b"\xff\xf0" for command, value in requests]
    return (AGREE if b"\xff\xfb\x2c" in data else b"") + b"".join(answers)


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (lambda data: b"", "has no RFC 2217: switch it on there, or use tcp://"),
        (lambda data: b"\xff\xfe\x2c", "has no RFC 2217"),
        (lambda data: b"MicroPython v1.24\r\n>>> ", "has no RFC 2217"),
        (lambda data: b"\xff\xfa" + bytes(100_000), "has no RFC 2217"),
        (lambda data: AGREE, "does not answer when asked for 74880 baud"),
        (lambda data: AGREE + b"\xff\xfa\x2c\x65\x00\x00\x25\x80\xff\xf0", "cannot do 74880 baud, it stays at 9600"),
        (lambda data: data, "does not answer when asked for 74880 baud"),
    ],
)
@in_loop
async def test_what_cannot_be_used_is_refused_in_one_line_and_left(
    answers: Callable[[bytes], bytes], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rfc2217, "AGREEMENT_TIMEOUT_S", 0.1)
    monkeypatch.setattr(rfc2217, "ANSWER_TIMEOUT_S", 0.1)
    async with server_that(answers) as (url, left):
        with pytest.raises(OpenError, match=says) as caught:
            await open_stream(url, baud=74880)
        assert "\n" not in str(caught.value)
        await left.wait()


@in_loop
async def test_a_server_that_passes_over_what_comes_too_early_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc2217, "ANSWER_TIMEOUT_S", 0.05)
    asked = 0

    def answers(data: bytes) -> bytes:
        nonlocal asked
        asked += data.count(b"\xff\xfa\x2c\x01")
        return agree(data) if asked != 1 else AGREE

    async with server_that(answers) as (url, _):
        stream = await open_stream(url)
        assert asked == 2
        await stream.aclose()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("?ign_set_control", "unknown option 'ign_set_control'.*baud, reset_on_open"),
        ("?baud=5000000000", "no baud rate"),
    ],
)
@in_loop
async def test_an_option_that_is_not_understood_is_refused(query: str, says: str) -> None:
    with pytest.raises(OpenError, match=says):
        await open_stream(f"rfc2217://127.0.0.1:1{query}")


@in_loop
async def test_a_server_that_does_not_answer_requests_for_lines_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rfc2217, "LINES_TIMEOUT_S", 0.01)
    asked = bytearray()

    def answers(data: bytes) -> bytes:
        asked.extend(data)
        return agree(data).replace(b"\xff\xfa\x2c\x69", b"\xff\xfa\x2c\x00")

    async with server_that(answers) as (url, _):
        stream = await open_stream(url)
        assert stream.control is not None
        await stream.control.set_lines(dtr=True)
        await stream.control.set_baud(9600)
        assert b"\xff\xfa\x2c\x05\x08\xff\xf0" in asked
        await stream.aclose()


@in_loop
async def test_a_baud_rate_that_the_server_refuses_later_leaves_the_stream_as_it_is() -> None:
    async with server_that(lambda data: agree(data.replace(b"\x00\x01\xc2\x00", b"\x00\x00\x25\x80"))) as (url, _):
        stream = await open_stream(url, baud=9600)
        assert stream.control is not None
        with pytest.raises(TransportError, match="cannot do 115200 baud, it stays at 9600"):
            await stream.control.set_baud(115200)
        assert stream.line_rate_baud == 9600
        await stream.send(b"x")
        await stream.aclose()


@in_loop
async def test_a_waiting_request_is_told_that_the_stream_has_ended() -> None:
    async with server_that(agree) as (url, _):
        stream = await open_stream(url)
        assert isinstance(stream, rfc2217.Rfc2217Stream)
        asking = asyncio.create_task(stream.ask(rfc2217.Command.NOTIFY_MODEMSTATE, b"", timeout_s=30))
        await asyncio.sleep(0)
        await stream.aclose()
        with pytest.raises(BrokenError, match="closed on this side"):
            await asking


@in_loop
async def test_a_server_can_suspend_the_data() -> None:
    kind = KINDS["rfc2217"]
    async with kind.join() as joined:
        await joined.stream.send(b"first")
        assert await joined.peer.receive() == b"first"
        assert isinstance(joined.peer, ComPortPeer)
        await joined.peer.raw(b"\xff\xfa\x2c\x6c\xff\xf0")
        await joined.peer.raw(b"x")
        assert await joined.stream.receive() == b"x"
        sending = asyncio.create_task(joined.stream.send(bytes(100_000)))
        assert len(await joined.peer.receive()) <= 16 * 1024
        assert not sending.done()
        await joined.peer.raw(b"\xff\xfa\x2c\x6d\xff\xf0")
        while not sending.done():
            await joined.peer.receive()


@in_loop
async def test_a_server_that_asks_for_ever_and_takes_no_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc2217, "MAX_REPLIES_BYTES", 1000)
    kind = KINDS["rfc2217"]
    async with kind.join() as joined:
        assert isinstance(joined.peer, ComPortPeer)
        assert isinstance(joined.stream, rfc2217.Rfc2217Stream)
        assert joined.stream._transport is not None
        joined.stream._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)

        async def ask() -> None:
            while True:
                await joined.peer.raw(b"\xff\xfd\x00\xff\xfe\x00" * 1000)

        asking = asyncio.create_task(ask())
        with pytest.raises(BrokenError, match="does not take the answers"):
            await joined.stream.receive()
        asking.cancel()
        await asyncio.wait([asking])
