"""What a client that comes late is shown: the end of what the terminal has shown before. Pure."""

from __future__ import annotations

from collections import deque

PIECE_CHARS = 256
"""Short texts are joined to pieces of about this length: a board may print character by character."""


class Scrollback:
    """Keeps the last characters of a terminal.

    Args:
        chars_max: how many; 0 keeps nothing.
    """

    def __init__(self, chars_max: int) -> None:
        self._chars_max = chars_max
        self._pieces: deque[str] = deque()
        self._chars = 0
        self._cut = False  # something is missing before what is kept

    def add(self, text: str) -> None:
        """Take what the terminal shows next."""
        if not self._chars_max or not text:
            return
        if len(text) > self._chars_max:
            self._cut = True
            text = text[-self._chars_max :]
        if self._pieces and len(self._pieces[-1]) + len(text) <= PIECE_CHARS:
            self._pieces[-1] += text
        else:
            self._pieces.append(text)
        self._chars += len(text)
        while self._chars - len(self._pieces[0]) >= self._chars_max:
            self._chars -= len(self._pieces.popleft())
            self._cut = True

    def text(self) -> str:
        """Return what is kept, from the beginning of a line on if something is missing before it."""
        text = "".join(self._pieces)
        if not self._cut and len(text) <= self._chars_max:
            return text
        text = text[-self._chars_max :]
        return text.partition("\n")[2] or text
