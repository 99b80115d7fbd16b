"""Addresses that change while the bridge runs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette

from webrepl_bridge.frontends.listening import Listening
from webrepl_bridge.lab.plan import Listener
from webrepl_link.errors import OpenError

HERE, THERE = Listener("127.0.0.1:0", ""), Listener("127.0.0.2:0", "lab1")


def listening(test: Callable[[Listening], Awaitable[None]]) -> None:
    async def run() -> None:
        made = Listening(lambda board: Starlette(), lambda board: None)
        async with asyncio.timeout(20), made.run():
            await test(made)

    asyncio.run(run())


async def answers(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


def test_only_what_changes_is_opened_and_closed() -> None:
    async def test(made: Listening) -> None:
        await made.change([HERE])
        port = made.ports[HERE]
        await made.change([HERE, THERE])
        assert made.ports[HERE] == port
        assert await answers("127.0.0.2", made.ports[THERE])
        gone = made.ports[THERE]
        await made.change([HERE])
        assert await answers("127.0.0.1", port)
        assert not await answers("127.0.0.2", gone)

    listening(test)


def test_an_address_may_be_taken_over_by_a_wider_one() -> None:
    async def test(made: Listening) -> None:
        await made.change([HERE])
        port = made.ports[HERE]
        everywhere = Listener(f"0.0.0.0:{port}", "")
        await made.change([everywhere])
        assert made.ports == {everywhere: port}
        assert await answers("127.0.0.3", port)

    listening(test)


def test_if_one_cannot_be_opened_all_is_as_it_was() -> None:
    async def test(made: Listening) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            fixed = Listener(f"127.0.0.4:{taken.getsockname()[1]}", "")
            await made.change([fixed])
            with pytest.raises(OpenError, match="is in use"):
                await made.change([THERE, Listener(f"127.0.0.1:{taken.getsockname()[1]}", "")])
            assert list(made.ports) == [fixed]
            assert await answers("127.0.0.4", made.ports[fixed])

    listening(test)
