"""What a tool's DTR and RTS do on a board that others share.

A serial tool asserts both lines when it opens a port and releases them, one after the other, when it closes it. On a
port of its own that is its own affair; here it would tell a board with USB of its own that nobody listens any more,
and hold some boards in reset. So the lines stay as the bridge has set them until the tool asks for a reset, which is
RTS without DTR on every board that has the usual circuit (esptool's included). From then on they are the tool's.

A client of RFC 2217 changes one line after the other, some 50 ms apart, and a reset into the boot loader has to leave
the reset by both lines at once: DTR asserted, RTS released. So DTR asserted in reset waits for the next request.

    HELD (as the bridge has them) ──DTR off, RTS on──► the tool's ──it leaves──► as the bridge has them

Source: esptool, docs "Boot mode selection"; esp_rfc2217_server, which recognises the same for the same reason.
"""

from __future__ import annotations

from typing import NamedTuple

HISTORY_MAX = 2
"""Changes before the first reset that go ahead of it: an ESP's own USB goes to its boot loader by three of them."""


class Lines(NamedTuple):
    """Both control lines, True for asserted."""

    dtr: bool
    rts: bool


RESET = Lines(dtr=False, rts=True)
BOTH = Lines(dtr=True, rts=True)


class ToolLines:
    """Decides what of one tool's requests reaches the lines.

    Attributes:
        taken: whether the tool has asked for a reset: the lines are its own, and so is the board.
    """

    def __init__(self) -> None:
        self.taken = False
        self._lines = BOTH
        self._waiting: Lines | None = None
        self._before: list[Lines] = []

    def request(self, dtr: bool, rts: bool) -> list[Lines]:
        """Take a request; return what the lines should be set to, one after the other."""
        lines = Lines(dtr, rts)
        if not self.taken and lines != RESET:
            self._before = [*self._before, lines][-HISTORY_MAX:]
            return []
        if not self.taken:
            self.taken = True
            changes = [*self._before, lines]
        elif lines == BOTH and self._lines == RESET:
            self._waiting = lines
            return []
        else:
            changes = [lines]
        self._waiting = None
        self._lines = lines
        return changes

    def data_follows(self) -> list[Lines]:
        """The tool has sent data: a change that waited for the next request waits no longer."""
        if self._waiting is None:
            return []
        self._lines, self._waiting = self._waiting, None
        return [self._lines]
