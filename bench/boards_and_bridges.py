"""A bridge as a process of its own, as users run it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PASSWORD = "secret"
START_TIMEOUT_S = 20


@dataclass(frozen=True)
class RunningBridge:
    """A bridge that takes clients.

    Attributes:
        port: on 127.0.0.1.
        tools: URLs for serial tools, in the order of the options.
        pid: its process.
        started_s: time.monotonic() just before the process was started.
    """

    port: int
    pid: int
    started_s: float
    tools: tuple[str, ...] = ()

    def cpu_s(self) -> float:
        """Processor time that the bridge has used so far, in seconds."""
        return cpu_s(self.pid)


def cpu_s(pid: int) -> float:
    """Processor time that a process has used so far, in seconds."""
    with open(f"/proc/{pid}/stat") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextmanager
def bridge_on(url: str | None, *options: str) -> Iterator[RunningBridge]:
    """Run `webrepl-bridge --serial url` until the block ends; without a URL, what `options` say."""
    started_s = time.monotonic()
    command = [sys.executable, "-m", "webrepl_bridge", "--listen", "127.0.0.1:0", *options]
    command += ["--serial", url] if url else []
    environment = {**os.environ, "WEBREPL_PASSWORD": PASSWORD}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            tools: list[str] = []
            for line in process.stdout:
                if line.startswith("Tools:"):
                    tools.append(line.split()[1])
                if line.startswith("Clients:"):
                    port = int(line.split(":")[-1].partition("/")[0])
                if line.startswith("Ctrl-C"):
                    break
            yield RunningBridge(port, process.pid, started_s, tuple(tools))
        finally:
            process.terminate()
