"""A terminal's output as an asciinema recording, pure: text and times in, whole lines out.

A recording is a line of JSON that describes it, and one for each piece of output: seconds since the beginning, "o",
and the text.

Source: asciinema, asciicast v2 file format.
"""

from __future__ import annotations

import json

COLUMNS, ROWS = 80, 24
"""A board's terminal has no size; this is what a program on it may count on."""

IDLE_LIMIT_S = 2
"""Players shorten a longer silence to this."""


class Asciicast:
    """One recording.

    Args:
        title: what players call it.
        started_at_s: when it begins, in seconds since 1970.
        now_ms: the same moment on the clock that `add` is told.

    Attributes:
        size_bytes: how long it is, with what waits to be written.
    """

    def __init__(self, title: str, started_at_s: int, now_ms: int) -> None:
        self._begin_ms = now_ms
        self._waiting = bytearray()
        self.size_bytes = 0
        self._append(
            {
                "version": 2,
                "width": COLUMNS,
                "height": ROWS,
                "timestamp": started_at_s,
                "idle_time_limit": IDLE_LIMIT_S,
                "title": title,
            }
        )

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be written."""
        return len(self._waiting)

    def add(self, text: str, now_ms: int) -> None:
        """Add output that was printed at `now_ms`, not before that of the last call."""
        self._append([(now_ms - self._begin_ms) / 1000, "o", text])

    def data_to_write(self) -> bytes:
        """Return what is to be written next, whole lines, once."""
        data = bytes(self._waiting)
        self._waiting.clear()
        return data

    def _append(self, line: object) -> None:
        data = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        self._waiting += data
        self.size_bytes += len(data)
