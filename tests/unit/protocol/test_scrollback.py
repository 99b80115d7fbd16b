"""What is kept for a client that comes late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.scrollback import PIECE_CHARS, Scrollback


def test_all_of_what_fits() -> None:
    scrollback = Scrollback(10)
    scrollback.add(">>> ")
    scrollback.add("1+1\r\n")
    assert scrollback.text() == ">>> 1+1\r\n"


def test_the_last_lines_of_what_does_not_fit() -> None:
    scrollback = Scrollback(12)
    scrollback.add("first\r\nsecond\r\n>>> ")
    assert scrollback.text() == ">>> "
    assert Scrollback(3).text() == ""


def test_a_line_that_is_longer_than_all_is_cut() -> None:
    scrollback = Scrollback(4)
    scrollback.add("abcdefgh")
    assert scrollback.text() == "efgh"


def test_switched_off() -> None:
    scrollback = Scrollback(0)
    scrollback.add("x\n")
    assert scrollback.text() == ""


@given(st.integers(1, 2000), st.lists(st.text("ab\n", max_size=700)))
def test_it_is_bounded_and_the_end_of_what_was_shown(chars_max: int, texts: list[str]) -> None:
    scrollback = Scrollback(chars_max)
    for text in texts:
        scrollback.add(text)
        assert scrollback._chars < 2 * chars_max + PIECE_CHARS
    shown = "".join(texts)
    kept = scrollback.text()
    assert len(kept) <= chars_max
    assert shown.endswith(kept)
    if len(shown) <= chars_max:
        assert len(kept) >= len(shown.partition("\n")[2])
    else:
        tail = shown[-chars_max:]
        assert len(kept) >= len(tail.partition("\n")[2])
