r"""The line that is being edited at a prompt, read off the board's echo.

The board's own line editor decides what a key does (history, completion, auto-indent, emacs keys), so the keys
say little; what it prints back is the line itself. This is a terminal of one line: it understands what
MicroPython's editor prints, and nothing more.

Source: micropython shared/readline/readline.c; old firmware erases with spaces, new firmware with ESC [ K.
CircuitPython's editor (its pull requests 3243 and 3305) echoes UTF-8 and moves by characters; its supervisor writes the
terminal's title, ESC ] ... ESC \\, wherever it likes.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(rb"\x1b\[(\d*)([A-Za-z])")
_ESCAPE_PREFIX = re.compile(rb"\x1b(\[\d{0,4}|\])?")
_TITLE = b"\x1b]"
TITLE_BYTES_MAX = 256
LINE_CHARACTERS_MAX = 4096


class EditLine:
    """One edited line and the cursor in it.

    Attributes:
        cursor: position in characters, 0 at the first one after the prompt.
    """

    def __init__(self) -> None:
        self.cursor = 0
        self._cells: list[bytes] = []  # a character each
        self._escape = b""

    @property
    def text(self) -> bytes:
        """The line; blanks right of the cursor are what old firmware erased, and do not count."""
        return b"".join(self._cells[: self.cursor]) + b"".join(self._cells[self.cursor :]).rstrip(b" ")

    @property
    def at_end(self) -> bool:
        """Whether the cursor is behind the last character, so that what is typed is echoed and nothing is redrawn."""
        return not b"".join(self._cells[self.cursor :]).strip(b" ")

    def clear(self) -> None:
        """Start an empty line, as after a prompt."""
        self.cursor = 0
        self._cells.clear()
        self._escape = b""

    def receive_byte(self, byte: int) -> None:
        """Apply one byte of the board's output, up to the end of the line; the editor uses no carriage return."""
        if self._escape.startswith(_TITLE):
            ended = byte == 0x07 or self._escape.endswith(b"\x1b") or len(self._escape) == TITLE_BYTES_MAX
            self._escape = b"" if ended else self._escape + bytes((byte,))
        elif self._escape or byte == 0x1B:
            self._escape += bytes((byte,))
            if match := _ESCAPE.fullmatch(self._escape):
                self._escape = b""
                self._apply(match[2], int(match[1] or 1))
            elif not _ESCAPE_PREFIX.fullmatch(self._escape):
                self._escape = b""
        elif byte == 0x08:
            self.cursor = max(0, self.cursor - 1)
        elif 0x80 <= byte < 0xC0 and self.cursor and (before := self._cells[self.cursor - 1])[0] >= 0xC0:
            if len(before) < 4:
                self._cells[self.cursor - 1] += bytes((byte,))
        elif byte >= 0x20 and self.cursor < LINE_CHARACTERS_MAX:
            self._cells[self.cursor : self.cursor + 1] = [bytes((byte,))]
            self.cursor += 1

    def _apply(self, command: bytes, count: int) -> None:
        if command == b"D":
            self.cursor = max(0, self.cursor - count)
        elif command == b"C":
            self.cursor = min(len(self._cells), self.cursor + count)
        elif command == b"K":
            del self._cells[self.cursor :]
