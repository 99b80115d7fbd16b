"""Who speaks on a wire: a plain REPL or the shim. Each of the two machines here waits for the other one.

HelloWatch  beside a plain REPL: finds the frame with which a shim calls, and keeps frames out of the terminal
TextWatch   beside a link: finds out that a plain REPL prints where frames should come
"""

from __future__ import annotations

import re
from binascii import crc32

from webrepl_link.link import VERSION

SYNC = b"\xa5"
HELLO = 0x32
KINDS = frozenset({0x20, 0x21, 0x22, 0x24, 0x25, 0x30, HELLO})
HEAD_BYTES = 7
OVERHEAD_BYTES = 11
HOLD_MS = 40
"""How long the beginning of what may be a frame is kept from the terminal while nothing comes behind it."""

GONE_MS = 5_000
"""After so long without a frame, text means that there is no shim any more."""

TEXT_BYTES = 16
TEXT_BYTES_KEPT = 1024
_BOARD_BIT = 1

_AT_PROMPT = re.compile(rb"(?:^|\n)(?:>>> |\.\.\. )|(?:MicroPython|Adafruit CircuitPython) [^\r\n]{1,99} on \d{4}-\d\d")
_UNPRINTABLE = re.compile(rb"[^\x07-\r\x1b\x20-\x7e]")
_FRAME = re.compile(rb"\xa5[ !\"$%02]")


class HelloWatch:
    """Looks for a board's hello among a plain REPL's output.

    A hello needs nothing known in advance to be told from garbage. The other frames, which a shim goes on sending to a
    bridge that is no more, do; so they are only known by their heads, and taken out. docs/protocol.md, "The link".

    Attributes:
        found: a hello of our version of the link and what came behind it; b"" before there is one.
        other_version: the version of the last hello that was another; those are taken out.
        frames: how many other frames have been taken out.
    """

    def __init__(self) -> None:
        self.found = b""
        self.other_version: int | None = None
        self.frames = 0
        self._held = b""
        self._deadline_ms: int | None = None

    def receive_data(self, data: bytes, now_ms: int) -> bytes:
        """Take the board's output; return what of it is for the terminal, now that it has been looked at."""
        data = self._held + data
        plain = b""
        while not self.found:
            start = data.find(SYNC)
            if start < 0:
                start = len(data)
            plain += data[:start]
            data = data[start:]
            size = _frame_bytes(data)
            if len(data) < size:
                break
            frame, rest = data[:size], data[size:]
            if _is_hello_of_board(frame):
                if frame[HEAD_BYTES] == VERSION:
                    self.found = data
                else:
                    self.other_version = frame[HEAD_BYTES]
                    data = rest
            elif size > HEAD_BYTES and frame[1] != HELLO and plain[-1:] < b"\x80" and rest[:1] in (b"", SYNC):
                self.frames += 1
                data = rest
            else:
                plain += data[:1]
                data = data[1:]
        self._held = b"" if self.found else data
        self._deadline_ms = now_ms + HOLD_MS if self._held else None
        return plain

    def next_deadline_ms(self) -> int | None:
        """When `handle_timeout` must be called if nothing comes; None for never."""
        return self._deadline_ms

    def handle_timeout(self, now_ms: int) -> bytes:
        """Return what was held and is no frame after all, as nothing came behind it."""
        if self._deadline_ms is None or now_ms < self._deadline_ms:
            return b""
        return self.release()

    def release(self) -> bytes:
        """Return what is held, as what comes is not to be looked at."""
        plain, self._held, self._deadline_ms = self._held, b"", None
        return plain


def _frame_bytes(data: bytes) -> int:
    """How long the frame is that `data` begins with.

    Returns:
        1 if it begins with none; more than there is if that cannot be said yet.
    """
    if not data or (data[0] == SYNC[0] and data[1:2] and data[1] not in KINDS):
        return 1
    if len(data) < HEAD_BYTES:
        return HEAD_BYTES
    return OVERHEAD_BYTES + data[5] if sum(data[:HEAD_BYTES]) & 0xFF == 0 else 1


def _is_hello_of_board(frame: bytes) -> bool:
    is_hello = len(frame) > OVERHEAD_BYTES + 1 and frame[1] == HELLO
    return is_hello and crc32(frame[:-4]).to_bytes(4, "little") == frame[-4:] and bool(frame[8] & _BOARD_BIT)


def _behind_frames(data: bytes) -> bytes:
    """What is behind the last thing in `data` that looks like a whole frame."""
    at = 0
    while (at := data.find(SYNC, at)) >= 0:
        size = _frame_bytes(data[at:])
        if size > HEAD_BYTES and len(data) >= at + size:
            data = data[at + size :]
            at = 0
        else:
            at += 1
    return data


class TextWatch:
    """Looks for a plain REPL where frames should come.

    Attributes:
        gone: whether there is no shim any more.
        at_prompt: whether the plain REPL has been seen at a prompt: what is typed there disturbs no program.
    """

    def __init__(self) -> None:
        self.gone = False
        self.at_prompt = False
        self._recent = b""
        self._heard_ms = 0

    def start(self, now_ms: int) -> None:
        """Begin anew: now is as good as heard."""
        self.gone = self.at_prompt = False
        self._recent = b""
        self._heard_ms = now_ms

    def receive_data(self, data: bytes, heard_ms: int, now_ms: int) -> None:
        """Take what came, and when the last valid frame did."""
        if heard_ms > self._heard_ms:
            self._heard_ms = heard_ms
            self._recent = b""
        self._recent = _behind_frames(self._recent + data)[-TEXT_BYTES_KEPT:]
        self.handle_timeout(now_ms)

    @property
    def _is_text(self) -> bool:
        if _FRAME.search(self._recent):
            return False  # a shim is there, but the wire is bad
        if _AT_PROMPT.search(self._recent):
            return True
        printable_bytes = len(_UNPRINTABLE.sub(b"", self._recent))
        return printable_bytes >= TEXT_BYTES and printable_bytes * 20 >= len(self._recent) * 19

    def next_deadline_ms(self) -> int | None:
        """When `handle_timeout` must be called if nothing comes; None for never."""
        return self._heard_ms + GONE_MS if self._is_text and not self.gone else None

    def handle_timeout(self, now_ms: int) -> None:
        """Judge, if it is time."""
        if not self.gone and now_ms >= self._heard_ms + GONE_MS and self._is_text:
            self.gone = True
            self.at_prompt = b">>> " in self._recent
