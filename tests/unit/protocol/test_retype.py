"""A half-typed line is given back, at real editors' pace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbook import SILENCE, Playbook
from program_board import Line, ProgramBoard
from webrepl_bridge.protocol.dialogue import DialogueTimeoutError
from webrepl_bridge.protocol.raw_repl import RawRepl
from webrepl_bridge.protocol.repl_tracker import Mode, ReplTracker
from webrepl_bridge.protocol.retype import retype


def test_nothing() -> None:
    Playbook(retype([], b"", 0)).ends()


def test_a_line_with_the_cursor_in_it() -> None:
    Playbook(retype([], b"abc", 1)).sends(b"abc").hears(b"ab", b"c").sends(b"\x1b[D").hears(b"\b").sends(
        b"\x1b[D"
    ).hears(b"\b").ends()


def test_a_long_line_goes_in_portions() -> None:
    line = b"x" * 40
    Playbook(retype([], line, 40)).sends(line[:32]).hears(line[:32]).sends(line[32:]).hears(line[32:]).ends()


def test_a_character_is_not_cut() -> None:
    line = b"x" * 31 + "é€".encode()
    Playbook(retype([], line, 33)).sends(line[:33]).hears(line[:33]).sends("€".encode()).hears("€".encode()).ends()


def test_a_board_that_does_not_echo() -> None:
    with pytest.raises(DialogueTimeoutError):
        Playbook(retype([], b"abc", 3)).sends(b"abc").hears(b"ab", SILENCE)


@pytest.mark.parametrize("indent", [[b"\r\n...     "], [b"\r\n... ", b"    "]])
def test_the_boards_own_indent_is_used(indent: list[bytes]) -> None:
    play = Playbook(retype([b"if 1:"], b"    x", 5)).sends(b"if 1:").hears(b"if 1:").sends(b"\r")
    play.hears(*indent, SILENCE).sends(b"x").hears(b"x").ends()


def test_the_boards_own_indent_is_rubbed_out() -> None:
    play = Playbook(retype([b"if 1:"], b"x", 1)).sends(b"if 1:").hears(b"if 1:").sends(b"\r")
    play.hears(b"\r\n...     ", SILENCE).sends(b"\x08").hears(b"\b\b\b\b\x1b[K").sends(b"x").hears(b"x").ends()


def test_the_boards_own_indent_may_come_late() -> None:
    play = Playbook(retype([b"if 1:"], b"    x", 5)).sends(b"if 1:").hears(b"if 1:").sends(b"\r")
    play.hears(b"\r\n... ", SILENCE).sends(b"    x").hears(b"    ", b"    ", b"x", SILENCE)
    play.sends(b"\x08").hears(b"\b\x1b[K").sends(b"\x08").hears(b"\b\b\b\b\x1b[K").sends(b"x").hears(b"x").ends()


rows = st.sampled_from(["for i in x:", "    if 1:", "        y = '>>> '", "  z", "    ", "a" * 70, "  b:"])


@given(
    st.lists(rows, max_size=5), st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=80), st.data()
)
def test_a_board_has_the_line_back(more_rows: list[str], line: str, data: st.DataObject) -> None:
    block = [row.encode() for row in ["if 1:", *more_rows]] if more_rows else []
    cursor = data.draw(st.integers(0, len(line)))
    text = (line[:cursor] + line[cursor:].rstrip(" ")).encode()
    with ProgramBoard() as board:
        tracker = ReplTracker()
        seen = Line(board, to_host=lambda output: tracker.receive_data(output) or output)
        seen.drive(RawRepl().enter(line_is_empty=True))
        seen.drive(RawRepl().leave())
        seen.drive(retype(block, text, cursor))
        assert tracker.mode is (Mode.CONTINUATION if block else Mode.PROMPT)
        assert (tracker.block, tracker.line.text, tracker.line.cursor) == (block, text, cursor)
        assert board.executed == []
