"""The link by itself: goodput both ways and keys meanwhile, over the emulated Pico's UART with bits flipped."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from board_kit.pico import Pico, PicoKind, run_pico
from shim_kit import Host, compile_shim

BYTES_PER_S = 11520
TRANSFER_BYTES = 60_000
MESSAGE_BYTES = 1000
KEY_EVERY_S = 0.25
MUST_REACH = {0: " (0.90)", 1e-5: "", 1e-4: " (0.70)", 1e-3: ""}
"""By bit errors: the share of the line."""

TIMEOUT_S = 120
PROGRAM = Path(__file__).with_name("link_on_board.py")


@dataclass
class Measured:
    """One transfer."""

    goodput: float  # of the line's rate
    echoes_ms: list[float]
    resent: int
    damaged: int


def main(rounds: int) -> None:
    """Print the figures."""
    print(f"The link, pure Python on an emulated Pico at 48 MHz, UART at 115200 baud; {TRANSFER_BYTES} bytes")
    print("  bit errors  direction    goodput (target)    resent   damaged  key to echo: median, 95 %, longest")
    with tempfile.TemporaryDirectory() as folder, run_pico(PicoKind("stock", lossy=True)) as pico:
        sizes = compile_shim(Path(folder) / "lib", ("webrepl_link",))
        _start_program(pico, Path(folder))
        for bit_errors, target in MUST_REACH.items():
            for direction in ("to board", "from board"):
                runs = [_measure(pico, bit_errors, direction == "to board") for _ in range(min(rounds, 3))]
                echoes_ms = sorted(echo_ms for run in runs for echo_ms in run.echoes_ms)
                print(
                    f"  {bit_errors:10g}  {direction:10}  {median(run.goodput for run in runs):8.3f}{target:7}"
                    f"  {median(run.resent for run in runs):8.0f}  {median(run.damaged for run in runs):8.0f}"
                    f"   {median(echoes_ms):5.0f} ms {echoes_ms[len(echoes_ms) * 95 // 100]:5.0f} ms"
                    f" {echoes_ms[-1]:5.0f} ms"
                )
    loaded = ("__init__", "codec", "arq", "link")
    print(f"  .mpy on the board: {sum(sizes[f'webrepl_link/{name}.mpy'] for name in loaded)} bytes")


def _start_program(pico: Pico, folder: Path) -> None:
    command = [sys.executable, "-m", "mpremote", "connect", pico.usb_url, "fs", "cp", "-r", str(folder / "lib"), ":"]
    subprocess.run(command, check=True, capture_output=True)
    command[5:] = ["run", "--no-follow", str(PROGRAM)]
    subprocess.run(command, check=True, capture_output=True)


def _measure(pico: Pico, bit_errors: float, to_board: bool) -> Measured:
    host = Host(pico.uart1_url, bit_errors=bit_errors)
    host.connect(TIMEOUT_S)
    link = host.link
    waiting: list[float] = []
    echoes_ms: list[float] = []
    started_s = next_key_s = time.monotonic()
    done_bytes = 0
    if to_board:
        data = random.Random(1).randbytes(MESSAGE_BYTES)
        for _ in range(TRANSFER_BYTES // MESSAGE_BYTES):
            link.send_binary(data)
    else:
        link.send_control(b"%d" % TRANSFER_BYTES)
    while done_bytes < TRANSFER_BYTES:
        host.pump(0.01)
        if to_board:
            done_bytes = TRANSFER_BYTES - link.bulk.waiting_bytes
            if link.bulk.flight:
                done_bytes = min(done_bytes, TRANSFER_BYTES - 1)
        else:
            done_bytes += len(host.binary)
            host.binary = b""
        now_s = time.monotonic()
        if host.text:
            echoes_ms += [(now_s - sent_s) * 1000 for sent_s in waiting[: len(host.text)]]
            del waiting[: len(host.text)]
            host.text = b""
        if now_s >= next_key_s:
            next_key_s += KEY_EVERY_S
            waiting.append(now_s)
            link.send_text(b"x")
        if now_s - started_s > TIMEOUT_S:
            raise AssertionError(f"{done_bytes} bytes in {TIMEOUT_S} s")
    goodput = TRANSFER_BYTES / (time.monotonic() - started_s) / BYTES_PER_S
    host.close()
    return Measured(goodput, echoes_ms, link.resent_frames, link.bad_frames)
