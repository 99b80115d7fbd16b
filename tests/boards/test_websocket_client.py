"""The shim's WebSocket client, run by MicroPython, against the websockets library and against servers that lie."""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from websockets.asyncio.server import ServerConnection, serve
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from board_kinds import in_loop
from board_kit.micropython import Script, micropython

PREAMBLE = """\
import sys
from binascii import hexlify
from webrepl_shim.websocket_client import connect
def show(message):
    if isinstance(message, str):
        return "text " + hexlify(message.encode()).decode()
    return "none" if message is None else "binary " + hexlify(message).decode()
"""
SIZE_MAX = 65536


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@asynccontextmanager
async def client(
    folder: Path, code: str, handler: Callable[[ServerConnection], Awaitable[None]] = echo, **options: Any
) -> AsyncIterator[Script]:
    """Run `code` with a server of the library's; it finds `url`."""
    scheme = "wss" if "ssl" in options else "ws"
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        code = f"{PREAMBLE}url = '{scheme}://localhost:{port}/path?query'\n{code}"
        async with asyncio.timeout(60), micropython(folder, code) as script:
            yield script


@in_loop
async def test_both_kinds_and_all_lengths(tmp_path: Path) -> None:
    code = """
websocket = connect(url)
for size in (0, 1, 125, 126, 511, 512, 513, 4096, 65535, 65536):
    for message in (bytes([i & 255 for i in range(size)]), "x" * size):
        websocket.send(message)
        print(websocket.recv() == message)
websocket.send("žluťoučký 🐎")
print(show(websocket.recv()))
websocket.close()
print(websocket.code, websocket.is_closed, websocket.recv())
"""
    async with client(tmp_path, code) as script:
        for _ in range(20):
            assert await script.line() == "True"
        assert await script.line() == "text " + "žluťoučký 🐎".encode().hex()
        assert await script.line() == "1000 True None"


@in_loop
async def test_the_handshake(tmp_path: Path) -> None:
    requests: list[Any] = []

    async def note(connection: ServerConnection) -> None:
        requests.append(connection.request)

    code = "connect(url, ['X-One: 1', 'X-Two: 2'])\nconnect(url)\nprint('done')\n"
    async with client(tmp_path, code, note) as script:
        assert await script.line() == "done"
    first, second = requests
    assert first.path == "/path?query"
    assert first.headers["X-One"] == "1"
    assert first.headers["X-Two"] == "2"
    assert first.headers["Host"].startswith("localhost:")
    assert first.headers["Sec-WebSocket-Version"] == "13"
    assert "Origin" not in first.headers
    assert first.headers["Sec-WebSocket-Key"] != second.headers["Sec-WebSocket-Key"]


@in_loop
async def test_fragments_pings_and_a_goodbye_with_a_reason(tmp_path: Path) -> None:
    ponged = asyncio.Event()

    async def talk(connection: ServerConnection) -> None:
        async def fragments() -> AsyncIterator[str]:
            yield "žlu"
            await (await connection.ping(b"in the middle"))
            ponged.set()
            yield ""
            yield "ťoučký"

        await connection.send(fragments())
        await connection.send([b"1", b"22", b""])
        await connection.close(4321, "until later")

    code = """
websocket = connect(url)
print(show(websocket.recv()))
print(show(websocket.recv()))
print(websocket.recv(), websocket.code, websocket.reason, websocket.is_closed)
"""
    async with client(tmp_path, code, talk) as script:
        assert await script.line() == "text " + "žluťoučký".encode().hex()
        assert await script.line() == "binary 313232"
        assert await script.line() == "None 4321 until later True"
    assert ponged.is_set()


