"""The shim on the emulated Pico: files over the link while the board's program runs, what that costs it, and echoes."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from board_kit.pico import Pico, PicoKind, run_pico
from shim_kit import Host, install_shim, mpremote, open_host

if TYPE_CHECKING:
    from collections.abc import Callable

BYTES_PER_S = 11520
FILE_BYTES = 60_000
ECHO_PAUSE_S = 0.05
SETTLE_S = 0.3

PROGRAM = """
import time, webrepl_shim
def count():
    number = 0
    start = time.ticks_ms()
    try:
        while True:
            number += 1
    except KeyboardInterrupt:
        print("counted", number, time.ticks_diff(time.ticks_ms(), start))
webrepl_shim.start_uart(1)
"""


@dataclass(frozen=True)
class Counted:
    """What was done while the program counted.

    Attributes:
        board_s: how long it took by the board's clock, which a busy machine slows down together with its line.
        wall_s: by this machine's.
        speed: how much was counted in a millisecond of the board's.
    """

    board_s: float
    wall_s: float
    speed: float


def main(rounds: int) -> None:
    """Print the figures, and behind each what it must reach."""
    print(f"Shim, emulated Pico, UART 1 at 115200 baud, lossy; {FILE_BYTES} random bytes while a program counts")
    for slow_flash in (False, True):
        with (
            run_pico(PicoKind("stock", lossy=True, slow_flash=slow_flash)) as pico,
            tempfile.TemporaryDirectory() as to,
        ):
            install_shim(pico, Path(to))
            mpremote(pico, "resume", "exec", PROGRAM)
            with open_host(pico.uart1_url) as host:
                _measure(pico, host, slow_flash, rounds)


def _measure(pico: Pico, host: Host, slow_flash: bool, rounds: int) -> None:
    host.connect()
    host.type(b"\r")
    host.expect(b">>> ")
    idle_speed = median(_counted(host, lambda: _let_pass(host, 2)).speed for _ in range(rounds))
    nothing_s = median(_counted(host, lambda: None).board_s for _ in range(rounds))
    print(f"  {'slow' if slow_flash else 'instant'} flash")
    line_s = FILE_BYTES / BYTES_PER_S
    for name in ("put", "get"):
        runs, flash_s = [], []
        for number in range(rounds):
            data = random.Random(number).randbytes(FILE_BYTES)
            if name == "get":
                assert host.put("data.bin", data) == 0
            before_ms = pico.flash_busy_ms()
            runs.append(_counted(host, partial(_transfer, host, name, data)))
            flash_s.append((pico.flash_busy_ms() - before_ms) / 1000 if slow_flash else 0)
        board_s = median(run.board_s for run in runs) - nothing_s
        least_s = line_s + median(flash_s)
        speed = median(run.speed for run in runs) / idle_speed
        rate = f"{board_s / least_s:.2f} x (line + flash) (1.15)" if slow_flash else f"{line_s / board_s:.2f} (0.85)"
        print(
            f"    {name}  {board_s:5.2f} s by the board's clock ({median(run.wall_s for run in runs):.2f} s by ours),"
            f" of the line {rate}; the program at {speed:.2f} of its speed (0.50)"
        )
    for name in ("idle", "put", "get"):
        echoes_ms: list[float] = []
        for _ in range(rounds):
            echoes_ms += _echoes_ms(host, name)
        echoes_ms.sort()
        print(
            f"    keystroke to echo, {name + ':':5} median {median(echoes_ms):4.0f} ms (50),"
            f" 9 of 10 within {echoes_ms[len(echoes_ms) * 9 // 10]:4.0f} ms"
        )


def _transfer(host: Host, name: str, data: bytes) -> None:
    result = host.put("data.bin", data) if name == "put" else host.get("data.bin")
    assert result == (0 if name == "put" else data), result


def _let_pass(host: Host, duration_s: float) -> None:
    end_s = time.monotonic() + duration_s
    while time.monotonic() < end_s:
        host.pump()


def _counted(host: Host, work: Callable[[], object]) -> Counted:
    """Do something while the program counts."""
    host.type(b"count()\r")
    host.expect(b"count()\r\n")
    start_s = time.monotonic()
    work()
    wall_s = time.monotonic() - start_s
    host.type(b"\x03")
    host.expect(b"counted ")
    number, duration_ms = (int(figure) for figure in host.expect(b"\r\n").split())
    host.expect(b">>> ")
    return Counted(duration_ms / 1000, wall_s, number / duration_ms)


def _echoes_ms(host: Host, name: str) -> list[float]:
    """Type at the prompt during a transfer."""
    echoes_ms: list[float] = []
    pressed_s = 0.0
    next_s = 0.0

    def press() -> None:
        nonlocal pressed_s, next_s
        now_s = time.monotonic()
        if pressed_s and b"x" in host.text:
            echoes_ms.append((now_s - pressed_s) * 1000)
            host.text = b""
            pressed_s = 0
            next_s = now_s + random.random() * ECHO_PAUSE_S
        elif not pressed_s and now_s > next_s:
            host.type(b"x")
            pressed_s = now_s

    data = random.Random(1).randbytes(FILE_BYTES // 3)
    if name == "get":
        assert host.put("data.bin", data) == 0
    with host.doing(press):
        if name == "idle":
            _let_pass(host, 2)
        else:
            _transfer(host, name, data)
    _let_pass(host, SETTLE_S)
    host.type(b"\x03")
    _let_pass(host, SETTLE_S)
    host.text = b""
    return echoes_ms
