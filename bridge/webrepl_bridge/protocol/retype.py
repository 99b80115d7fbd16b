"""Giving a half-typed line back to the board after something else was done at its prompt."""

from __future__ import annotations

import contextlib

from .dialogue import Dialogue, DialogueTimeoutError, Receive, Send
from .repl_tracker import Mode, ReplTracker

ECHO_TIMEOUT_MS = 1_000
INDENT_TIMEOUT_MS = 20
"""How long after a prompt the board may take to indent the line."""

PORTION_BYTES = 32


def retype(block: list[bytes], line: bytes, cursor: int) -> Dialogue[None]:
    """From an empty prompt, type what was there before.

    Args:
        block: the finished lines of a compound statement; they are entered again, which does not run them.
        line: the half-typed line below them.
        cursor: where in it the cursor was, in characters.

    Raises:
        DialogueTimeoutError: the board does not echo as it should.
    """
    tracker = ReplTracker()
    tracker.resume(Mode.PROMPT)
    for row in block:
        yield from _reach(tracker, row)
        arrivals = tracker.arrivals
        yield from _press(tracker, b"\r")
        while tracker.arrivals == arrivals:
            tracker.receive_data((yield Receive(ECHO_TIMEOUT_MS)))
        yield from _quiet(tracker)
    yield from _reach(tracker, line)
    while tracker.line.cursor > cursor:
        before = tracker.line.cursor
        yield from _press(tracker, b"\x1b[D")
        while tracker.line.cursor == before:
            tracker.receive_data((yield Receive(ECHO_TIMEOUT_MS)))


def _quiet(tracker: ReplTracker) -> Dialogue[None]:
    with contextlib.suppress(DialogueTimeoutError):
        for _ in range(4):  # it comes in few pieces
            tracker.receive_data((yield Receive(INDENT_TIMEOUT_MS)))


def _reach(tracker: ReplTracker, target: bytes) -> Dialogue[None]:
    # The board may have indented the line by itself, or does so while it is typed; what does not fit is rubbed out.
    while (before := tracker.line.text) != target:
        if not target.startswith(before):
            yield from _press(tracker, b"\x08")
            while tracker.line.text == before:
                tracker.receive_data((yield Receive(ECHO_TIMEOUT_MS)))
            continue
        start = len(before)
        reached = min(start + PORTION_BYTES, len(target))
        while reached < len(target) and 0x80 <= target[reached] < 0xC0:
            reached += 1  # CircuitPython echoes whole characters
        yield from _press(tracker, target[start:reached])
        while (text := tracker.line.text) != target[:reached] and target.startswith(text):
            tracker.receive_data((yield Receive(ECHO_TIMEOUT_MS)))
        if not target.startswith(text):
            yield from _quiet(tracker)


def _press(tracker: ReplTracker, keys: bytes) -> Dialogue[None]:
    tracker.data_sent(keys)
    yield Send(keys)
