"""Bridges that find each other by multicast DNS, on the loopback interface only."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from webrepl_bridge.cli import cli
from webrepl_bridge.frontends import neighbours as module
from webrepl_bridge.frontends.app import create_app
from webrepl_bridge.frontends.neighbours import Neighbour, Neighbours, Place, find_neighbours, place_of
from webrepl_bridge.frontends.passwords import PasswordGate
from webrepl_bridge.frontends.server import open_listeners, serve
from webrepl_bridge.lab.lab import Lab
from webrepl_bridge.lab.plan import Door, Listener
from webrepl_link.errors import OpenError

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = ["127.0.0.1"]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what we wait for has no event to wait on
        await asyncio.sleep(0.01)


def test_bridges_find_each_other_and_see_each_other_go() -> None:
    async def test() -> None:
        first, second = Neighbours(LOOPBACK), Neighbours(LOOPBACK)
        async with asyncio.timeout(60), first.run(Place(LOOPBACK, 8266)):
            async with second.run(Place(LOOPBACK, 8267, https=True)):
                await until(lambda: bool(first.found and second.found))
                assert [(it.url, it.name.startswith("webrepl-bridge on ")) for it in first.listed()] == [
                    ("https://127.0.0.1:8267/", True)
                ]
                assert [it.url for it in second.listed()] == ["http://127.0.0.1:8266/"]
                assert first.listed()[0].name != second.listed()[0].name  # the second took another one
            await until(lambda: not first.found)

    asyncio.run(test())


def test_what_ends_the_bridge_ends_it_as_it_is() -> None:
    async def test() -> None:
        with pytest.raises(OpenError, match="as it is"):
            async with Neighbours(LOOPBACK).run(None):
                raise OpenError("as it is")

    asyncio.run(test())


@pytest.mark.parametrize(
    ("listeners", "announced"),
    [
        ({Listener("192.0.2.7:8266", ""): 8266}, Place(["192.0.2.7"], 8266)),
        ({Listener("127.0.0.1:1", ""): 1, Listener("192.0.2.7:2", ""): 2}, Place(["192.0.2.7"], 2)),
        ({Listener("localhost:1", ""): 1, Listener("[::1]:2", ""): 2}, None),
        ({Listener("192.0.2.7:1", "lab1"): 1, Listener("192.0.2.7:2", "", Door.TCP): 2}, None),
        ({Listener(":0", ""): 3, Listener("192.0.2.7:2", ""): 2}, Place(["192.0.2.1", "2001:db8::1"], 3)),
    ],
)
def test_what_is_announced(
    listeners: dict[Listener, int], announced: Place | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_all_addresses", lambda: ["127.0.0.1", "192.0.2.1", "::1", "2001:db8::1"])
    assert place_of(listeners, https=False) == announced


def test_zeroconf_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_neighbours().listed() == []
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(OpenError, match=r"pip install 'webrepl-bridge\[mdns\]'"):
        find_neighbours()


def test_they_are_listed_beside_the_boards() -> None:
    async def test() -> None:
        neighbours = Neighbours(LOOPBACK)
        neighbours.found = {
            "b": Neighbour("webrepl-bridge on lab2\x1b", "https://192.0.2.2:8266/"),
            "a": Neighbour("webrepl-bridge on lab1", "http://192.0.2.1:8266/"),
        }
        app = create_app(Lab(), PasswordGate("secret"), neighbours=neighbours)
        sockets, stop, ready = open_listeners("127.0.0.1:0"), asyncio.Event(), asyncio.Event()
        url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
            tasks.create_task(serve(app, sockets, stop=stop, ready=ready.set))
            await ready.wait()
            state = json.loads(await asyncio.to_thread(lambda: urlopen(f"{url}/boards").read()))
            shown = await asyncio.to_thread(CliRunner().invoke, cli, ["boards", "--url", url])
            stop.set()
        assert state["bridges"] == [
            {"name": "webrepl-bridge on lab1", "url": "http://192.0.2.1:8266/"},
            {"name": "webrepl-bridge on lab2\x1b", "url": "https://192.0.2.2:8266/"},
        ]
        assert shown.output.splitlines()[-2:] == [
            "webrepl-bridge on lab1: http://192.0.2.1:8266/",
            "webrepl-bridge on lab2?: https://192.0.2.2:8266/",
        ]

    asyncio.run(test())
