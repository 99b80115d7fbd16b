"""A running bridge with several boards, and people at them; for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from clients.official import TEXT, OfficialClient
from webrepl_bridge.lab.lab import Lab
from webrepl_bridge.lab.plan import LabPlan, Listener
from webrepl_bridge.serve import run_bridge

PASSWORD = "secret"
ANYWHERE = "127.0.0.1:0"
BANNER_END = "for more information.\r\n>>> "


def run(test: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await test

    asyncio.run(bounded())


class RunningLab:
    """A running bridge.

    Attributes:
        lab: its boards.
        ports: where it listens.
    """

    def __init__(self, lab: Lab, ports: dict[Listener, int]) -> None:
        self.lab = lab
        self.ports = ports

    @property
    def port(self) -> int:
        """The first address' port."""
        return next(iter(self.ports.values()))

    @asynccontextmanager
    async def client(self, path: str = "/", port: int | None = None) -> AsyncIterator[OfficialClient]:
        """A client that has logged in."""
        async with OfficialClient.connect("127.0.0.1", port or self.port, path) as client:
            await client.login(PASSWORD)
            await client.read_text_until("WebREPL connected\r\n>>> ")
            yield client


@asynccontextmanager
async def bridging(plan: LabPlan, reload: Callable[[], LabPlan] | None = None) -> AsyncIterator[RunningLab]:
    """Run a bridge until the block ends."""
    stop = asyncio.Event()
    ready: asyncio.Future[RunningLab] = asyncio.get_running_loop().create_future()

    def is_ready(lab: Lab, ports: Any) -> None:
        ready.set_result(RunningLab(lab, ports))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(run_bridge(plan, ready=is_ready, stop=stop, reload=reload))
        try:
            yield await ready
        finally:
            stop.set()


async def evaluate(client: OfficialClient, expression: str) -> str:
    """Type a line and return what the board prints for it."""
    await client.send_frame(expression.encode() + b"\r", TEXT)
    await client.read_text_until(expression + "\r\n")
    return (await client.read_text_until(">>> ")).removesuffix(">>> ").strip()


async def end_of(client: OfficialClient) -> tuple[int, str]:
    """Read until the server closes, and return the close's code and reason."""
    while True:
        first_byte, payload = await client.read_frame()
        if first_byte == 0x88:
            return int.from_bytes(payload[:2], "big"), payload[2:].decode()


async def until(condition: Callable[[], bool], change: Callable[[], Awaitable[object]] | None = None) -> None:
    """Let the bridge work until `condition` holds; the test bounds the time."""
    while not condition():
        await (change() if change else asyncio.sleep(0.005))
