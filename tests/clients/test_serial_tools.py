"""Real mpremote and rshell on a board that a browser watches, over RFC 2217 and raw TCP."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest

from board_kit.unix_shim import unix_vm_with_shim
from clients.conftest import PASSWORD, PORT, RFC2217_PORT, TCP_PORT, Bridge, in_thread
from clients.official import TEXT, OfficialClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from board_kit.pico import Pico


TIMEOUT_S = 60
BODY = Random(1).randbytes(6000) + bytes(range(256))

DOORS = {"rfc2217": RFC2217_PORT, "socket": TCP_PORT}


@pytest.fixture(params=DOORS)
def address(bridge: Bridge, request: pytest.FixtureRequest) -> str:
    """Where a tool finds the board."""
    return f"{request.param}://{bridge.host}:{DOORS[request.param]}"


@asynccontextmanager
async def watching(bridge: Bridge) -> AsyncIterator[OfficialClient]:
    """Somebody who has the board open in a browser; at the end the board is at its prompt for them."""
    async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect(bridge.host, bridge.port) as client:
        await client.login(bridge.password)
        await client.get_ver()
        yield client
        await client.send_frame(b"'still' + ' here'\r", TEXT)
        await client.read_text_until("'still here'\r\n>>> ")


async def tool(*command: str, cwd: Path | None = None) -> str:
    """Run a tool and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *command,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def mpremote(address: str, *command: str, cwd: Path | None = None) -> str:
    return await tool("mpremote", "connect", address, *command, cwd=cwd)


