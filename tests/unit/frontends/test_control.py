"""The boards over HTTP: who may see and do what."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from clients.official import TEXT, OfficialClient
from fake_board import FakeBoard
from serving import PASSWORD, Running, serving
from webrepl_link.errors import BoardError, BrokenError


def basic(password: str, user: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def ask(running: Running, method: str, path: str, authorization: str | None = None) -> tuple[int, str]:
    def talk() -> tuple[int, str]:
        connection = http.client.HTTPConnection(running.host, running.port, timeout=5)
        try:
            connection.request(method, path, headers={"Authorization": authorization} if authorization else {})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    return await asyncio.to_thread(talk)


@asynccontextmanager
async def lab1() -> AsyncIterator[tuple[Running, FakeBoard]]:
    board = FakeBoard()
    async with asyncio.timeout(20), serving(board, name="lab1", watch_password="look") as running:
        yield running, board


@pytest.mark.parametrize("authorization", [basic(PASSWORD), basic(PASSWORD, "me"), f"Bearer {PASSWORD}", basic("look")])
def test_who_knows_a_password_sees_everything(authorization: str) -> None:
    async def test() -> None:
        async with lab1() as (running, board), OfficialClient.connect(running.host, running.port) as client:
            await client.login(PASSWORD)
            await client.get_ver()
            await client.send_frame(b"1+1\r", TEXT)
            await client.read_text_until("1+1\r\n>>> ")
            board.hold(True)
            status, body = await ask(running, "GET", "/boards", authorization)
            assert status == 200
            (said,) = json.loads(body)["boards"]
            assert said == {
                **{"name": "lab1", "connected": True, "clients": 1, "on": "a board", "absence": None, "mode": "raw"},
                **{"version": None, "attached": [{"name": "127.0.0.1#1", "watches_only": False}]},
                **{"holder": "127.0.0.1#1", "files": []},
                "counters": {
                    **{"printed_bytes": 9, "typed_bytes": 4, "losses": 0, "attached": 1},
                    **{"files": {}, "files_failed": 0},
                },
            }

    asyncio.run(test())


def test_who_does_not_sees_what_the_page_needs() -> None:
    async def test() -> None:
        async with lab1() as (running, _):
            status, body = await ask(running, "GET", "/boards")
            assert (status, json.loads(body)["boards"]) == (200, [{"name": "lab1", "connected": True, "clients": 0}])
            assert (await ask(running, "GET", "/boards", basic("wrong")))[0] == 401

    asyncio.run(test())


@pytest.mark.parametrize(
    ("action", "done"),
    [
        ("interrupt", ["interrupt"]),
        ("soft-reset", ["at the prompt: b'\\x04'"]),
        ("hard-reset", ["release", "at the prompt: b'import machine; machine.reset()\\r'"]),
        ("bootloader", ["release", "at the prompt: b'import machine; machine.bootloader()\\r'"]),
        ("takeover", []),
    ],
)
def test_actions(action: str, done: list[str]) -> None:
    async def test() -> None:
        async with lab1() as (running, board), OfficialClient.connect(running.host, running.port) as client:
            await client.login(PASSWORD)
            assert await ask(running, "POST", f"/boards/lab1/{action}", basic(PASSWORD)) == (200, "done\n")
            assert board.log == done
            if done:
                await client.read_text_until(f"[lab1: {action}, by 127.0.0.1]")

    asyncio.run(test())


def test_a_takeover_ends_raw_mode_and_may_disconnect_everyone() -> None:
    async def test() -> None:
        async with lab1() as (running, board), OfficialClient.connect(running.host, running.port) as client:
            await client.login(PASSWORD)
            await client.send_frame(b"\x01", TEXT)
            await board.wait_for("write")
            board.hold(True)
            assert (await ask(running, "POST", "/boards/lab1/takeover", basic(PASSWORD)))[0] == 200
            assert board.log == ["write", "release"]
            await client.read_text_until("[lab1: the REPL has been taken from you: Ctrl-C begins anew]")
            assert (await ask(running, "POST", "/boards/lab1/takeover?disconnect", basic(PASSWORD)))[0] == 200
            while (await client.read_frame())[0] != 0x88:
                pass

    asyncio.run(test())


@pytest.mark.parametrize(
    ("method", "path", "authorization", "status", "said"),
    [
        ("POST", "/boards/lab1/interrupt", None, 401, "this needs the password"),
        ("POST", "/boards/lab1/interrupt", basic("wrong"), 401, "wrong password"),
        ("POST", "/boards/lab1/interrupt", "Basic ???", 400, "no basic authorization"),
        ("POST", "/boards/lab1/interrupt", basic("look"), 403, "who may only watch"),
        ("POST", "/boards/lab2/interrupt", basic(PASSWORD), 404, "there is no board lab2"),
        ("POST", "/boards/lab1/explode", basic(PASSWORD), 404, "there is no action explode, but interrupt, soft-reset"),
        ("GET", "/boards/lab1/interrupt", basic(PASSWORD), 405, "Method Not Allowed"),
    ],
)
def test_refusals(method: str, path: str, authorization: str | None, status: int, said: str) -> None:
    async def test() -> None:
        async with lab1() as (running, board):
            got, body = await ask(running, method, path, authorization)
            assert got == status
            assert said in body
            assert body.count("\n") == 1
            assert board.log == []

    asyncio.run(test())


def test_guessing_is_slowed_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with lab1() as (running, _):
            for _ in range(4):
                assert (await ask(running, "GET", "/boards", basic("wrong")))[0] == 401

    waited: list[float] = []
    sleep = asyncio.sleep

    async def note(delay_s: float, *rest: Any) -> None:
        waited.append(delay_s)
        await sleep(0)

    monkeypatch.setattr("webrepl_bridge.frontends.control.asyncio.sleep", note)
    asyncio.run(test())
    assert max(waited) == 1.0


@pytest.mark.parametrize(
    ("error", "status"), [(BoardError(110, "it does not answer"), 409), (BrokenError("it broke"), 502), (None, 503)]
)
def test_what_the_board_does_not_do(error: Exception | None, status: int) -> None:
    async def test() -> None:
        async with lab1() as (running, board):
            if error is None:
                running.session.board = None
            else:

                async def fail(keys: bytes) -> None:
                    raise error

                board.type_at_prompt = fail  # type: ignore[method-assign]
            got, body = await ask(running, "POST", "/boards/lab1/soft-reset", basic(PASSWORD))
            assert got == status
            assert body == (f"{error}\n" if error else "the board is not there: not opened yet\n")

    asyncio.run(test())
