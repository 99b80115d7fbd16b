"""How long to wait before a board is opened again. Pure: chance comes in as an argument."""

from __future__ import annotations

FIRST_MS = 500
LAST_MS = 30_000

STEADY_MS = 10_000
"""A board that held for so long begins anew: it did not fail because it was tried too often."""


class Backoff:
    """Counts tries that failed in a row.

    Half of each delay is left to chance, so that many boards behind one server that fails do not come back at once.
    """

    def __init__(self) -> None:
        self._delay_ms = FIRST_MS

    def next_delay_ms(self, held_ms: int, chance: float) -> int:
        """Return how long to wait now: 250 to 500 ms, then twice as long each time, up to 15 to 30 s.

        Args:
            held_ms: how long the board was open; 0 if it could not be opened.
            chance: from 0 up to 1.
        """
        if held_ms >= STEADY_MS:
            self._delay_ms = FIRST_MS
        delay_ms = self._delay_ms
        self._delay_ms = min(2 * delay_ms, LAST_MS)
        return int(delay_ms * (1 + chance) / 2)