@in_loop
async def test_many_at_once_wait_until_they_are_taken(tmp_path: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        for number in range(1000):
            await connection.ping(b"%0100d" % number)
            await connection.send(str(number))
        await connection.close()

    code = """
websocket = connect(url)
websocket.wait(lambda: len(websocket.messages) >= 2)
most = 0
for number in range(1000):
    most = max(most, len(websocket.messages), websocket.unsent_bytes // 200)
    assert websocket.recv() == str(number)
print(most, websocket.recv(), websocket.code)
"""
    async with client(tmp_path, code, talk) as script:
        most, *end = (await script.line()).split()
        assert int(most) <= 16
        assert end == ["None", "1000"]


@in_loop
async def test_pings_of_its_own_and_times_out(tmp_path: Path) -> None:
    code = """
websocket = connect(url)
print(websocket.recv(50), websocket.is_open)
websocket.ping(b"anybody?")
websocket.send("yes")
print(websocket.recv())
"""
    async with client(tmp_path, code) as script:
        assert await script.line() == "None True"
        assert await script.line() == "yes"


@in_loop
async def test_says_goodbye_with_a_code_and_reason(tmp_path: Path) -> None:
    ends: list[ConnectionClosed] = []
    ended = asyncio.Event()

    async def note(connection: ServerConnection) -> None:
        try:
            await connection.recv()
        except ConnectionClosed as closed:
            ends.append(closed)
            ended.set()

    code = "websocket = connect(url)\nwebsocket.close(3000, 'enough')\nwebsocket.close()\nprint(websocket.code)\n"
    async with client(tmp_path, code, note) as script:
        assert await script.line() == "3000"
        await ended.wait()
    assert ends[0].rcvd is not None
    assert (ends[0].rcvd.code, ends[0].rcvd.reason) == (3000, "enough")


@in_loop
async def test_tls(tmp_path: Path) -> None:
    authority, stranger = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    for name, ca in (("ca.der", authority), ("stranger.der", stranger)):
        certificate = load_pem_x509_certificate(ca.cert_pem.bytes())
        (tmp_path / name).write_bytes(certificate.public_bytes(Encoding.DER))
    code = f"""
def attempt(where, ca):
    try:
        websocket = connect(where, ca=ca)
        message = bytes(range(256)) * 256
        websocket.send(message)
        print(websocket.recv() == message)
        websocket.close()
    except (OSError, ValueError) as error:
        print(type(error).__name__, str(error).replace('\\n', ' '))

ca = open("{tmp_path}/ca.der", "rb").read()
attempt(url, ca)
attempt(url, False)
attempt(url, None)
attempt(url, open("{tmp_path}/stranger.der", "rb").read())
attempt(url.replace("localhost", "127.0.0.1"), ca)
"""
    async with client(tmp_path, code, ssl=context) as script:
        assert await script.line() == "True"
        assert await script.line() == "True"
        assert (await script.line()).startswith("ValueError wss needs ca=")
        for _ in range(2):  # another authority; another name than the certificate's
            assert (await script.line()).startswith("OSError failed: ")


@in_loop
async def test_what_is_no_websocket_is_an_error(tmp_path: Path) -> None:
    answers = [
        b"SSH-2.0-OpenSSH_9\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        b"x" * 10_000,
        b"HTTP/1.1 101",
        b"",
    ]
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(left.pop(0))
        writer.close()

    code = """
for port in sys.argv[1:]:
    try:
        connect("ws://127.0.0.1:" + port)
        print("open")
    except OSError as error:
        print("refused")
for url in ("http://x/", "ws://", "ws://host:port/", "ws:"):
    try:
        connect(url)
    except ValueError:
        print("malformed")
"""
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = str(server.sockets[0].getsockname()[1])
        async with micropython(tmp_path, PREAMBLE + code, *[port] * len(answers), "1") as script:
            for _ in range(len(answers) + 1):  # nothing listens on port 1
                assert await script.line() == "refused"
            for _ in range(4):
                assert await script.line() == "malformed"


# Servers that lie. The library's own client says what is right.


def valid_frame(chance: random.Random, *, inside: bool) -> Frame:
    """A frame that may come now, mostly: inside of a fragmented message or not."""
    data_kinds = [Opcode.CONT] if inside != (chance.random() < 0.02) else [Opcode.TEXT, Opcode.BINARY]
    kind = chance.choice(data_kinds * 4 + [Opcode.PING, Opcode.PONG, Opcode.CLOSE])
    size = chance.choice([0, 1, 2, 5, 125, 126, 300, 70_000 if chance.random() < 0.1 else 1000])
    data = bytes(chance.randrange(32, 127) for _ in range(size))
    if chance.random() < 0.1:
        data = data[:-1] + b"\xff"
    if kind is Opcode.CLOSE:
        code = chance.choice([1000, 1001, 1004, 1005, 1006, 1011, 1015, 999, 2999, 3000, 4999, 5000])
        data = chance.choice([b"", b"x", code.to_bytes(2, "big") + data[:20]])
    elif kind in (Opcode.PING, Opcode.PONG):
        data = data[:125]
    return Frame(kind, data, fin=kind >= Opcode.CLOSE or chance.random() < 0.6)


def some_frames(seed: int) -> bytes:
    """Frames in which most is right, so that it takes a while until something is wrong."""
    chance = random.Random(seed)
    data = b""
    inside = False
    for _ in range(chance.randrange(1, 12)):
        valid = valid_frame(chance, inside=inside)
        inside = not valid.fin if valid.opcode < Opcode.CLOSE else inside
        frame = bytearray(valid.serialize(mask=chance.random() < 0.02))
        if chance.random() < 0.1:
            frame[chance.randrange(min(2, len(frame)))] ^= 1 << chance.randrange(8)
        data += frame
    return data[: chance.randrange(len(data))] if chance.random() < 0.2 else data


def expected(data: bytes) -> tuple[list[str], int | None]:
    """What a client gets of these bytes, and the code of the close frame that it sends; None for none."""
    library = ClientProtocol(parse_uri("ws://localhost/"), state=OPEN, max_size=SIZE_MAX)
    library.receive_data(data)
    messages, parts, kind = [], b"", Opcode.TEXT
    for event in library.events_received():
        assert isinstance(event, Frame)
        if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            kind = kind if event.opcode is Opcode.CONT else event.opcode
            parts += event.data
            if event.fin:
                if kind is Opcode.TEXT:
                    try:
                        parts.decode()
                    except UnicodeDecodeError:
                        return messages, CloseCode.INVALID_DATA
                messages.append(f"{kind.name.lower()} {bytes(parts).hex()}")
                parts = b""
    if library.close_rcvd is not None and "incomplete fragmented message" in str(library.parser_exc):
        return messages, library.close_rcvd.code  # a goodbye may come there, as any control frame: section 5.4
    return messages, None if library.close_sent is None else library.close_sent.code


@in_loop
async def test_servers_that_lie_are_left_as_the_library_leaves_them(tmp_path: Path) -> None:
    cases = [some_frames(seed) for seed in range(400)]

    async def lie(connection: socket.socket, data: bytes) -> int | None:
        """Serve a client; return the code of its close frame."""
        loop = asyncio.get_running_loop()
        protocol = ServerProtocol()
        while not (requests := protocol.events_received()):
            protocol.receive_data(await loop.sock_recv(connection, 4096))
        protocol.send_response(protocol.accept(requests[0]))  # type: ignore[arg-type]
        sending = asyncio.create_task(send(connection, b"".join(protocol.data_to_send()) + data))
        with suppress(ConnectionError):
            while data := await loop.sock_recv(connection, 65536):
                protocol.receive_data(data)
        await sending
        return None if protocol.close_rcvd is None else protocol.close_rcvd.code

    async def send(connection: socket.socket, data: bytes) -> None:
        with suppress(OSError):  # it has heard enough
            await asyncio.get_running_loop().sock_sendall(connection, data)
            connection.shutdown(socket.SHUT_WR)

    code = """
for _ in range(int(sys.argv[2])):
    websocket = connect("ws://127.0.0.1:" + sys.argv[1])
    while True:
        message = websocket.recv()
        if message is None:
            break
        print(show(message))
    print("end", websocket.is_closed, websocket.code)
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = str(server.getsockname()[1])
        async with asyncio.timeout(100), micropython(tmp_path, PREAMBLE + code, port, str(len(cases))) as script:
            codes = []
            for case in cases:
                connection, _ = await asyncio.get_running_loop().sock_accept(server)
                with connection:
                    said = await lie(connection, case)
                got = []
                while not (line := await script.line()).startswith("end"):
                    got.append(line)
                messages, close_code = expected(case)
                assert got == messages
                if close_code is None and said == CloseCode.PROTOCOL_ERROR:
                    close_code = said  # the library waits for the end of the frame before it says so
                assert said == close_code, case.hex()
                assert line == f"end True {1006 if close_code is None else close_code}"
                codes.append(close_code)
    seen = {code: codes.count(code) for code in set(codes)}
    assert min(seen.get(code, 0) for code in (None, 1000, 1002, 1005, 1007, 1009, 4999)) >= 1, seen


@pytest.mark.parametrize("head", [b"\x82\x7e\x00\x7d", b"\x82\x7f" + bytes(6) + b"\xff\xff"])
@in_loop
async def test_a_length_in_more_bytes_than_it_needs(tmp_path: Path, head: bytes) -> None:
    """The library takes this; RFC 6455 section 5.2 does not."""

    async def lie(connection: ServerConnection) -> None:
        connection.transport.write(head + bytes(0xFFFF))
        await connection.wait_closed()

    code = "websocket = connect(url)\nprint(websocket.recv(), websocket.code)\n"
    async with client(tmp_path, code, lie) as script:
        assert await script.line() == "None 1002"
