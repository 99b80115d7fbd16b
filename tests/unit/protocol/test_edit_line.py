"""The edited line, from what real editors print."""

from __future__ import annotations

import pytest

from webrepl_bridge.protocol.edit_line import LINE_CHARACTERS_MAX, TITLE_BYTES_MAX, EditLine


def after(printed: bytes) -> EditLine:
    line = EditLine()
    for byte in printed:
        line.receive_byte(byte)
    return line


@pytest.mark.parametrize(
    ("printed", "text", "cursor"),
    [
        (b"abc", b"abc", 3),
        (b"abc\b\b", b"abc", 1),
        (b"abc\b\bXbc\b\b", b"aXbc", 2),  # insert, as MicroPython draws it
        (b"abc\b\x1b[K", b"ab", 2),  # rubout, new firmware
        (b"abc\b \b", b"ab", 2),  # rubout, old firmware
        (b"abcd\x1b[4D\x1b[Kbcd\x1b[3D", b"bcd", 0),  # home, delete
        (b"abc\x1b[9D", b"abc", 0),
        (b"abc\x1b[3D\x1b[2C", b"abc", 2),
        (b"abc\x1b[D\x1b[9C", b"abc", 3),
        (b"\b\b", b"", 0),
        (b"a\x1bQb", b"ab", 2),  # no escape of ours: ignored
        (b"a\x1b[31mb\x1b[0m", b"ab", 2),
        (b"ab \b\b", b"ab", 1),
        ("é€😀".encode(), "é€😀".encode(), 3),
        ("é€😀\b\b\x1b[K".encode(), "é".encode(), 1),
        ("aé\b\bxaé\b\b".encode(), "xaé".encode(), 1),
        (b"a\x80b", b"a\x80b", 3),  # no UTF-8
        (b"a\x1b]0;title | 9.0\x1b\\b", b"ab", 2),
        (b"a\x1b]0;title\x07b", b"ab", 2),
        (b"a\x1b]" + b"x" * TITLE_BYTES_MAX + b"b", b"axb", 3),  # no title after all
    ],
)
def test_line(printed: bytes, text: bytes, cursor: int) -> None:
    line = after(printed)
    assert (line.text, line.cursor) == (text, cursor)


@pytest.mark.parametrize(
    ("printed", "at_end"),
    [(b"", True), (b"ab", True), (b"ab\b", False), (b"ab\b \b", True), (b"ab\x1b[2D\x1b[K", True)],
)
def test_at_end(printed: bytes, at_end: bool) -> None:
    assert after(printed).at_end is at_end


def test_clear() -> None:
    line = after(b"abc\x1b[")
    line.clear()
    line.receive_byte(ord("D"))
    assert (line.text, line.cursor) == (b"D", 1)


def test_a_line_without_end_is_cut() -> None:
    assert len(after(b"x" * 3 * LINE_CHARACTERS_MAX).text) == LINE_CHARACTERS_MAX
