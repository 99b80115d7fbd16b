"""What carries a board's terminal, when its stream ends."""

from __future__ import annotations

import asyncio

import pytest

from webrepl_bridge.boards.repl_wire import ReplWire
from webrepl_link.errors import BrokenError
from webrepl_transports import ByteStream


class Pulled(ByteStream):
    """A wire that is pulled a little later."""

    description, reliable, line_rate_baud = "a wire", False, 115200

    async def receive(self, max_bytes: int = 65536) -> bytes:
        await asyncio.sleep(0)
        raise BrokenError("pulled")

    async def send(self, data: bytes) -> None: ...

    async def aclose(self) -> None: ...


def test_who_ran_it_can_wait_with_a_limit_afterwards() -> None:
    async def test() -> None:
        with pytest.raises(BrokenError, match="pulled"):
            await ReplWire(Pulled(), lambda data: None).run()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0  # else Python 3.11.2 takes the end of a limit for a cancellation

    asyncio.run(test())
