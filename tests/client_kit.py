"""The two ways to a board: through a bridge, and without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from board_kit.unix_vm import UnixVM
from serving import PASSWORD, bridge
from webrepl_bridge.cli import cli


@dataclass(frozen=True)
class Way:
    """A way to a board that is a unix VM.

    Attributes:
        url: its address, for `connect`.
        options: the same, for a command.
        folder: its files.
    """

    url: str
    options: tuple[str, ...]
    folder: Path

    def run(self, command: str, *arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        """Run a command, which has to end with this exit code."""
        result = CliRunner().invoke(cli, [command, *self.options, *arguments], input=stdin)
        assert result.exit_code == code, (result.output, result.exception)
        return result


@contextmanager
def way(kind: str, vm: UnixVM) -> Iterator[Way]:
    """Open the way that is called `kind` until the block ends."""
    if kind == "serial":
        yield Way(vm.device, ("--serial", vm.device), vm.folder)
        return
    with bridge(vm.device) as port:
        at = f"127.0.0.1:{port}"
        yield Way(f"ws://{at}/", ("--url", f"http://{at}", "--password", PASSWORD), vm.folder)
