"""One client's life, and what it may not do to the board and to the others; on a fake board, over TCP."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.client import connect

from clients.official import BINARY, TEXT, DeniedError, OfficialClient, RefusedError, request
from fake_board import FakeBoard
from serving import PASSWORD, Running, serving
from webrepl_bridge.frontends import dialects, passwords, typist, webrepl
from webrepl_bridge.session import BACKLOG_CHARS_MAX
from webrepl_link.errors import BoardError, BrokenError
from webrepl_link.records import (
    FILE,
    GET_PART,
    KEEP,
    LIST,
    PACED,
    PUT_PART,
    REMOVE,
    SPACE,
    STAT,
    Entry,
    Request,
    encode_entry,
    encode_request,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

BODY = bytes(range(256)) * 40


def run(test: Coroutine[None, None, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test

    asyncio.run(bounded())


class LoggedIn:
    """An official client, logged in and with its prompt read; for `async with`."""

    def __init__(self, running: Running) -> None:
        self._connection = OfficialClient.connect(running.host, running.port)

    async def __aenter__(self) -> OfficialClient:
        client = await self._connection.__aenter__()
        await client.login(PASSWORD)
        await client.read_text_until("WebREPL connected\r\n>>> ")
        return client

    async def __aexit__(self, *error: object) -> None:
        await self._connection.__aexit__(*error)


async def until(condition: Callable[[], bool]) -> None:
    """Let the server work until `condition` holds; `run` bounds the time."""
    while not condition():  # noqa: ASYNC110 - what we wait for has no event to wait on
        await asyncio.sleep(0.005)


async def end_of(client: OfficialClient) -> tuple[int, str]:
    """Read until the server closes, and return the close's code and reason."""
    while True:
        first_byte, payload = await client.read_frame()
        if first_byte == 0x88:
            return int.from_bytes(payload[:2], "big"), payload[2:].decode()


