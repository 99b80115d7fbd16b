"""A wire that is lent: the board sees its end, and it is closed when it has been given back."""

from __future__ import annotations

import asyncio

import pytest

from webrepl_bridge.boards.lending import LendableStream
from webrepl_link.errors import BrokenError
from webrepl_transports import ByteStream


class Wire(ByteStream):
    """Gives what it is told to."""

    description, reliable, line_rate_baud = "a wire", False, 115200

    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()
        self.sent = b""
        self.closed = False

    async def receive(self, max_bytes: int = 65536) -> bytes:
        return await self.received.get()

    async def send(self, data: bytes) -> None:
        self.sent += data

    async def aclose(self) -> None:
        self.closed = True


def test_lending() -> None:
    async def test() -> None:
        wire = Wire()
        stream = LendableStream(wire)
        assert (stream.description, stream.reliable, stream.line_rate_baud) == ("a wire", False, 115200)
        await stream.send(b"from the board's side")
        wire.received.put_nowait(b"to the board")
        assert await stream.receive() == b"to the board"
        waiting = asyncio.create_task(stream.receive())
        await asyncio.sleep(0)
        with stream.lend("esptool") as lent:
            with pytest.raises(BrokenError, match="lent to esptool"):
                await waiting
            with pytest.raises(BrokenError):
                await stream.receive()
            with pytest.raises(BrokenError):
                await stream.send(b"x")
            with pytest.raises(BrokenError), stream.lend("another"):
                pass
            closing = asyncio.create_task(stream.aclose())
            wire.received.put_nowait(b"to the tool")
            assert await lent.receive() == b"to the tool"
            assert not wire.closed
        await closing
        assert wire.closed

    asyncio.run(test())


def test_a_wire_that_is_taken_away_is_closed_at_once() -> None:
    async def test() -> None:
        wire = Wire()
        stream = LendableStream(wire)
        with stream.lend("esptool"):
            closing = asyncio.create_task(stream.aclose())
            await asyncio.sleep(0)
            closing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await closing
            assert wire.closed

    asyncio.run(test())


def test_a_wire_that_was_never_lent_is_closed_at_once() -> None:
    async def test() -> None:
        wire = Wire()
        await LendableStream(wire).aclose()
        assert wire.closed

    asyncio.run(test())
