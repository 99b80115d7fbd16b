"""A real board that runs nothing but the firmware's own WebREPL on its UART."""

from __future__ import annotations

import random
import time

import pytest

from board_kinds import Desk, Kind, SlowLine, in_loop, serve
from board_kit.pico import Pico
from board_kit.repl import open_repl
from webrepl_bridge.boards.auto import AutoBoard
from webrepl_bridge.boards.plain import PlainBoard
from webrepl_bridge.boards.stock import WhileRunning
from webrepl_link.errors import BoardError
from webrepl_transports import ByteStream

pytestmark = pytest.mark.pico

LINES = (
    "import os, machine, _webrepl, websocket",
    "_webrepl.password('{}')",
    "os.dupterm(_webrepl._webrepl(websocket.websocket(machine.UART(1, 115200), False)))",
)
KIND = Kind(lambda folder: None, PlainBoard, (1, 25, 0), 115_200)
ENOENT = 2


def start(pico: Pico, password: str = "") -> None:
    with open_repl(pico.usb_url) as repl:
        repl.to_prompt()
        for line in LINES:
            repl.evaluate(line.format(password))


class Holes(SlowLine):
    """A wire that loses a byte of what goes to the board.

    Attributes:
        lose_at: how many bytes of the next send that is longer than that arrive before the one that does not.
    """

    lose_at: int | None = None

    async def send(self, data: bytes) -> None:
        if self.lose_at is not None and len(data) > self.lose_at:
            data = data[: self.lose_at] + data[self.lose_at + 1 :]
            self.lose_at = None
        await super().send(data)


async def use(desk: Desk, seed: int) -> None:
    """Terminal, a paste, a file there and back, and errors."""
    await desk.at_prompt()
    lines = "".join(f"x+={number}#{'abc' * 5}\r" for number in range(160))
    assert len(lines) > 3500
    await desk.type("x=0\r" + lines + "print('e'+'nd')\r")
    await desk.expect("end\r\n>>> ")
    assert await desk.evaluate("x") == sum(range(160))

    data = random.Random(seed).randbytes(10_000)
    began = time.monotonic()
    await desk.put("data.bin", data)
    middle = time.monotonic()
    assert await desk.get("data.bin") == data
    end = time.monotonic()
    print(f"put {10 / (middle - began):.1f} kB/s, get {10 / (end - middle):.1f} kB/s")
    for name in ("missing.bin", "missing/data.bin"):
        with pytest.raises(BoardError) as refusal:
            await (desk.get(name) if name == "missing.bin" else desk.put(name, b"data"))
        assert refusal.value.code == ENOENT
    await desk.put("empty", b"")
    assert await desk.get("empty") == b""
    await desk.at_prompt()


@in_loop
async def test_everything_works_and_goes_on_with_another_bridge(pico_webrepl: Pico) -> None:
    start(pico_webrepl)
    for seed in range(2):
        async with serve(KIND, pico_webrepl.uart1_url) as desk:
            await use(desk, seed)
            assert await desk.board.version() == (1, 25, 0)
            assert not desk.notices


@in_loop
async def test_found_out_by_listening(pico_webrepl: Pico) -> None:
    def make(stream: ByteStream, while_running: WhileRunning) -> AutoBoard:
        return AutoBoard(stream, while_running, board_password="secret")

    kind = Kind(KIND.start, make, (1, 25, 0), 115_200)
    async with serve(kind, pico_webrepl.uart1_url, wait=False) as desk:
        assert await desk.board.version() == (0, 0, 0)
        start(pico_webrepl, "secret")
        await desk.expect(">>> ")
        await desk.at_prompt()
        await desk.put("file", b"data")
        assert any("plain" in notice for notice in desk.notices)


async def put_and_lose(desk: Desk, wire: Holes, lose_at: int) -> None:
    async with desk.board.put("file", 1000) as writer:
        await writer.write(bytes(500))
        wire.lose_at = lose_at
        await writer.write(bytes(500))
        await writer.finish()


@in_loop
async def test_a_byte_lost_in_a_put(pico_webrepl: Pico) -> None:
    start(pico_webrepl)
    wires: list[Holes] = []

    def wrap(stream: ByteStream) -> Holes:
        wires.append(Holes(stream, 115_200))
        return wires[-1]

    async with serve(KIND, pico_webrepl.uart1_url, wrap=wrap) as desk:
        await desk.put("file", b"old")
        for lose_at in (4, 100, 247):
            with pytest.raises(BoardError):
                await put_and_lose(desk, wires[0], lose_at)
            assert wires[0].lose_at is None
            await desk.at_prompt()
            assert await desk.get("file") == b"old"
            await desk.put("small", b"new")
            assert await desk.get("small") == b"new"
            assert "file~" not in await desk.files()


@in_loop
async def test_a_byte_lost_at_the_terminal(pico_webrepl: Pico) -> None:
    start(pico_webrepl)
    wires: list[Holes] = []

    def wrap(stream: ByteStream) -> Holes:
        wires.append(Holes(stream, 115_200))
        return wires[-1]

    async with serve(KIND, pico_webrepl.uart1_url, wrap=wrap) as desk:
        for key in "123":
            wires[0].lose_at = 2  # the key itself: the board takes the next frame's first byte for it
            await desk.type(key)
            await desk.type("4")
            await desk.board.interrupt()
            await desk.expect("\r\n>>> ")
            await desk.at_prompt()
