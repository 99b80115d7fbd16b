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
from functools import lru_cache

HOLD_MS = 20
"""How long a first part may wait for the rest: USB-serial chips deliver every 16 ms at the latest."""

SAME_TEXTS = 8
"""How many texts are kept that have been cut: the clients of a board are shown the same, one after the other."""

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

    def cut(self, text: str) -> tuple[str, ...]:
        """Take text from the board and return the messages to send now, none of them empty."""
        messages, self._held, self._sent_end = _cut(self._held + text, self._sent_end)
        return messages

    def flush(self) -> tuple[str, ...]:
        """Return what was held."""
        text, self._held = self._held, ""
        messages, self._sent_end = _messages(text, self._sent_end)
        return messages


@lru_cache(maxsize=SAME_TEXTS)
def _cut(text: str, sent_end: str) -> tuple[tuple[str, ...], str, str]:
    """Return the messages to send now, what is held back, and the end of what is sent then."""
    whole_chars = len(text) - _part_chars(text, sent_end)
    messages, sent_end = _messages(text[:whole_chars], sent_end)
    return messages, text[whole_chars:], sent_end


def _part_chars(text: str, sent_end: str) -> int:
    """How much at the end of `text` may be a first part."""
    if text in _PARTS_OF_A_RAW_ANSWER and _AT_RAW_PROMPT.search(sent_end):
        return len(text)
    end = (sent_end + text)[-2 * len(_RAW_LINE) :]
    part = _PART_OF_A_PROMPT.search(end)
    if not part or len(part[0]) > len(text):
        return 0
    before = end[: part.start()]
    return 0 if before.endswith(_RAW_LINE) else len(part[0])  # the raw prompt is a `>` and nothing more


def _messages(text: str, sent_end: str) -> tuple[tuple[str, ...], str]:
    """Return the messages that `text` is sent in, and the end of what is sent then."""
    start, ends = "", ["", ""]
    if text.startswith("OK") and _AT_RAW_PROMPT.search(sent_end):
        start, text = "OK", text.removeprefix("OK")
    line_ended = sent_end.endswith("\r\n")
    sent_end = (sent_end + start + text)[-len(_RAW_LINE + ">") :]
    if text.endswith("\r\n" + _PROMPT) or (text == _PROMPT and line_ended):
        text, ends[1] = text.removesuffix(_PROMPT), _PROMPT
    if text.endswith("\r\n"):
        text, ends[0] = text.removesuffix("\r\n"), "\r\n"
    return tuple(message for message in (start, text, *ends) if message), sent_end
