"""Debian's ser2net, which serves serial ports to the network."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import firmware

RAW, RFC2217 = "", "telnet(rfc2217),"
"""What a connection to ser2net speaks."""


def serial_port(device: str, baud: int = 115200) -> str:
    """Name a serial port as ser2net wants it, without the lock files that only root can make."""
    return f"serialdev(nouucplock=true),{device},{baud}n81,local"


@contextmanager
def run_ser2net(dialect: str, connector: str) -> Iterator[int]:
    """Serve what `connector` names until the block ends; yields the TCP port to connect to.

    Raises:
        MissingError: ser2net is not on this machine.
    """
    with free_port() as port, run_ser2net_at(f"{dialect}tcp,127.0.0.1,{port}", connector):
        yield port


@contextmanager
def free_port() -> Iterator[int]:
    """Keep a TCP port free until the block ends, for a server: two may have one as long as only one of them listens."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextmanager
def run_ser2net_at(accepter: str, connector: str) -> Iterator[None]:
    """Serve what `connector` names at `accepter`, both as ser2net writes them, until the block ends.

    Raises:
        MissingError: ser2net is not on this machine.
    """
    program = firmware.command("ser2net")
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder, "ser2net.yaml")
        configuration.write_text(
            f"%YAML 1.1\n---\nconnection: &board\n  accepter: {accepter}\n  connector: {connector}\n"
        )
        # It tells its process id once it listens; the end of the pipe without one is its end.
        reading, writing = os.pipe()
        command = [
            *(sys.executable, str(firmware.KIT / "die_with_parent.py")),
            *(program, "-d", "-c", str(configuration), "-P", f"/proc/self/fd/{writing}"),
        ]
        with (
            open(reading, "rb") as started,
            subprocess.Popen(command, stderr=subprocess.DEVNULL, pass_fds=[writing]) as process,
        ):
            os.close(writing)
            try:
                assert started.readline().strip(), f"{' '.join(command)} did not start"
                yield
            finally:
                process.kill()
