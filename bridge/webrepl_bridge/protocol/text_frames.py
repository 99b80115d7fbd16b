r"""Cutting terminal text into text messages where the firmware would, as far as clients rely on it.

The firmware sends each write of its REPL as one message. A wire knows nothing of that: it brings the text in any
pieces. What clients rely on is made good here:

- the end of a line and the prompt behind it, `\r\n` and `>>> `, are messages of their own
  (the PyPI package `webrepl` waits for exactly these two);
- what the raw REPL answers to code begins with `OK` in a message of its own (micropython-ctl drops what else is
  in it; belay wants both letters at once), and what it answers to a request for raw-paste is in one piece.

What may be the first part of any of these waits for the rest, but not for long.
"""

from __future__ import annotations

import re

HOLD_MS = 20
"""How long a first part may wait for the rest: USB-serial chips deliver every 16 ms at the latest."""

_PROMPT = ">>> "
_RAW_LINE = "CTRL-B to exit\r\n"
_AT_RAW_PROMPT = re.compile(rf"(?:{_RAW_LINE}|\x04)>\Z")
_PART_OF_A_PROMPT = re.compile(r"(?:\r|(?<=\r\n)>{1,3})\Z")
_PARTS_OF_A_RAW_ANSWER = ("O", "R")


class TextFrames:
    """Cuts one client's terminal text."""

    def __init__(self) -> None:
        self._held = ""
        self._sent_end = ""

    @property
    def holding(self) -> bool:
        """Whether text waits for its rest; call `flush` when none has come for HOLD_MS."""
        return bool(self._held)

    def cut(self, text: str) -> list[str]:
        """Take text from the board and return the messages to send now, none of them empty."""
        text, self._held = self._held + text, ""
        part_chars = self._part_chars(text)
        if part_chars:
            text, self._held = text[:-part_chars], text[-part_chars:]
        return self._send(text)

    def flush(self) -> list[str]:
        """Return what was held."""
        text, self._held = self._held, ""
        return self._send(text)

    def _part_chars(self, text: str) -> int:
        """How much at the end of `text` may be a first part."""
        if text in _PARTS_OF_A_RAW_ANSWER and _AT_RAW_PROMPT.search(self._sent_end):
            return len(text)
        end = (self._sent_end + text)[-2 * len(_RAW_LINE) :]
        part = _PART_OF_A_PROMPT.search(end)
        if not part or len(part[0]) > len(text):
            return 0
        before = end[: part.start()]
        return 0 if before.endswith(_RAW_LINE) else len(part[0])  # the raw prompt is a `>` and nothing more

    def _send(self, text: str) -> list[str]:
        start, ends = "", ["", ""]
        if text.startswith("OK") and _AT_RAW_PROMPT.search(self._sent_end):
            start, text = "OK", text.removeprefix("OK")
        line_ended = self._sent_end.endswith("\r\n")
        self._sent_end = (self._sent_end + start + text)[-len(_RAW_LINE + ">") :]
        if text.endswith("\r\n" + _PROMPT) or (text == _PROMPT and line_ended):
            text, ends[1] = text.removesuffix(_PROMPT), _PROMPT
        if text.endswith("\r\n"):
            text, ends[0] = text.removesuffix("\r\n"), "\r\n"
        return [message for message in (start, text, *ends) if message]
