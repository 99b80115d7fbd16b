"""Running a real client in a process of its own: its warnings, threads and exit hooks are its own too."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clients.conftest import Bridge

TIMEOUT_S = 60


def run_python(bridge: Bridge, code: str) -> Any:
    """Run Python code that finds `host`, `port`, `url` and `password`, and leaves what it found in `result`."""
    # A file, because belay wants to read the source of the functions that it sends to the board.
    settings = f"host, port, url, password = {(bridge.host, bridge.port, bridge.url, bridge.password)!r}"
    program = f"{settings}\n{textwrap.dedent(code)}\nimport json\nprint('\\n' + json.dumps(result))\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "client.py")
        path.write_text(program)
        return run([sys.executable, str(path)], Path(folder))


def run(command: list[str], cwd: Path | None = None) -> Any:
    """Run a command and return what its last line of output says, in JSON."""
    try:
        done = subprocess.run(
            command, cwd=cwd, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired as hung:
        raise AssertionError(f"the client hangs; it said:\n{hung.stdout}\n{hung.stderr}") from None
    assert done.returncode == 0, f"the client failed:\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])
