"""PyPI: mpfshell, a file shell through raw REPL; WebSocket by the book, port 8266 and no other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from clients.official import TEXT, OfficialClient
from clients.running import run_python

if TYPE_CHECKING:
    from clients.conftest import Bridge


UOS = (
    "import os, sys; sys.modules['uos'] = type('uos', (), dict({name: getattr(os, name) for name in dir(os)},"
    " uname=lambda: ('unix',)))\r"
)
"""mpfshell asks for os.uname(), which boards have and MicroPython's unix port has not."""


async def add_uname(bridge: Bridge) -> None:
    async with OfficialClient.connect(bridge.host, bridge.port) as client:
        await client.login(bridge.password)
        await client.read_text_until("connected\r\n>>> ")
        await client.send_frame(UOS.encode(), TEXT)
        assert "Traceback" not in await client.read_text_until("\r\n>>> ")


def test_files(bridge: Bridge) -> None:
    asyncio.run(add_uname(bridge))
    code = """
    import os, tempfile
    from mp.mpfexp import MpFileExplorer
    local = os.path.join(tempfile.mkdtemp(), "x.bin")
    open(local, "wb").write(bytes(range(256)) * 2)
    files = MpFileExplorer(f"ws:{host},{password}")
    files.put(local, "x.bin")
    files.puts("y.txt", "grün\\n")
    files.md("folder")
    files.get("x.bin", local + "2")
    result = [files.ls(), open(local + "2", "rb").read().hex(), files.gets("y.txt"), files.sysname]
    files.rm("y.txt")
    files.close = lambda: None  # now and then it waits 10 s for its own reader thread, whatever the server does
    """
    names, body, text, _ = run_python(bridge, code)
    assert names == ["folder", "x.bin", "y.txt"]
    assert body == (bytes(range(256)) * 2).hex()
    assert text == "grün\n"
    assert sorted(path.name for path in bridge.folder.iterdir()) == ["folder", "x.bin"]


def test_a_wrong_password(bridge: Bridge) -> None:
    code = """
    from mp.conbase import ConError
    from mp.mpfexp import MpFileExplorer
    try:
        MpFileExplorer(f"ws:{host},wrong")
        result = "let in"
    except ConError:
        result = "refused"
    """
    assert run_python(bridge, code) == "refused"
