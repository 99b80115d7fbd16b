"""MicroPython's unix port with the real shim before its REPL: see shim_vm.py. Fast, and its wire loses nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webrepl_bridge.demo import mount_program

from . import firmware
from .unix_vm import unix_vm

SHIM_FOLDER = firmware.KIT.parents[1] / "firmware_shim"
STOP_TIMEOUT_S = 10


@contextmanager
def unix_vm_with_shim(folder: Path) -> Iterator[str]:
    """Run MicroPython with the files in `folder` until the block ends; yields where the shim's wire is, as a URL."""
    with unix_vm(folder) as vm, socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        command = [
            *(sys.executable, str(firmware.KIT / "die_with_parent.py")),
            *(sys.executable, "-m", "micropython_unix", str(firmware.KIT / "shim_vm.py")),
            *(vm.device, str(port)),
        ]
        environment = os.environ | {
            "MICROPYPATH": f"{SHIM_FOLDER}:{firmware.KIT}:.frozen",
            "MOUNT": mount_program(folder),
        }
        with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                if process.stdout.readline() != "READY\n":
                    raise RuntimeError(f"the shim did not start: {process.stdout.read()}")
                yield f"socket://127.0.0.1:{port}"
            finally:
                process.kill()
