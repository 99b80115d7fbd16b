"""Files and the terminal over HTTP, on a fake board: who may, where it is, what fails, and who leaves."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, cast

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from fake_board import FakeBoard
from lab_kit import run
from serving import PASSWORD, Running, serving
from webrepl_bridge.boards.base import FileReader
from webrepl_bridge.frontends import rest_files
from webrepl_bridge.frontends.app import create_app
from webrepl_bridge.frontends.guard import Guard
from webrepl_bridge.frontends.neighbours import Neighbour, Neighbours
from webrepl_bridge.frontends.passwords import PasswordGate
from webrepl_bridge.frontends.server import open_listeners, serve
from webrepl_bridge.lab.lab import Lab
from webrepl_bridge.protocol.file_requests import Answer, FileRequest, GetSpace, Space
from webrepl_bridge.session import Limits, Session
from webrepl_link.errors import BoardError, BrokenError


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f":{password}".encode()).decode()


KNOWN = {"Authorization": basic(PASSWORD)}


class Told(NamedTuple):
    status: int
    headers: dict[str, str]
    body: str


async def ask(
    where: tuple[str, int], method: str, path: str, body: bytes | None = None, headers: dict[str, str] = KNOWN
) -> Told:
    def talk() -> Told:
        connection = http.client.HTTPConnection(*where, timeout=10)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return Told(response.status, told, response.read().decode())
        finally:
            connection.close()

    return await asyncio.to_thread(talk)


class Board(FakeBoard):
    """A fake board that knows its space, and notes when a file has been read to its end."""

    total_bytes = 1 << 30

    @asynccontextmanager
    async def get(self, name: str, offset_bytes: int = 0, size_bytes: int | None = None) -> AsyncIterator[Any]:
        async with super().get(name, offset_bytes, size_bytes) as reader:
            yield _Noting(self, reader)

    async def ask(self, request: FileRequest[Answer]) -> Answer:
        if isinstance(request, GetSpace):
            await self.note(f"space of {request.name}")
            return cast("Answer", Space(self.total_bytes, self.free_bytes))
        return await super().ask(request)


class _Noting:
    def __init__(self, board: Board, reader: FileReader) -> None:
        self._board = board
        self._reader = reader

    async def read(self) -> bytes:
        data = await self._reader.read()
        if not data:
            await self._board.note("read to its end")
        return data


@asynccontextmanager
async def lab1(**options: Any) -> AsyncIterator[tuple[Running, Board, tuple[str, int]]]:
    board = Board()
    async with serving(board, name="lab1", **options) as running:
        yield running, board, (running.host, running.port)


def test_the_generic_address_sends_on_to_the_boards_own() -> None:
    async def test() -> None:
        async with lab1() as (_, board, where):
            board.files["/a b/é"] = b"x"
            for path in ("/fs/a%20b/%C3%A9?x=1&y", "/cp/version.json", "/cp/serial/"):
                told = await ask(where, "GET", path)
                assert (told.status, told.headers["location"]) == (307, f"/lab1{path}")
            assert (await ask(where, "GET", "/lab1/fs/a%20b/%C3%A9")).body == "x"
            assert (await ask(where, "GET", "/lab1/cp/serial/")).headers["location"] == "/"
            assert (await ask(where, "GET", "/lab2/fs/x")).status == 404

    run(test())


def test_an_address_of_one_board_is_its_own() -> None:
    async def test() -> None:
        lab = Lab()
        sessions = [Session(name) for name in ("lab1", "lab2")]
        lab.sessions.update((session.name, session) for session in sessions)
        neighbours = Neighbours()
        neighbours.found["far"] = Neighbour("webrepl-bridge on far", "http://10.0.0.9:8266/")
        app = Guard(create_app(lab, PasswordGate(PASSWORD), board="lab2", neighbours=neighbours))
        sockets = open_listeners("127.0.0.1:0")
        where = sockets[0].getsockname()
        stop = asyncio.Event()
        board = Board()
        board.files["/x"] = b"two"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(app, sockets, stop=stop))
            with sessions[1].serve(board):
                assert (await ask(where, "GET", "/fs/x")).body == "two"
                assert (await ask(where, "GET", "/lab1/fs/x")).status == 503
                devices = json.loads((await ask(where, "GET", "/cp/devices.json", headers={})).body)
                version = json.loads((await ask(where, "GET", "/cp/version.json", headers={})).body)
            stop.set()
        here, far = devices["devices"]
        assert devices["total"] == 2
        url = f"http://127.0.0.1:{where[1]}/lab1/"
        assert here | {"hostname": ""} == {
            **{"hostname": "", "instance_name": "lab1", "port": where[1], "ip": "127.0.0.1", "url": url},
        }
        assert (far["instance_name"], far["ip"], far["port"]) == ("webrepl-bridge on far", "10.0.0.9", 8266)
        assert (version["version"], version["board_name"]) == ("0.0.0", "lab2")

    run(test())


def test_only_who_has_the_password_has_the_board_asked() -> None:
    async def test() -> None:
        async with lab1(watch_password="look") as (_, board, where):
            for headers, version in (({}, "0.0.0"), ({"Authorization": basic("look")}, "0.0.0"), (KNOWN, "1.29.0")):
                told = await ask(where, "GET", "/lab1/cp/version.json", headers=headers)
                assert json.loads(told.body)["version"] == version
            for path in ("/fs/", "/fs/x", "/cp/diskinfo.json"):
                assert (await ask(where, "GET", f"/lab1{path}", headers={})).status == 401
                assert (await ask(where, "GET", f"/lab1{path}", headers={"Authorization": basic("look")})).status == 403
            assert board.log == []

    run(test())


def test_pages_of_named_origins_may_ask() -> None:
    async def test() -> None:
        async with lab1() as (_, board, where):
            board.files["/x"] = b"x"
            page = {"Origin": "https://micropython.org"}
            wanted = {"Access-Control-Request-Method": "MOVE", "Access-Control-Request-Headers": "authorization"}
            told = await ask(where, "OPTIONS", "/fs/x", headers=page | wanted)
            assert (told.status, told.headers["access-control-allow-origin"]) == (200, "*")
            assert "MOVE" in told.headers["access-control-allow-methods"]
            assert told.headers["access-control-allow-headers"] == "authorization"
            assert "access-control-allow-credentials" not in told.headers
            for path in ("/lab1/fs/x", "/lab1/fs/none", "/fs/x"):
                assert (await ask(where, "GET", path, headers=KNOWN | page)).headers["access-control-allow-origin"]
            assert (await ask(where, "GET", "/lab1/fs/x", headers=page)).status == 401
            other = await ask(where, "GET", "/lab1/fs/x", headers=KNOWN | {"Origin": "https://evil.example"})
            assert other.status == 403

    run(test())


def test_what_a_board_holds_does_not_run_as_the_bridges_page() -> None:
    async def test() -> None:
        async with lab1() as (_, board, where):
            board.files["/x.html"] = b"<script>"
            headers = (await ask(where, "GET", "/lab1/fs/x.html")).headers
            assert headers["content-security-policy"] == "sandbox"
            assert headers["x-content-type-options"] == "nosniff"

    run(test())


@pytest.mark.parametrize(
    ("error", "status"),
    [
        *[(BoardError(code, "no"), status) for code, status in ((2, 404), (30, 409), (28, 413), (16, 503), (99, 500))],
        (BrokenError("it broke"), 502),
    ],
)
def test_what_fails_on_the_board(error: Exception, status: int) -> None:
    async def test() -> None:
        async with lab1() as (_, board, where):
            for method, path in (("GET", "x"), ("PUT", "x"), ("DELETE", "x"), ("GET", ""), ("PUT", "lib/")):
                board.files["/x"] = b"x"
                board.fault = error
                told = await ask(where, method, f"/lab1/fs/{path}")
                if (method, status) != ("PUT", 404):  # what is not there can be put
                    assert told.status == status
                    assert told.body.count("\n") == 1

    run(test())


def test_a_file_that_is_too_large() -> None:
    async def test() -> None:
        async with lab1() as (_, board, where):
            board.free_bytes = 10
            assert (await ask(where, "PUT", "/lab1/fs/x", bytes(10))).status == 201
            assert (await ask(where, "PUT", "/lab1/fs/x", bytes(10))).status == 204
            told = await ask(where, "PUT", "/lab1/fs/x", bytes(11))
            assert (told.status, told.body[:10]) == (413, "10 bytes a")
            assert (await ask(where, "PUT", "/lab1/fs/x", bytes(11), KNOWN | {"Expect": "100-continue"})).status == 417
            assert board.files["/x"] == bytes(10)
            board.log.clear()
            board.total_bytes = board.free_bytes = 0
            assert (await ask(where, "PUT", "/lab1/fs/flash/x", b"")).status == 201
            assert (await ask(where, "PUT", "/lab1/fs/flash/x", b"1")).status == 413  # the board's own answer
            assert board.log.count("space of /flash") == 2
            assert "put /flash/x 1" in board.log

    run(test())


async def begin(where: tuple[str, int], *lines: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(*where)
    known = f"Authorization: {KNOWN['Authorization']}"
    writer.write("\r\n".join([*lines, "Host: localhost", known, "", ""]).encode())
    return reader, writer


def test_a_client_that_leaves_in_the_middle_of_its_file() -> None:
    async def test() -> None:
        async with lab1() as (_, board, where):
            board.files["/x"] = b"old"
            _, writer = await begin(where, "PUT /lab1/fs/x HTTP/1.1", "Content-Length: 9000")
            writer.write(bytes(5000))
            await board.wait_for("data")
            writer.close()
            await board.wait_for("gave up /x")
            assert (await ask(where, "GET", "/lab1/fs/x")).body == "old"

    run(test())


def test_a_client_that_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_files, "SILENCE_S", 0.05)

    async def test() -> None:
        async with lab1() as (_, board, where):
            reader, writer = await begin(where, "PUT /lab1/fs/x HTTP/1.1", "Content-Length: 9000")
            writer.write(bytes(5000))
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
            writer.close()
            assert "gave up /x" in board.log

    run(test())


def test_a_client_that_does_not_take_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_files, "SILENCE_S", 0.05)

    async def test() -> None:
        async with lab1() as (_, board, where):
            board.files["/x"] = bytes(20_000_000)
            _, writer = await begin(where, "GET /lab1/fs/x HTTP/1.1")
            await board.wait_for("end of get /x")
            writer.close()

    run(test())


def test_a_client_that_leaves_before_its_file_has_come() -> None:
    async def test() -> None:
        async with lab1() as (_, board, where):
            board.files["/x"] = bytes(10_000)
            board.go.clear()
            reader, writer = await begin(where, "GET /lab1/fs/x HTTP/1.1")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            writer.close()
            await board.wait_for("end of get /x")

    run(test())


def test_a_client_that_leaves_when_it_has_all_does_not_cut_the_board_short() -> None:
    async def test() -> None:
        async with lab1() as (_, board, where):
            board.files["/x"] = bytes(10_000)
            board.go.clear()
            reader, writer = await begin(where, "GET /lab1/fs/x HTTP/1.1")
            await reader.readuntil(b"\r\n\r\n")
            board.go.set()
            assert await reader.readexactly(10_000) == bytes(10_000)
            assert "read to its end" in board.log
            writer.close()

    run(test())


def test_a_file_that_breaks_off_is_not_taken_for_whole() -> None:
    async def test() -> None:
        async with lab1() as (_, board, where):
            board.files["/x"] = bytes(10_000)
            board.go.clear()
            reader, writer = await begin(where, "GET /lab1/fs/x HTTP/1.1")
            await reader.readuntil(b"\r\n\r\n")
            board.fault = BrokenError("it broke")
            board.go.set()
            assert len(await reader.read()) < 10_000
            writer.close()

    run(test())


def test_no_more_wait_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_files, "WAITING_MAX", 1)

    async def test() -> None:
        async with lab1() as (running, _, where):
            async with running.session.files.turn("get", "/x", "somebody"):
                told = await ask(where, "GET", "/lab1/fs/x")
            assert (told.status, told.headers["retry-after"]) == (503, "1")

    run(test())


# The terminal.


def terminal(
    where: tuple[str, int], password: str = PASSWORD, path: str = "/lab1/cp/serial/", **options: Any
) -> connect:
    headers = {"Authorization": basic(password)}
    return connect(f"ws://{where[0]}:{where[1]}{path}", additional_headers=headers, compression=None, **options)


async def prompt(client: ClientConnection) -> str:
    """Read up to the next prompt."""
    text = ""
    while not text.endswith(">>> "):
        text += str(await client.recv())
    return text


@pytest.mark.parametrize("path", ["/cp/serial/", "/lab1/cp/serial/"])
def test_the_terminal_is_bare_text(path: str) -> None:
    async def test() -> None:
        async with lab1() as (_, board, where), terminal(where, path=path) as client:
            await client.send("grün\r")
            assert await prompt(client) == "grün\r\n>>> "
            await client.send(b"2\r")
            assert await prompt(client) == "2\r\n>>> "
            assert board.typed == "grün\r2\r".encode()

    run(test())


def test_who_may_not_use_the_terminal() -> None:
    async def status(where: tuple[str, int], password: str, **options: Any) -> int:
        with pytest.raises(InvalidStatus) as caught:
            await terminal(where, password, **options).__aenter__()
        return caught.value.response.status_code

    async def test() -> None:
        async with lab1() as (running, _, where):
            assert await status(where, "wrong") == 401
            assert await status(where, PASSWORD, path="/lab2/cp/serial/") == 404
            assert await status(where, PASSWORD, origin="null") == 403
            assert await status(where, PASSWORD, origin="https://micropython.org") == 403
            running.session.restrict(Limits(clients_max=0))
            assert await status(where, PASSWORD) == 503

    run(test())


def test_who_watches_does_not_type() -> None:
    async def test() -> None:
        async with lab1(watch_password="look") as (_, board, where), terminal(where, "look") as client:
            await client.send("x")
            assert "you are here to watch" in str(await client.recv())
            assert not board.typed

    run(test())


def test_who_leaves_gives_the_terminal_back_and_who_is_dismissed_is_told() -> None:
    async def test() -> None:
        async with lab1() as (running, board, where):
            async with terminal(where) as client:
                await client.send("\x01")
                await board.wait_for("write")
                board.hold(True)
            await board.wait_for("release")
            async with terminal(where) as client:
                await client.send("x")
                await client.recv()
                running.session.dismiss("taken over")
                with pytest.raises(ConnectionClosed, match="taken over"):
                    await client.recv()

    run(test())