def test_mpremote_runs_code_and_watchers_see_it(bridge: Bridge, address: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print('from', 'a file', sum(range(10)))\n" + "# padding\n" * 200)

    async def test() -> None:
        async with watching(bridge) as watcher:
            assert "the answer is 42" in await mpremote(address, "exec", "print('the answer is', 6 * 7)")
            await watcher.read_text_until("the answer is 42")
            assert await mpremote(address, "run", str(script)) == "from a file 45\n"
            await watcher.read_text_until("from a file 45")
            with pytest.raises(AssertionError, match="ZeroDivisionError"):
                await mpremote(address, "exec", "1 / 0")

    asyncio.run(test())


def test_mpremote_copies_both_ways_and_lists(bridge: Bridge, address: str, tmp_path: Path) -> None:
    (tmp_path / "in.bin").write_bytes(BODY)

    async def test() -> None:
        async with watching(bridge):
            await mpremote(address, "cp", "in.bin", ":a.bin", cwd=tmp_path)
            assert (bridge.folder / "a.bin").read_bytes() == BODY
            await mpremote(address, "cp", ":a.bin", "out.bin", cwd=tmp_path)
            assert (tmp_path / "out.bin").read_bytes() == BODY
            assert "a.bin" in await mpremote(address, "ls")

    asyncio.run(test())


@pytest.mark.parametrize("bridge", [1], ids=["bridge"], indirect=True)
def test_mpremote_mounts_a_folder(bridge: Bridge, address: str, tmp_path: Path) -> None:
    """The program on the board reads and prints binary; a WebREPL's terminal carries text only."""
    (tmp_path / "data.bin").write_bytes(BODY)
    (tmp_path / "use.py").write_text(
        "data = open('data.bin', 'rb').read()\n"
        "with open('out.bin', 'wb') as out:\n    out.write(data)\n"
        "print('copied', len(data))\n"
    )

    async def test() -> None:
        async with watching(bridge):
            assert "copied 6256" in await mpremote(address, "mount", ".", "exec", "import use", cwd=tmp_path)
        assert (tmp_path / "out.bin").read_bytes() == BODY

    asyncio.run(test())


def test_what_others_type_waits_while_mpremote_has_the_raw_repl(bridge: Bridge, address: str) -> None:
    async def test() -> None:
        async with watching(bridge) as watcher:
            code = "print('re' + 'ady')\nwhile 'go.txt' not in __import__('os').listdir('/'): pass\nprint('d' + 'one')"
            running = asyncio.create_task(mpremote(address, "exec", code))
            await watcher.read_text_until("ready")
            await watcher.send_frame(b"'af' + 'ter'\r", TEXT)
            await watcher.read_text_until("mode: what you type waits]")
            (bridge.folder / "go.txt").touch()
            assert "done" in await running
            seen = await watcher.read_text_until("'after'")
            assert seen.index("done") < seen.index(">>> ") < seen.index("'af' + 'ter'")

    asyncio.run(test())


def test_mpremote_that_is_killed_in_raw_mode_leaves_a_prompt(bridge: Bridge, address: str) -> None:
    async def test() -> None:
        async with watching(bridge) as watcher:
            stuck = asyncio.create_task(mpremote(address, "exec", "print('st' + 'uck')\nwhile True: pass"))
            await watcher.read_text_until("stuck")
            stuck.cancel()
            with pytest.raises(asyncio.CancelledError):
                await stuck
            await watcher.read_text_until(">>> ")

    asyncio.run(test())


def test_mpremote_on_a_board_with_the_shim(tmp_path: Path) -> None:
    """`resume`: the reset that mpremote begins with otherwise takes the words away that it waits for."""
    (tmp_path / "in.bin").write_bytes(BODY)
    folder = tmp_path / "vm"
    folder.mkdir()

    async def test(bridge: Bridge) -> None:
        async with watching(bridge):
            address = f"rfc2217://{bridge.host}:{RFC2217_PORT}"
            await mpremote(address, "resume", "cp", "in.bin", ":a.bin", cwd=tmp_path)
            assert (folder / "a.bin").read_bytes() == BODY
            printed = await mpremote(
                address, "resume", "mount", ".", "exec", "print(len(open('in.bin', 'rb').read()))", cwd=tmp_path
            )
            assert "6256" in printed

    with unix_vm_with_shim(folder) as device, in_thread(device) as host:
        asyncio.run(test(Bridge(host, PORT, PASSWORD, folder)))


@pytest.mark.pico
def test_mpremote_and_rshell_on_a_microcontroller(pico_usb: Pico, tmp_path: Path) -> None:
    """rshell only here: it wants the line ends that a port with a real serial line prints in raw mode."""
    (tmp_path / "in.bin").write_bytes(BODY)

    async def test(bridge: Bridge) -> None:
        address = f"socket://{bridge.host}:{TCP_PORT}"
        async with watching(bridge):
            await mpremote(address, "cp", "in.bin", ":m.bin", cwd=tmp_path)
            await mpremote(address, "cp", ":m.bin", "m.bin", cwd=tmp_path)
            assert (tmp_path / "m.bin").read_bytes() == BODY
            async with device_for(bridge.host, TCP_PORT) as device:
                await tool("rshell.main", "--quiet", "--port", device, "cp", "/pyboard/m.bin", "r.bin", cwd=tmp_path)
            assert (tmp_path / "r.bin").read_bytes() == BODY

    with in_thread(pico_usb.repl_url) as host:
        asyncio.run(test(Bridge(host, PORT, PASSWORD, tmp_path)))


@asynccontextmanager
async def device_for(host: str, port: int) -> AsyncIterator[str]:
    """A pty whose other end is a TCP connection, as socat makes one for tools that open devices only."""
    import pty
    import tty

    master, slave = pty.openpty()
    tty.setraw(slave)
    reader, writer = await asyncio.open_connection(host, port)

    async def from_board() -> None:
        while data := await reader.read(4096):
            os.write(master, data)

    loop = asyncio.get_running_loop()
    copying = asyncio.create_task(from_board())
    loop.add_reader(master, lambda: writer.write(os.read(master, 4096)))
    try:
        yield os.ttyname(slave)
    finally:
        loop.remove_reader(master)
        copying.cancel()
        writer.transport.abort()
        os.close(master)
        os.close(slave)
