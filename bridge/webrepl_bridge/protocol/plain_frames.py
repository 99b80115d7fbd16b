r"""Frames of the framing `plain`: RFC 6455 section 5.2 on a bare wire, without handshake and without mask.

    1 byte   0x81 text, 0x82 binary, 0x88 close: the last fragment always, nothing else is ever sent
    1 byte   0 to 125: the payload's length; 126: it is in the next 2 bytes, big-endian
    payload

RFC 6455 has a reliable stream below it and ends a connection at the first byte that cannot be. A wire loses bytes, and
has no connection to end; so this is a codec of its own rather than the websockets library's, which cannot resume.

Source: micropython extmod/modwebsocket.c.
"""

from __future__ import annotations

from typing import NamedTuple

TEXT, BINARY, CLOSE = 0x81, 0x82, 0x88
SHORT_BYTES_MAX = 125
TEXT_BYTES_MAX = 1024
BINARY_BYTES_MAX = 512
"""No board sends longer binary frames."""

RESYNC_TAIL = bytes((TEXT, 0)) * 4


class Frame(NamedTuple):
    """A frame, or a part of a long text frame.

    Attributes:
        kind: TEXT, BINARY or CLOSE.
        payload: what is in it.
    """

    kind: int
    payload: bytes


def encode_text(text: bytes) -> bytes:
    """Return `text` in text frames.

    As few as can be: a board that misses a byte waits for it at the end of a frame, and does no harm while it waits.
    """
    frames = bytearray()
    for start in range(0, len(text), TEXT_BYTES_MAX):
        part = text[start : start + TEXT_BYTES_MAX]
        size = (len(part),) if len(part) <= SHORT_BYTES_MAX else (126, *len(part).to_bytes(2, "big"))
        frames += bytes((TEXT, *size)) + part
    return bytes(frames)


def resync(filler_bytes: int) -> bytes:
    """Return what brings a board back into step that has lost up to `filler_bytes` bytes, or took text for a length.

    Zeros end the payload that the board believes in; as text they are nothing to a REPL. Where it reads a header, a
    pair of them is an empty frame. If the last one is left over, the first 0x81 of the tail makes a masked frame of one
    zero with it, of an odd length in all, and the next pair begins where a header does.
    """
    return bytes(filler_bytes) + RESYNC_TAIL


class FrameDecoder:
    """Cuts what comes from a board into frames.

    Boards drop single bytes of their output when it comes faster than the wire. A byte that cannot begin a frame is
    skipped; a text frame ends early at a byte that begins a frame and cannot be part of UTF-8 where it stands.

    Attributes:
        skipped_bytes: how much was no part of a frame.
        skipped_in_a_row: how much of that since the last frame.
        cut_frames: how many text frames ended early.
    """

    def __init__(self) -> None:
        self.skipped_bytes = self.skipped_in_a_row = self.cut_frames = 0
        self._unread = bytearray()
        self._long_text_left = 0  # of a text frame that is told in parts
        self._continuation_left = 0  # bytes of a UTF-8 character that are still to come

    @property
    def is_inside(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._unread or self._long_text_left)

    def receive_data(self, data: bytes) -> list[Frame]:
        """Take what came; return the frames that are there now."""
        self._unread += data
        frames = []
        while (frame := self._next()) is not None:
            self.skipped_in_a_row = 0
            frames.append(frame)
        return frames

    def give_up(self) -> list[Frame]:
        """Nothing more came of the frame that has begun: return what there is of it, if it is text."""
        unread, self._unread = bytes(self._unread), bytearray()
        self._long_text_left = self._continuation_left = 0
        self.cut_frames += 1
        if len(unread) > 2 and unread[0] == TEXT:
            return [Frame(TEXT, unread[2:])]
        return []

    def _next(self) -> Frame | None:
        unread = self._unread
        if self._long_text_left:
            return self._text(0, self._long_text_left) if unread else None
        while unread and not self._may_begin():
            del unread[0]
            self.skipped_bytes += 1
            self.skipped_in_a_row += 1
        if len(unread) < 2:
            return None
        kind, head, size = unread[0], 2, unread[1]
        if size == SHORT_BYTES_MAX + 1:
            if len(unread) < 4:
                return None
            head, size = 4, int.from_bytes(unread[2:4], "big")
            if kind == BINARY and size > BINARY_BYTES_MAX:
                self._drop_header()
                return self._next()
        if kind == TEXT:
            if size <= SHORT_BYTES_MAX and len(unread) < head + size and not self._cut(unread[head:]):
                return None
            return self._text(head, size)
        if len(unread) < head + size:
            return None
        return Frame(kind, self._take(head, size))

    def _may_begin(self) -> bool:
        unread = self._unread
        if len(unread) < 2:
            return unread[0] in (TEXT, BINARY, CLOSE)
        match unread[0]:
            case 0x81 | 0x82:
                return unread[1] <= SHORT_BYTES_MAX + 1
            case 0x88:
                return unread[1] == 0
            case _:
                return False

    def _drop_header(self) -> None:
        del self._unread[0]
        self.skipped_bytes += 1
        self.skipped_in_a_row += 1

    def _cut(self, text: bytes | bytearray) -> bool:
        return self._scan(text, self._continuation_left)[0] < len(text)

    def _text(self, head: int, size: int) -> Frame:
        """Take the text that there is of a frame with `size` bytes left, behind a header of `head` bytes."""
        text = bytes(self._unread[head : head + size])
        end, self._continuation_left = self._scan(text, self._continuation_left)
        del self._unread[: head + end]
        if end < len(text):
            self.cut_frames += 1
            self._long_text_left = 0
        else:
            self._long_text_left = size - end
        return Frame(TEXT, text[:end])

    def _take(self, head: int, size: int) -> bytes:
        payload = bytes(self._unread[head : head + size])
        del self._unread[: head + size]
        return payload

    @staticmethod
    def _scan(text: bytes | bytearray, continuation_left: int) -> tuple[int, int]:
        """Return where another frame begins in `text`, or its end; and how many bytes its last character lacks."""
        for index, byte in enumerate(text):
            if continuation_left and 0x80 <= byte <= 0xBF:
                continuation_left -= 1
            elif byte in (TEXT, BINARY):
                return index, 0
            else:
                continuation_left = 0 if byte < 0xC0 else 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
        return len(text), continuation_left
