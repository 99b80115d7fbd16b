"""A micro:bit on QEMU with MicroPython 1.9.2: no raw-paste, no os.stat, 9 KB of heap."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from . import firmware


@contextmanager
def run_microbit() -> Iterator[str]:
    """Emulate a micro:bit until the block ends; yields its serial port as a URL for pySerial.

    Raises:
        MissingError: something for it is not on this machine.
    """
    qemu, image = firmware.command("qemu-system-arm"), firmware.microbit_image()
    # QEMU inherits a socket that listens already: no port to guess, and no wait until it can be connected to.
    with socket.create_server(("127.0.0.1", 0)) as server:
        fd = server.fileno()
        command = [
            *(sys.executable, str(firmware.KIT / "die_with_parent.py")),
            *(qemu, "-M", "microbit", "-device", f"loader,file={image}"),
            *("-display", "none", "-monitor", "none"),
            *("-chardev", f"socket,id=line,fd={fd},server=on,wait=off", "-serial", "chardev:line"),
        ]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[fd]) as process:
            try:
                yield f"socket://127.0.0.1:{server.getsockname()[1]}"
            finally:
                process.kill()
