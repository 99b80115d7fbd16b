"""The emulated Raspberry Pi Pico; see pico.mjs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import firmware

STOP_TIMEOUT_S = 10


@dataclass(frozen=True)
class PicoKind:
    """What to emulate.

    Attributes:
        flavour: the firmware.
        lossy: a byte that arrives while a UART's FIFO is full is lost, as on the chip.
        slow_flash: writing to flash takes a real chip's time, during which the CPU does not run.
    """

    flavour: firmware.Flavour = "stock"
    lossy: bool = False
    slow_flash: bool = False


class Pico:
    """A running Pico.

    Attributes:
        kind: what it is.
        usb_url, uart0_url, uart1_url, spi0_url, spi1_url: its lines, as URLs for pySerial. Each takes one client at
            a time; a newer one takes over.
    """

    def __init__(self, kind: PicoKind, process: subprocess.Popen[str]) -> None:
        self.kind = kind
        self._process = process
        ports = json.loads(self._wait_for("READY "))
        self.usb_url, self.uart0_url, self.uart1_url, self.spi0_url, self.spi1_url = (
            f"socket://127.0.0.1:{ports[line]}" for line in ("usb", "uart0", "uart1", "spi0", "spi1")
        )

    @property
    def repl_url(self) -> str:
        """The line that has the REPL: UART 0 in the uart flavour (USB has it too), else USB."""
        return self.uart0_url if self.kind.flavour == "uart" else self.usb_url

    @property
    def running(self) -> bool:
        """Whether the emulator is still there."""
        return self._process.poll() is None

    def stop(self) -> None:
        """Pull the plug."""
        self._process.kill()
        self._process.wait()

    def flash_busy_ms(self) -> int:
        """Return how long the flash has been busy since the start; without slow_flash, would have been."""
        self._process.send_signal(signal.SIGUSR1)
        return int(self._wait_for("FLASH BUSY MS "))

    def _wait_for(self, start: str) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(start):
                return line.removeprefix(start)
        raise RuntimeError(f"the emulator ended before it printed {start!r}, with {self._process.wait()}")


@contextmanager
def run_pico(kind: PicoKind, flash_file: Path | None = None) -> Iterator[Pico]:
    """Emulate a Pico until the block ends.

    Args:
        kind: what to emulate.
        flash_file: keeps the flash's contents over runs; made if it does not exist. None: empty each time.

    Raises:
        MissingError: something for it is not on this machine.
    """
    command = [
        *(sys.executable, str(firmware.KIT / "die_with_parent.py")),
        *(firmware.command("node"), str(firmware.KIT / "pico.mjs")),
        *("--modules", str(firmware.node_modules())),
        *("--bootrom", str(firmware.bootrom())),
        *("--image", str(firmware.pico_image(kind.flavour))),
    ]
    if kind.lossy:
        command.append("--lossy")
    if kind.slow_flash:
        command.append("--slow-flash")
    if flash_file:
        command += ["--flash", str(flash_file)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Pico(kind, process)
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
