"""Typing at a REPL through something that loses nothing and paces by itself: another bridge."""

from __future__ import annotations

from .repl_tracker import HOLDING_KEYS, Mode, ReplTracker


class RelayedTerminal:
    """Pure core: what is typed goes at once, and what the board prints says what its REPL is doing.

    Attributes:
        tracker: what the REPL is doing.
        entering: whether a key that leads to raw or paste mode has been typed and not been answered.
    """

    def __init__(self) -> None:
        self.tracker = ReplTracker()
        self.entering = False
        self._answered = True
        self._queue = b""

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be typed."""
        return len(self._queue)

    @property
    def settled(self) -> bool:
        """Whether something was printed since something was typed: nothing else tells that it was read."""
        return not self._queue and (self._answered or self.tracker.mode is Mode.RAW)  # no echo there

    def type(self, data: bytes) -> None:
        """Queue bytes from a client."""
        self._queue += data
        self._answered = False
        self.entering = self.entering or any(key in data for key in HOLDING_KEYS)

    def data_to_send(self) -> bytes:
        """Return what goes to the board now."""
        data, self._queue = self._queue, b""
        self.tracker.data_sent(data)
        return data

    def receive_data(self, data: bytes) -> None:
        """Take the board's output."""
        self.tracker.receive_data(data)
        self._answered = True
        is_line_end = data.endswith(b"\r") or self.tracker.mode is Mode.RUNNING  # before the new prompt
        self.entering = self.entering and is_line_end
