"""Dialogues with a board, as generators.

A dialogue yields what it needs next (send these bytes, give me what has come, wait a little) and is resumed with the
answer; whoever drives it has the stream and the clock. So a dialogue reads as the conversation it is, and a test can
play the board's part word for word.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from webrepl_link.errors import BoardError

from .errnos import ETIMEDOUT

T = TypeVar("T")


@dataclass(frozen=True)
class Send:
    """Send `data` to the board; resumed with b""."""

    data: bytes


@dataclass(frozen=True)
class Receive:
    """Resumed with the next bytes from the board, at least one; DialogueTimeoutError after `timeout_ms`."""

    timeout_ms: int


@dataclass(frozen=True)
class Pause:
    """Resumed with b"" after `duration_ms`."""

    duration_ms: int


@dataclass(frozen=True)
class Opened:
    """The board has opened the file of a transfer; resumed with b""."""


@dataclass(frozen=True)
class Fetch:
    """Resumed with exactly the next `count` bytes of the file that goes to the board."""

    count: int


@dataclass(frozen=True)
class Deliver:
    """The next bytes of the file that comes from the board; resumed with b"" when they have been taken."""

    data: bytes


Step = Send | Receive | Pause | Opened | Fetch | Deliver
Dialogue = Generator[Step, bytes, T]


class DialogueTimeoutError(BoardError):
    """The board did not answer in time."""

    def __init__(self) -> None:
        super().__init__(ETIMEDOUT, "the board does not answer")
