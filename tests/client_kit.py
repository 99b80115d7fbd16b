"""The ways to a board: through a bridge, and without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner, Result

from board_kit.unix_shim import unix_vm_with_shim
from board_kit.unix_vm import unix_vm
from serving import PASSWORD, bridge, text_webrepl
from webrepl_bridge.cli import cli


@dataclass(frozen=True)
class Way:
    """A way to a board that is a unix VM.

    Attributes:
        url: its address, for `connect`.
        options: the same, for a command.
        folder: its files.
        large_bytes: a file that takes a while.
    """

    url: str
    options: tuple[str, ...]
    folder: Path
    large_bytes: int = 400_000

    def run(self, command: str, *arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        """Run a command, which has to end with this exit code."""
        result = CliRunner().invoke(cli, [command, *self.options, *arguments], input=stdin)
        assert result.exit_code == code, (result.output, result.exception)
        return result


@contextmanager
def way(kind: str, folder: Path) -> Iterator[Way]:
    """Run a board with the files in `folder`, and open the way to it until the block ends.

    Args:
        kind: "serial" or "shim": a port; "bridge"; "webrepl": the firmware's own.
        folder: its files; made if it is not there.
    """
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        if kind == "shim":
            url = stack.enter_context(unix_vm_with_shim(folder))
        else:
            url = stack.enter_context(unix_vm(folder)).device
        if kind in ("serial", "shim"):
            yield Way(url, ("--serial", url), folder, 50_000 if kind == "shim" else Way.large_bytes)
        else:
            at = f"127.0.0.1:{stack.enter_context(bridge(url) if kind == 'bridge' else text_webrepl(url))}"
            yield Way(f"ws://{at}/", ("--url", f"http://{at}", "--password", PASSWORD), folder)
