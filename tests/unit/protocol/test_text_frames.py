from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.text_frames import TextFrames


def cut(*pieces: str) -> list[str]:
    """Cut pieces that come one right after the other, and then no more."""
    frames = TextFrames()
    messages = [message for piece in pieces for message in frames.cut(piece)]
    return [*messages, *frames.flush()]


@pytest.mark.parametrize(
    ("pieces", "messages"),
    [
        (["23\r\n>>> "], ["23", "\r\n", ">>> "]),
        (["23\r\n", ">>> "], ["23", "\r\n", ">>> "]),
        (["23\r", "\n>", ">", ">", " "], ["23", "\r\n", ">>> "]),
        (["23\r\n>>", "> "], ["23", "\r\n", ">>> "]),
        (["\r\n>>> "], ["\r\n", ">>> "]),
        (["a\r\n>>> b\r\n>>> "], ["a\r\n>>> b", "\r\n", ">>> "]),
        (["line\r\nline\r\n"], ["line\r\nline", "\r\n"]),
        (["x"], ["x"]),
        ([">>> "], [">>> "]),
        (["a >>> "], ["a >>> "]),
        (["50%\r", "60%\r"], ["50%", "\r60%", "\r"]),
        (["raw REPL; CTRL-B to exit\r\n>"], ["raw REPL; CTRL-B to exit\r\n>"]),
        (["raw REPL; CTRL-B to exit\r\n", ">"], ["raw REPL; CTRL-B to exit", "\r\n", ">"]),
        (["\r\n>>>>"], ["\r\n>>>>"]),
        (
            ["CTRL-B to exit\r\n>", "OK23\r\n\x04\x04>", "OK\x04\x04>"],
            ["CTRL-B to exit\r\n>", "OK", "23\r\n\x04\x04>", "OK", "\x04\x04>"],
        ),
        (["\x04>", "O", "K2"], ["\x04>", "OK", "2"]),
        (["\x04>", "R", "\x01 \x00"], ["\x04>", "R\x01 \x00"]),
        (["OK1\r\n"], ["OK1", "\r\n"]),
    ],
)
def test_where_text_is_cut(pieces: list[str], messages: list[str]) -> None:
    assert cut(*pieces) == messages


@pytest.mark.parametrize("text", ["\r", "1\r\n>", "1\r\n>>", "1\r\n>>>"])
def test_what_waits_for_its_rest(text: str) -> None:
    frames = TextFrames()
    now = frames.cut(text)
    assert frames.holding
    assert "".join(now + frames.flush()) == text
    assert not frames.holding


@pytest.mark.parametrize("text", ["a", "\r\n", ">", "1\r\n>>> ", "CTRL-B to exit\r\n>", "\r\n...", "\x04>"])
def test_what_does_not(text: str) -> None:
    frames = TextFrames()
    assert "".join(frames.cut(text)) == text
    assert not frames.holding


@given(st.lists(st.text("\r\n> OK\x04", max_size=8)), st.booleans())
def test_nothing_is_lost_or_empty(pieces: list[str], flush_each: bool) -> None:
    frames = TextFrames()
    messages: list[str] = []
    for piece in pieces:
        messages += frames.cut(piece)
        if flush_each:
            messages += frames.flush()
    messages += frames.flush()
    assert "".join(messages) == "".join(pieces)
    assert "" not in messages


@given(st.text("\r\n> ab", max_size=20), st.data())
def test_a_prompt_at_the_end_is_by_itself_however_it_comes(text: str, data: st.DataObject) -> None:
    text += "\r\n>>> "
    at = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    pieces = [text[start:end] for start, end in zip([0, *at], [*at, len(text)], strict=True)]
    assert cut(*pieces)[-2:] == ["\r\n", ">>> "]
