"""Who may type at a REPL that several share. Pure: the time comes in as an argument.

At a friendly prompt, and while a program runs, everyone may: chunks of input follow each other as they come. Raw mode
and paste mode belong to who entered them, so that nobody's keys end up in someone's code: the others' input waits

- until the mode is left,
- or until its holder has stalled: nothing typed and nothing printed for STALL_MS. Then the holder loses the REPL. A
  program that runs in raw mode is no stall, however silent it is.
- or for WAIT_MS at most. Then it is dropped.

A client that has lost the REPL believes to be in raw mode still. What it sends is dropped until it begins anew, which
everyone does with Ctrl-C, Ctrl-A or Ctrl-B.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Generic, TypeVar

STALL_MS = 30_000
WAIT_MS = 60_000

_BEGINNING = re.compile(rb"[\x01\x02\x03]")

C = TypeVar("C")


@dataclass(frozen=True)
class Type:
    """The input may go to the board."""


@dataclass(frozen=True)
class WaitFor(Generic[C]):
    """The input waits until the mode is left; ask again then, and at `until_ms` at the latest."""

    holder: C
    until_ms: int


@dataclass(frozen=True)
class TakeBack(Generic[C]):
    """The holder has stalled: the board is to be brought to its prompt, and then the input may go."""

    holder: C


@dataclass(frozen=True)
class Drop(Generic[C]):
    """The input has waited long enough."""

    holder: C


class Floor(Generic[C]):
    """One REPL's clients, of whatever kind.

    Attributes:
        typist: who has typed last, and so holds raw or paste mode while the board is in it; None for nobody.
    """

    def __init__(self) -> None:
        self.typist: C | None = None
        self._active_ms = 0
        self._losers: list[C] = []

    def judge(
        self, client: C, *, held: bool, running: bool, since_ms: int, now_ms: int
    ) -> Type | WaitFor[C] | TakeBack[C] | Drop[C]:
        """Say what is to be done with input of `client`.

        Args:
            client: who types.
            held: whether the board is in raw or paste mode, or on the way there.
            running: whether it runs a program in raw mode.
            since_ms: when the input came.
            now_ms: the time.
        """
        if not held or self.typist is None or self.typist is client:
            return Type()
        until_ms = since_ms + WAIT_MS
        if now_ms >= until_ms:
            return Drop(self.typist)
        if running:
            return WaitFor(self.typist, until_ms)
        if now_ms >= self._active_ms + STALL_MS:
            return TakeBack(self.typist)
        return WaitFor(self.typist, min(until_ms, self._active_ms + STALL_MS))

    def has_stalled(self, now_ms: int) -> bool:
        """Whether the typist has given no sign of life, nor the board."""
        return self.typist is not None and now_ms >= self._active_ms + STALL_MS

    def heard(self, now_ms: int) -> None:
        """The board has printed something."""
        self._active_ms = now_ms

    def typed(self, client: C, now_ms: int) -> None:
        """Input of `client` goes to the board."""
        self.typist = client
        self._active_ms = now_ms

    def strip(self, client: C, data: bytes) -> bytes:
        """Return of a client's input what is meant for the board: all of it, unless it has lost the REPL."""
        if client not in self._losers:
            return data
        beginning = _BEGINNING.search(data)
        if beginning is None:
            return b""
        self._losers.remove(client)
        return data[beginning.start() :]

    def lose(self) -> C | None:
        """Take the REPL from who holds it, and return who that was."""
        loser, self.typist = self.typist, None
        if loser is not None and loser not in self._losers:
            self._losers.append(loser)
        return loser

    def leave(self, client: C) -> bool:
        """Forget a client; return whether it was the typist."""
        if client in self._losers:
            self._losers.remove(client)
        if self.typist is not client:
            return False
        self.typist = None
        return True

    def reset(self) -> None:
        """Begin anew with another board."""
        self.typist = None
        self._losers.clear()
