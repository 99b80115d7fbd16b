"""What people see of files on their way: bars on a terminal, lines of what is done, or nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from rich import progress
from rich.console import Console
from rich.markup import escape

from ..client.sync_plan import Copying, Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


def shown(name: str) -> str:
    """Return a name as a terminal may show it, whatever a board has put into it."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in name)


class Progress:
    """A Watcher. The bar is on stderr, if that is a terminal; the lines are on stdout.

    Args:
        say: gives the line for a step; None: no lines.
    """

    def __init__(self, say: Callable[[Step], str] | None = None) -> None:
        self._say = say
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._bar.add_task("", total=0)
        self._total_bytes = 0
        self._done_bytes = 0
        self._size_bytes = 0

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, steps: list[Step]) -> None:
        """See Watcher."""
        self._total_bytes += sum(step.size_bytes for step in steps if isinstance(step, Copying))
        self._bar.update(self._task, total=self._total_bytes)
        if self._say is not None:
            for step in steps:
                click.echo(self._say(step))

    def step(self, step: Step) -> None:
        """See Watcher."""
        self._done_bytes += self._size_bytes
        self._size_bytes = step.size_bytes if isinstance(step, Copying) else 0
        self._bar.update(self._task, description=escape(shown(step.name)), completed=self._done_bytes)

    def progress(self, done_bytes: int) -> None:
        """See Watcher."""
        self._bar.update(self._task, completed=self._done_bytes + done_bytes)
