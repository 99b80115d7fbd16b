"""The real shim on MicroPython's unix port: see shim_vm.py and shim_stream.py. Fast, and its wire loses nothing."""

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
from .unix_vm import UnixVM, unix_vm

SHIM_FOLDER = firmware.KIT.parents[1] / "firmware_shim"
STOP_TIMEOUT_S = 10


@contextmanager
def unix_vm_with_shim(folder: Path) -> Iterator[str]:
    """Run MicroPython with the files in `folder` until the block ends; yields where the shim's wire is, as a URL."""
    with unix_vm(folder) as vm, _running("shim_vm.py", folder, vm.device, MOUNT=mount_program(folder)) as url:
        yield url


@contextmanager
def shim_on_stream(folder: Path, kind: str) -> Iterator[str]:
    """Run the shim on a stream that is no UART; yields where its wire is, as a URL.

    Args:
        folder: its files.
        kind: "socket", "usb", or "password": a socket, and a password as webrepl_cfg.py has it.
    """
    with _running("shim_stream.py", folder, kind) as url:
        yield url


@contextmanager
def _running(program: str, folder: Path, argument: str, **environment: str) -> Iterator[str]:
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with _script(program, folder, str(port), argument, **environment):
            yield f"socket://127.0.0.1:{port}"


@contextmanager
def shim_that_calls(vm: UnixVM, url: str, token: str, *ca: str) -> Iterator[None]:
    """Run the shim before the REPL of `vm`, calling a bridge, until the block ends."""
    with _script("shim_vm.py", vm.folder, url, vm.device, token, *ca, MOUNT=mount_program(vm.folder)):
        yield


@contextmanager
def _script(program: str, folder: Path, *arguments: str, **environment: str) -> Iterator[None]:
    command = [
        *(sys.executable, str(firmware.KIT / "die_with_parent.py")),
        *(sys.executable, "-m", "micropython_unix", str(firmware.KIT / program), *arguments),
    ]
    environment |= os.environ | {"MICROPYPATH": f"{SHIM_FOLDER}:{firmware.KIT}:{folder}:.frozen"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline() != "READY\n":
                raise RuntimeError(f"the shim did not start: {process.stdout.read()}")
            yield
        finally:
            process.kill()
