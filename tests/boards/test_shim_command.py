"""`webrepl-bridge shim` on a Pico, and the bridge that finds what it has put there."""

from __future__ import annotations

import asyncio
import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from board_kinds import SlowLine, in_loop
from board_kit.pico import Pico
from linked_board import Rig
from shim_kit import mpremote
from webrepl_bridge.boards.auto import AutoBoard
from webrepl_bridge.boards.shim_files import shim_files
from webrepl_bridge.cli import cli
from webrepl_transports import open_stream

pytestmark = pytest.mark.pico

BOOT = b"# mine\r\nimport gc\ngc.collect()\n\n"


def shim(pico: Pico, *arguments: str, answer: str | None = None, code: int = 0) -> str:
    result: Result = CliRunner().invoke(cli, ["shim", *arguments, "--serial", pico.usb_url], input=answer)
    assert result.exit_code == code, result.output
    return result.output


def on_board(pico: Pico, expression: str) -> str:
    return mpremote(pico, "resume", "exec", f"import os; print({expression})").strip()


def test_install_twice_and_remove(pico_usb: Pico) -> None:
    mpremote(pico_usb, "exec", f"open('boot.py', 'wb').write({BOOT!r})")
    before = on_board(pico_usb, "os.listdir()")
    assert "none" in shim(pico_usb, "status")

    said = shim(pico_usb, "install", "--uart", "1", "--baud", "115200", answer="n\n", code=1)
    assert "UART 1 at 115200 baud, tx on pin 4, rx on pin 5" in said
    assert "none" in shim(pico_usb, "status")

    shim(pico_usb, "install", "--uart", "1", answer="y\n")
    said = shim(pico_usb, "status")
    assert f"{len(shim_files(0))} in /lib" in said
    assert "the same as here" in said
    assert "starts start_uart(1, 115200)" in said
    assert "Running: yes" in said

    shim(pico_usb, "install", "--uart", "1", "--tx", "8", "--rx", "9", "--yes")
    assert "starts start_uart(1, 115200, tx=8, rx=9)" in shim(pico_usb, "status")
    assert on_board(pico_usb, f"open('boot.py', 'rb').read().endswith({BOOT!r})") == "True"

    shim(pico_usb, "remove", answer="y\n")
    assert "Running: no" in shim(pico_usb, "status")
    assert on_board(pico_usb, "open('boot.py', 'rb').read()") == repr(BOOT)
    assert on_board(pico_usb, "os.listdir()") == before
    assert "no shim" in shim(pico_usb, "remove")


def test_a_uart_that_the_board_does_not_have(pico_usb: Pico) -> None:
    assert "no UART 7" in shim(pico_usb, "install", "--uart", "7", "--yes", code=1)
    assert "none" in shim(pico_usb, "status")


def test_a_shim_that_does_not_start(pico_usb: Pico) -> None:
    said = shim(pico_usb, "install", "--uart", "1", "--tx", "7", "--yes", code=1)
    assert "does not start" in said
    assert "bad TX pin" in said
    shim(pico_usb, "remove", "--yes")
    assert on_board(pico_usb, "os.listdir()") == "[]"


@in_loop
async def test_the_bridge_finds_the_link_by_itself(pico_usb: Pico) -> None:
    await asyncio.to_thread(shim, pico_usb, "install", "--uart", "1", "--yes")
    stream = SlowLine(await open_stream(pico_usb.uart1_url), 115200)
    board = AutoBoard(stream)
    r = Rig.of(board)
    running = asyncio.create_task(board.run())
    try:
        async with asyncio.timeout(60):
            await board.version()
            await r.notice("runs the shim")
            await r.expect(b">>> ")
            await board.write(b"n = 0\rwhile True: n += 1\r\r")
            await r.expect(b"n += 1\r\n")
            content = bytes(range(256)) * 40
            await r.put("data.bin", content)
            assert await r.get("data.bin") == content
            await board.interrupt()
            await r.expect(b"KeyboardInterrupt")
            await r.expect(b">>> ")
            await board.write(b"print('counted', n > 1000)\r")
            await r.expect(b"\r\ncounted True\r\n>>> ")
            r.notices.clear()
            await board.soft_reset()
            await r.expect(b"MicroPython")
            await r.expect(b">>> ")
            assert await r.get("data.bin") == content
    finally:
        running.cancel()
        await stream.aclose()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_mip_puts_it_there_too(pico_usb: Pico) -> None:
    with served(Path(__file__).parents[2] / "firmware_shim") as url:
        mpremote(pico_usb, "mip", "install", f"{url}/package.json")
    said = shim(pico_usb, "status")
    assert "the same as here" in said
    assert "boot.py: does not start it" in said
    shim(pico_usb, "remove", "--yes")
    assert on_board(pico_usb, "os.listdir()") == "[]"
