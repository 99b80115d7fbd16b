"""What has to be done when a plan changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.plan import LabPlan, Listener, changes

boards = st.dictionaries(st.sampled_from("abcd"), st.builds(BoardOptions, st.sampled_from(["COM1", "COM2"])))


@given(boards, boards)
def test_each_board_is_let_go_kept_moved_or_new(
    before: dict[str, BoardOptions], after: dict[str, BoardOptions]
) -> None:
    todo = changes(before, after)
    left = {name: options for name, options in before.items() if name not in todo.gone | todo.moved}
    assert left.items() <= after.items()
    assert {**left, **{name: after[name] for name in todo.moved | todo.new}} == after
    assert not todo.new & before.keys()
    assert todo.moved <= before.keys()


def test_where_to_listen() -> None:
    plan = LabPlan({}, (":1", ":2"), "secret", board_listen={"a": (":3",)})
    assert plan.listeners() == [Listener(":1", ""), Listener(":2", ""), Listener(":3", "a")]
