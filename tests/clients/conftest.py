"""A running bridge for real clients: their WebREPL on one side, a real MicroPython's REPL on the other."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from clients.official import TEXT, OfficialClient
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.plan import Door, LabPlan, Listener
from webrepl_bridge.serve import run_bridge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from board_kit.unix_vm import UnixVM

PASSWORD = "secret"
PORT = 8266
"""mpfshell and micropython-ctl know no other port, so that every test has a loopback address instead."""

RFC2217_PORT, TCP_PORT = 2217, 2323

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Bridge:
    """A running bridge.

    Attributes:
        host: its address, this test's own.
        port: its port, always 8266.
        password: what lets a client in.
        folder: the board's files.
    """

    host: str
    port: int
    password: str
    folder: Path

    @property
    def url(self) -> str:
        """Where a WebSocket client connects to."""
        return f"ws://{self.host}:{self.port}"


@pytest.fixture(params=[1, 2], ids=["bridge", "bridge-behind-bridge"])
def bridge(unix_vm: UnixVM, request: pytest.FixtureRequest) -> Iterator[Bridge]:
    """A bridge in a thread of its own, in front of a MicroPython of its own, or of another bridge."""
    device = unix_vm.device
    with ExitStack() as bridges:
        for _ in range(request.param):
            host = bridges.enter_context(in_thread(device))
            asyncio.run(first_prompt(host))
            device = f"ws://{host}:{PORT}/"
        yield Bridge(host, PORT, PASSWORD, unix_vm.folder)


@contextmanager
def in_thread(device: str) -> Iterator[str]:
    """Bridge the board on `device` while the block runs, which may itself block; yields the host, for all its ports."""
    host = f"127.{1 + os.getpid() % 250}.{os.getpid() // 250 % 250}.{next(_numbers)}"
    tools = (
        Listener(f"{host}:{RFC2217_PORT}", "", Door.RFC2217),
        Listener(f"{host}:{TCP_PORT}", "", Door.TCP),
    )
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    plan = LabPlan({"unix": BoardOptions(device, board_password=PASSWORD)}, (f"{host}:{PORT}",), PASSWORD, tools=tools)

    async def bridge_board() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        await run_bridge(plan, ready=lambda *_: started.set_result((loop, stop)), stop=stop)

    def run() -> None:
        try:
            asyncio.run(bridge_board())
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=run, name="bridge")
    thread.start()
    try:
        loop, stop = started.result()
        try:
            yield host
        finally:
            loop.call_soon_threadsafe(stop.set)
    finally:
        thread.join()


async def first_prompt(host: str) -> None:
    """Wait until the board has started and shown what it shows then."""
    async with OfficialClient.connect(host, PORT) as client:
        await client.login(PASSWORD)
        await client.send_frame(b"#started\r", TEXT)
        await client.read_text_until("#started\r\n>>> ")
