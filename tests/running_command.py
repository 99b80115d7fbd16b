"""The command as a process of its own, for tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def command(*arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run webrepl-bridge until the block ends; yields the process and its port once it takes clients."""
    with subprocess.Popen(
        [sys.executable, "-m", "webrepl_bridge", "--listen", "127.0.0.1:0", *arguments],
        env={**os.environ, "WEBREPL_PASSWORD": "secret", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("Ctrl-C"):
                    break
            (clients,) = (line for line in lines if line.startswith("Clients:"))
            found = re.search(r":(\d+)/", clients)
            assert found
            yield process, int(found[1])
        finally:
            process.kill()