class TestLogin:
    def test_no_output_before_the_password(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, OfficialClient.connect(running.host, running.port) as client:
                board.on_output(b"not for strangers")
                await client.login(PASSWORD)
                assert await client.get_ver() == (1, 29, 0)
                assert client.text == "Password: \r\nWebREPL connected\r\n>>> "
                board.on_output(b"for friends")
                await client.read_text_until("for friends")

        run(test())

    def test_wrong_guesses_are_slowed_down(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(passwords, "FIRST_DELAY_MS", 150)

        async def test() -> None:
            loop = asyncio.get_running_loop()
            async with serving(FakeBoard()) as running:
                took = []
                for _ in range(4):
                    started = loop.time()
                    async with OfficialClient.connect(running.host, running.port) as client:
                        await client.login("wrong")
                        with pytest.raises(DeniedError):
                            await client.get_ver()
                    took.append(loop.time() - started)
                assert took[3] > 0.15

        run(test())


class TestFiles:
    def test_errors_of_the_board_become_codes_and_the_connection_goes_on(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def test() -> None:
            board = FakeBoard()
            board.files["a"] = BODY
            async with serving(board) as running, LoggedIn(running) as client:
                with pytest.raises(RefusedError, match="code 2"):
                    await client.get_file("missing")
                board.fault = BrokenError("the cable is out")
                with pytest.raises(RefusedError, match="code 5"):
                    await client.get_file("a")
                board.fault = BoardError(30, "read-only")
                with pytest.raises(RefusedError, match="code 30"):
                    await client.put_file("b", b"x")
                board.free_bytes = 3000
                with pytest.raises(RefusedError, match="code 28"):
                    await client.put_file("b", BODY)
                assert board.log[-1] == "gave up b"
                assert await client.get_file("a") == BODY
                assert await client.get_ver() == (1, 29, 0)

        with caplog.at_level(logging.WARNING):
            run(test())
        assert [record.getMessage() for record in caplog.records] == [
            "127.0.0.1#1: get missing: no such file: missing",
            "127.0.0.1#1: get a: the cable is out",
            "127.0.0.1#1: put b: read-only",
            "127.0.0.1#1: put b: no space left",
        ]

    def test_a_get_that_fails_half_way(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            board.files["a"] = BODY
            async with serving(board) as running, LoggedIn(running) as client:
                await client.send_frame(request(2, b"a"))
                await client.send_frame(b"\0")
                assert (await client.read_frame())[1] == b"WB\0\0"
                assert len((await client.read_frame())[1]) == 4098
                board.fault = BoardError(5, "bad block")
                await client.send_frame(b"\0")
                assert [(await client.read_frame())[1] for _ in range(2)] == [b"\0\0", b"WB\x05\0"]
                assert await client.get_file("a") == BODY

        run(test())

    def test_a_put_that_fails_at_its_very_end(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as client:
                await client.send_frame(request(1, b"a", 1))
                assert (await client.read_frame())[1] == b"WB\0\0"
                board.go.clear()
                await client.send_frame(b"x")
                await board.wait_for("data")
                board.fault = BoardError(28, "no space left")
                board.go.set()
                assert (await client.read_frame())[1] == b"WB\x1c\0"
                assert board.files == {}
                assert await client.get_ver() == (1, 29, 0)

        run(test())

    def test_requests_sent_ahead(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as client:
                put, get = request(1, b"a", 3) + b"abc", request(2, b"a") + b"\0\0"
                await client.send_frame(put + request(3) + get + request(200))
                binary = [(await client.read_frame())[1] for _ in range(7)]
                assert binary == [
                    *(b"WB\0\0", b"WB\0\0", b"\x01\x1d\0"),
                    *(b"WB\0\0", b"\x03\0abc", b"\0\0", b"WB\0\0"),
                ]
                assert (await client.read_frame())[1] == b"WB\x26\0"

        run(test())

    def test_records_beyond_the_standard(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            board.files = {"a": b"abcdef"}
            async with serving(board) as running, LoggedIn(running) as client:
                get, put = Request(GET_PART, b"a", 2, 3), Request(PUT_PART, b"b", 1, 5, KEEP)
                asked = [Request(LIST), Request(STAT, b"a"), Request(STAT, b"x"), Request(SPACE), Request(REMOVE, b"a")]
                for request_ in (asked[0], get):
                    await client.send_frame(encode_request(request_) + b"\0\0")
                for request_ in (*asked[1:], put):
                    await client.send_frame(encode_request(request_))
                entry = encode_entry(Entry(FILE, 6, 5, 6))
                answers = [
                    *(b"WB\0\0", b"\x10\0f\6" + bytes(11) + b"\1\0a", b"\0\0", b"WB\0\0"),
                    *(b"WB\0\0", b"\2\0de", b"\0\0", b"WB\0\0"),
                    *(b"WB\0\0" + entry, b"WB\2\0", b"WB\x26\0", b"WB\0\0", b"WB\0\0"),
                ]
                assert [(await client.read_frame())[1] for _ in answers] == answers
                assert "put b 1 from 5, keep True" in board.log

        run(test())

    def test_a_paced_put_is_told_what_is_taken_and_can_be_given_up(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as client:
                for name, chunks in (("a", b"\2\0ab\1\0c\0\0"), ("b", b"\2\0ab\0\0")):
                    await client.send_frame(encode_request(Request(PUT_PART, name.encode(), 3, flags=PACED)))
                    assert (await client.read_frame())[1] == b"WB\0\0" + bytes(4)
                    await client.send_frame(chunks)
                    answers = [b"\0", b"\0", b"WB\0\0"] if name == "a" else [b"\0", b"WB\x7d\0"]
                    assert [(await client.read_frame())[1] for _ in answers] == answers
                await client.send_frame(request(2, b"a") + b"\1")
                assert [(await client.read_frame())[1] for _ in range(3)] == [b"WB\0\0", b"\0\0", b"WB\x7d\0"]
                assert board.files == {"a": b"abc"}

        run(test())

    def test_the_terminal_goes_on_during_a_transfer(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as client, LoggedIn(running) as other:
                await client.send_frame(request(1, b"a", 4))
                assert (await client.read_frame())[1] == b"WB\0\0"
                board.on_output("während".encode())
                assert await client.read_frame() == (TEXT, "während".encode())
                await other.read_text_until("während")
                await client.send_frame(b"1+1\r", TEXT)
                await other.send_frame(b"2+2\r", TEXT)
                await client.send_frame(b"data")
                assert (await client.read_frame())[1] == b"WB\0\0"
                await client.read_text_until("1+1\r\n>>> ")
                assert board.files == {"a": b"data"}

        run(test())

    def test_what_was_typed_before_a_transfer_is_typed_before_it(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as client:
                await client.send_frame(b"x = 1\r", TEXT)
                await client.put_file("a", b"")
                assert [what.split()[0] for what in board.log] == ["write", "put", "stored"]

        run(test())

    def test_one_client_at_a_time(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as client, LoggedIn(running) as other:
                await client.send_frame(request(1, b"a", 4))
                assert (await client.read_frame())[1] == b"WB\0\0"
                put = asyncio.create_task(other.put_file("b", b"b"))
                await client.send_frame(b"data")
                assert (await client.read_frame())[1] == b"WB\0\0"
                await put
                assert board.log == ["put a 4", "data", "stored a", "put b 1", "data", "stored b"]

        run(test())


class TestLeaving:
    def test_in_the_middle_of_a_put(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running:
                async with LoggedIn(running) as client:
                    await client.send_frame(request(1, b"a", 2000))
                    await client.send_frame(b"x" * 1000)
                    await board.wait_for("data")
                await board.wait_for("gave up a")
                await until(lambda: not running.session.clients)
                assert board.files == {}

        run(test())

    def test_while_the_board_is_stuck(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running:
                board.go.clear()
                async with LoggedIn(running) as client:
                    await client.send_frame(request(1, b"a", 2000))
                    await client.send_frame(b"x" * 1000)
                    await board.wait_for("data")
                await board.wait_for("gave up a")
                async with LoggedIn(running) as client:
                    await client.send_frame(b"typed at a board that does not listen\r", TEXT)
                    await client.get_ver()
                await until(lambda: not running.session.clients)

        run(test())

    def test_while_waiting_for_the_boards_turn(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as first:
                await first.send_frame(request(1, b"a", 4))
                assert (await first.read_frame())[1] == b"WB\0\0"
                async with LoggedIn(running) as second:
                    await second.send_frame(request(1, b"b", 4))
                    await until(lambda: len(running.session.clients) == 2)
                await until(lambda: len(running.session.clients) == 1)
                await first.send_frame(b"data")
                assert (await first.read_frame())[1] == b"WB\0\0"
                assert "put b 4" not in board.log

        run(test())

    def test_the_terminal_is_taken_back_from_who_typed_last(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running:
                async with LoggedIn(running) as reader:
                    await reader.get_ver()
                    async with LoggedIn(running) as typist:
                        await typist.send_frame(b"\x01", TEXT)
                        await board.wait_for("write")
                    await board.wait_for("release")
                await until(lambda: not running.session.clients)
                assert board.log == ["write", "release"]

        run(test())

    def test_a_goodbye_by_the_book(self) -> None:
        async def test() -> None:
            async with serving(FakeBoard()) as running:
                async with connect(f"ws://{running.host}:{running.port}") as websocket:
                    await websocket.send(PASSWORD + "\r")
                    await websocket.close(1000, "done")
                    assert websocket.close_code == 1000
                await until(lambda: not running.session.clients)

        run(test())


class TestTyping:
    def test_ctrl_c_does_not_wait_behind_a_paste_that_the_board_has_not_taken(self) -> None:
        class BusyBoard(FakeBoard):
            """Takes what is typed at once, and is slow in saying that there is room for more."""

            async def write(self, data: bytes) -> None:
                self.typed += data
                await self.note("typing")
                if b"\x03" in data:
                    self.go.set()
                await self.go.wait()

        async def test() -> None:
            board = BusyBoard()
            board.go.clear()
            async with serving(board) as running, LoggedIn(running) as client:
                await client.send_frame(b"a", TEXT)
                await board.wait_for("typing")
                for _ in range(3):
                    await client.send_frame(b"b" * 50_000, TEXT)
                await client.send_frame(b"\x03", TEXT)
                await client.send_frame(b"c", TEXT)
                await until(lambda: board.typed.endswith(b"c"))
                assert board.typed == b"a" + b"b" * 150_000 + b"\x03c"

        # One message more than fits is held back by the connection, so this one has to fit.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(typist, "TYPED_BYTES_MAX", 150_001)
            run(test())

    def test_a_long_paste_waits_and_arrives_whole(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            board.go.clear()
            async with serving(board) as running, LoggedIn(running) as client:
                for number in range(40):
                    await client.send_frame(b"%03d" % number * 3000, TEXT)
                board.go.set()
                expected = b"".join(b"%03d" % number * 3000 for number in range(40))
                await until(lambda: len(board.typed) == len(expected))
                assert board.typed == expected

        run(test())

    def test_typing_at_a_broken_wire_loses_what_was_typed_and_nothing_else(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as client:
                board.fault = BrokenError("the cable is out")
                await client.send_frame(b"lost", TEXT)
                await until(lambda: board.fault is None)
                await client.send_frame(b"kept", TEXT)
                await client.read_text_until("kept")
                assert board.typed == b"kept"

        run(test())


class TestLettingGo:
    def test_a_client_that_falls_silent_in_the_middle_of_a_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(webrepl, "SILENCE_S", 0.1)

        async def test() -> None:
            board = FakeBoard()
            board.files["a"] = BODY
            async with serving(board) as running:
                for opening in (request(1, b"b", 2000) + b"x", request(2, b"a") + b"\0"):
                    async with LoggedIn(running) as client:
                        await client.send_frame(opening)
                        assert await end_of(client) == (1008, "silent for 0.1 s in the middle of a file")
                assert board.log == ["put b 2000", "data", "gave up b", "get a", "end of get a"]

        run(test())

    def test_a_client_may_be_silent_between_files_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(webrepl, "SILENCE_S", 0.05)

        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as client:
                await client.put_file("a", b"x")
                await asyncio.sleep(0.1)
                assert await client.get_ver() == (1, 29, 0)

        run(test())

    def test_a_board_may_be_slow(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(webrepl, "SILENCE_S", 0.05)

        async def test() -> None:
            board = FakeBoard()
            async with serving(board) as running, LoggedIn(running) as client:
                board.go.clear()
                put = asyncio.create_task(client.put_file("a", b"x"))
                await board.wait_for("data")
                await asyncio.sleep(0.1)
                board.go.set()
                await put

        run(test())

    def test_a_client_that_types_without_end_during_its_own_transfer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(typist, "TYPED_BYTES_MAX", 10)

        async def test() -> None:
            async with serving(FakeBoard()) as running, LoggedIn(running) as client:
                await client.send_frame(request(1, b"b", 2000))
                for _ in range(3):
                    await client.send_frame(b"0123456789", TEXT)
                assert await end_of(client) == (1008, "too much typed while a file was under way")

        run(test())

    @pytest.mark.parametrize("reads_in_the_end", [True, False])
    def test_a_client_that_does_not_read(self, monkeypatch: pytest.MonkeyPatch, reads_in_the_end: bool) -> None:
        if not reads_in_the_end:
            monkeypatch.setattr(dialects, "GOODBYE_S", 0.1)

        async def test() -> None:
            board = FakeBoard()
            block = b"x" * 65_536
            async with serving(board) as running, LoggedIn(running) as good:
                slow = await log_in_without_reading(running)
                assert len(running.session.clients) == 2
                while len(running.session.clients) == 2:  # the other one sees everything meanwhile
                    board.on_output(block)
                    seen = 0
                    while seen < len(block):
                        seen += len((await good.read_frame())[1])
                if reads_in_the_end:
                    code, reason = await asyncio.to_thread(drain, slow)
                    assert code == 1013
                    assert "terminal output" in reason
                else:
                    await until(lambda: is_over(slow))
                slow.close()
                assert await good.get_ver() == (1, 29, 0)

        run(test())

    def test_stopping_says_so_and_does_not_take_long(self) -> None:
        async def test() -> None:
            board = FakeBoard()
            loop = asyncio.get_running_loop()
            async with serving(board) as running, LoggedIn(running) as client:
                stuck = await log_in_without_reading(running)
                board.on_output(b"x" * BACKLOG_CHARS_MAX)
                await client.send_frame(request(1, b"a", 2000))
                await board.wait_for("put a 2000")
                started = loop.time()
                running.stop.set()
                assert await end_of(client) == (1001, "the bridge is stopping")
            assert loop.time() - started < 5
            assert board.log == ["put a 2000", "gave up a"]
            stuck.close()

        run(test())


async def log_in_without_reading(running: Running) -> socket.socket:
    """A client with a small window that logs in and then reads nothing."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, (running.host, running.port))
    await loop.sock_sendall(
        sock,
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: foo\r\n\r\n",
    )
    before = len(running.session.clients)
    got = b""
    while b"Password: " not in got:
        got += await loop.sock_recv(sock, 100)
    await loop.sock_sendall(sock, bytes([TEXT, len(PASSWORD) + 1]) + PASSWORD.encode() + b"\r")
    await until(lambda: len(running.session.clients) == before + 1)
    return sock


def drain(sock: socket.socket) -> tuple[int, str]:
    """Read all that is left, and return the close at its end."""
    sock.settimeout(5)
    tail = b""
    while data := sock.recv(1 << 16):
        tail = (tail + data)[-200:]
    at = tail.rindex(b"\x88")
    return int.from_bytes(tail[at + 2 : at + 4], "big"), tail[at + 4 :].decode()


def is_over(sock: socket.socket) -> bool:
    """Whether the connection has been reset."""
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0 or _send_fails(sock)


def _send_fails(sock: socket.socket) -> bool:
    try:
        sock.send(bytes([BINARY, 0]))
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False
