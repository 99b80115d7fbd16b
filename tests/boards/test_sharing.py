"""One real REPL among several clients."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from board_kit.unix_vm import UnixVM
from clients.official import TEXT, ClientError, OfficialClient, RefusedError
from lab_kit import ANYWHERE, PASSWORD, RunningLab, bridging, end_of, evaluate, run
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.plan import LabPlan
from webrepl_bridge.protocol import floor
from webrepl_bridge.session import Limits

EBUSY = 16
RAW_PROMPT = "raw REPL; CTRL-B to exit\r\n>"


def sharing(vm: UnixVM, test: Callable[..., Awaitable[None]], clients: int = 2, **changes: object) -> None:
    """Run `test` with a bridge and so many clients."""

    async def serve() -> None:
        plan = LabPlan({"lab1": BoardOptions(vm.device)}, (ANYWHERE,), PASSWORD)
        async with bridging(replace(plan, **changes)) as bridge, AsyncExitStack() as stack:  # type: ignore[arg-type]
            people = [await stack.enter_async_context(bridge.client()) for _ in range(clients)]
            for person in people[:1]:
                assert await evaluate(person, "6 * 7") == "42"
            await test(bridge, *people)

    run(serve())


async def type_(client: OfficialClient, data: bytes) -> None:
    await client.send_frame(data, TEXT)


def test_a_tool_in_raw_mode_is_not_disturbed(unix_vm: UnixVM) -> None:
    async def test(_: RunningLab, tool: OfficialClient, person: OfficialClient) -> None:
        await type_(tool, b"\x01")
        await tool.read_text_until(RAW_PROMPT)
        await type_(person, b"'person'\r")
        await person.read_text_until("has the REPL in raw mode: what you type waits]\r\n")
        await type_(tool, b"x = 1\n")
        await type_(tool, b"print('tool', x)\x04")
        await tool.read_text_until("OKtool 1\n\x04\x04>")
        await type_(tool, b"\x02")
        assert "person" not in await tool.read_text_until(">>> ")
        for client in (tool, person):
            await client.read_text_until("'person'\r\n'person'\r\n>>> ")

    sharing(unix_vm, test)


def test_keys_that_come_while_the_mode_changes_wait_too(unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, tool: OfficialClient, person: OfficialClient) -> None:
        session = bridge.lab.sessions["lab1"]
        for _ in range(20):
            with session.attach("tool") as quick, session.attach("person") as other:
                await quick.write(b"\x01")
                assert session.holder is quick
                await type_(person, b"'person'\r")
                await quick.write(b"print('tool')\x04")
                await tool.read_text_until("OKtool\n\x04\x04>")
                await quick.write(b"\x02")
                await tool.read_text_until("'person'\r\n'person'\r\n>>> ")
                del other

    sharing(unix_vm, test)


def test_someones_interrupt_is_nothing_to_tell(unix_vm: UnixVM) -> None:
    async def test(_: RunningLab, first: OfficialClient, second: OfficialClient) -> None:
        for _ in range(5):
            await type_(first, b"\x03")
            await type_(second, b"'second'\r")
            seen = await second.read_text_until("'second'\r\n'second'\r\n>>> ")
            assert "[lab1" not in seen

    sharing(unix_vm, test)


@pytest.mark.parametrize(("keys", "mode"), [(b"\x01x = (", "raw"), (b"\x05x = (", "paste")])
def test_who_stalls_loses_the_repl(keys: bytes, mode: str, unix_vm: UnixVM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "STALL_MS", 300)

    async def test(_: RunningLab, holder: OfficialClient, person: OfficialClient) -> None:
        await type_(holder, keys)
        await person.read_text_until(RAW_PROMPT if mode == "raw" else "=== x = (")
        await type_(person, b"'person'\r")
        await person.read_text_until("has fallen silent]\r\n")
        await person.read_text_until("'person'\r\n'person'\r\n>>> ")
        await holder.read_text_until("the REPL has been taken from you: Ctrl-C begins anew]\r\n")
        await type_(holder, b"more)\x04")
        await type_(holder, b"\x03")
        await type_(holder, b"'again'\r")
        assert "more" not in await person.read_text_until("'again'\r\n'again'\r\n>>> ")

    sharing(unix_vm, test)


@pytest.mark.parametrize(("keys", "shown"), [(b"\x01x = (", RAW_PROMPT), (b"\x05x = (", "=== x = (")])
def test_a_file_does_not_wait_for_the_one_who_wants_it(keys: bytes, shown: str, unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, client: OfficialClient) -> None:
        await type_(client, keys)
        await client.read_text_until(shown)
        board = bridge.lab.sessions["lab1"].present_board()
        while not board.is_half_typed:  # noqa: ASYNC110  # the prompt is shown before the code is on its way
            await asyncio.sleep(0)
        with pytest.raises(RefusedError) as refused:
            await client.put_file("f", b"1")
        assert refused.value.code == EBUSY
        await type_(client, b"\x03")
        await type_(client, b"\x02")
        await client.put_file("f", b"1")
        assert await client.get_file("f") == b"1"

    sharing(unix_vm, test, clients=1)


def test_who_leaves_in_raw_mode_leaves_a_prompt(unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, person: OfficialClient) -> None:
        async with bridge.client() as tool:
            await type_(tool, b"\x01import time\ntime.sleep(100)\x04")
            await tool.read_text_until("OK")
            await type_(person, b"'person'\r")
            await person.read_text_until("what you type waits]\r\n")
        await person.read_text_until("'person'\r\n'person'\r\n>>> ")

    sharing(unix_vm, test, clients=1)


def test_a_takeover_ends_what_runs_in_raw_mode(unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, tool: OfficialClient, person: OfficialClient) -> None:
        await type_(tool, b"\x01import time\ntime.sleep(100)\x04")
        await tool.read_text_until("OK")
        await bridge.lab.sessions["lab1"].take_over("person wants it")
        await person.read_text_until("[lab1: back to the prompt: person wants it]\r\n")
        assert await evaluate(person, "6 * 7") == "42"

    sharing(unix_vm, test)


def test_one_client_as_with_the_firmware(unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, first: OfficialClient) -> None:
        async with OfficialClient.connect("127.0.0.1", bridge.port) as second:
            assert await end_of(second) == (1013, "lab1 takes no more clients now")
            assert second.text == ""
        with pytest.raises(ClientError, match="the connection ended"):
            async with OfficialClient.connect("127.0.0.1", bridge.port) as second:
                await second.login(PASSWORD)
        assert await evaluate(first, "6 * 7") == "42"

    sharing(unix_vm, test, clients=1, limits=Limits(clients_max=1))


def test_a_second_password_is_for_watching(unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, person: OfficialClient) -> None:
        async with OfficialClient.connect("127.0.0.1", bridge.port) as watcher:
            await watcher.login("look")
            await watcher.read_text_until("WebREPL connected\r\n>>> ")
            await type_(watcher, b"x\x03")
            await watcher.read_text_until("you are here to watch: what you type is lost]\r\n")
            with pytest.raises(RefusedError, match="code 13"):
                await watcher.put_file("a", b"x")
            assert await watcher.get_ver() != (0, 0, 0)
            assert await evaluate(person, "6 * 7") == "42"
            await watcher.read_text_until("6 * 7\r\n42\r\n>>> ")

    sharing(unix_vm, test, clients=1, watch_password="look")
    assert not (Path(unix_vm.folder) / "a").exists()


@pytest.mark.parametrize(
    ("agent", "query", "is_shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64)", "", True),
        ("Mozilla/5.0 (X11; Linux x86_64)", "?scrollback=no", False),
        ("Python/3.11 websockets/15", "", False),
        ("Python/3.11 websockets/15", "?scrollback=yes", True),
    ],
)
def test_a_browser_that_comes_late_sees_what_was_shown(agent: str, query: str, is_shown: bool, unix_vm: UnixVM) -> None:
    async def test(bridge: RunningLab, person: OfficialClient) -> None:
        url = f"ws://127.0.0.1:{bridge.port}/{query}"
        async with connect(url, user_agent_header=agent, compression=None) as late:
            await late.send(PASSWORD + "\r")
            assert [await late.recv(), await late.recv()] == ["Password: ", "\r\nWebREPL connected\r\n>>> "]
            await type_(person, b"'new'\r")
            seen = ""
            while "'new'\r\n'new'\r\n>>> " not in seen:
                seen += str(await late.recv())
        assert ("[lab1: what was shown before]" in seen) == is_shown
        assert ("6 * 7\r\n42\r\n>>> " in seen) == is_shown

    sharing(unix_vm, test, clients=1)
