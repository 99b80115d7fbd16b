"""The official client's dialect against a real MicroPython; see official.py."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from clients.official import TEXT, DeniedError, OfficialClient, RefusedError

if TYPE_CHECKING:
    from clients.conftest import Bridge

BODY = bytes((i * 73 + i // 256 * 31) & 255 for i in range(7000))


def test_files_there_and_back(bridge: Bridge) -> None:
    async def test() -> None:
        async with OfficialClient.connect(bridge.host, bridge.port) as client:
            await client.login(bridge.password)
            await client.get_ver()  # this build's banner has no number in it
            for name, data in (("a.bin", BODY), ("empty.bin", b""), ("ä.txt", "grün\n".encode())):
                await client.put_file(name, data)
                assert (bridge.folder / name).read_bytes() == data
                assert await client.get_file(name) == data
            assert (await client.get_ver())[0] == 1
            with pytest.raises(RefusedError, match="code 2"):
                await client.get_file("missing")
            await client.send_frame(b"1 + 1\r", TEXT)
            assert (await client.read_text_until("2\r\n>>> ")).endswith("1 + 1\r\n2\r\n>>> ")

    asyncio.run(test())


def test_a_wrong_password(bridge: Bridge) -> None:
    async def test() -> None:
        async with OfficialClient.connect(bridge.host, bridge.port) as client:
            await client.login("wrong")
            with pytest.raises(DeniedError):
                await client.get_ver()

    asyncio.run(test())
