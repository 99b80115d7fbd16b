from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.tool_lines import Lines, ToolLines

OFF, ON = False, True


def requests(lines: ToolLines, *states: tuple[bool, bool]) -> list[Lines]:
    return [change for dtr, rts in states for change in lines.request(dtr, rts)]


def test_opening_and_closing_a_port_leaves_the_board_alone() -> None:
    lines = ToolLines()
    assert requests(lines, (ON, ON), (ON, OFF), (OFF, OFF)) == []  # mpremote releases RTS first
    assert not lines.taken


def test_esptools_reset_into_the_boot_loader() -> None:
    lines = ToolLines()
    assert requests(lines, (OFF, ON)) == [(OFF, ON)]
    assert lines.taken
    assert requests(lines, (ON, ON)) == []  # would let the program start
    assert requests(lines, (ON, OFF)) == [(ON, OFF)]
    assert requests(lines, (OFF, OFF)) == [(OFF, OFF)]


def test_esptools_reset_over_an_esps_own_usb() -> None:
    lines = ToolLines()
    steps = [(ON, OFF), (OFF, OFF), (ON, OFF), (ON, ON), (OFF, ON)]
    assert requests(lines, *steps) == [(ON, OFF), (ON, ON), (OFF, ON)]
    assert requests(lines, (OFF, OFF)) == [(OFF, OFF)]


def test_a_hard_reset_from_released_lines() -> None:
    assert requests(ToolLines(), (ON, OFF), (OFF, OFF), (OFF, ON), (OFF, OFF)) == [
        (ON, OFF),
        (OFF, OFF),
        (OFF, ON),
        (OFF, OFF),
    ]


def test_what_waits_in_reset_goes_before_data() -> None:
    lines = ToolLines()
    assert lines.data_follows() == []
    requests(lines, (OFF, ON), (ON, ON))
    assert lines.data_follows() == [(ON, ON)]
    assert lines.data_follows() == []


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_a_board_never_leaves_reset_by_way_of_both(states: list[tuple[bool, bool]]) -> None:
    """From reset the program is started by RTS alone, the boot loader by both lines at once; neither by chance."""
    lines = ToolLines()
    changes = requests(lines, *states)
    assert lines.taken == ((OFF, ON) in states)
    assert not any(pair == (Lines(OFF, ON), Lines(ON, ON)) for pair in pairwise(changes))
    if lines.taken and states[-1] != (ON, ON):
        assert changes[-1] == states[-1]
