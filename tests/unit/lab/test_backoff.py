"""The delays before a board is tried again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.lab.backoff import FIRST_MS, LAST_MS, STEADY_MS, Backoff


def test_each_delay_is_twice_the_one_before_up_to_half_a_minute() -> None:
    backoff = Backoff()
    delays = [backoff.next_delay_ms(0, 1.0) for _ in range(8)]
    assert delays == [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]


def test_a_board_that_held_begins_anew_and_one_that_did_not_does_not() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.next_delay_ms(0, 0)
    assert backoff.next_delay_ms(STEADY_MS - 1, 1.0) == 16_000
    assert backoff.next_delay_ms(STEADY_MS, 1.0) == FIRST_MS


@given(st.lists(st.tuples(st.integers(0, 100_000), st.floats(0, 1, exclude_max=True))))
def test_no_delay_is_less_than_half_of_the_first_or_more_than_the_last(tries: list[tuple[int, float]]) -> None:
    backoff = Backoff()
    for held_ms, chance in tries:
        assert FIRST_MS // 2 <= backoff.next_delay_ms(held_ms, chance) <= LAST_MS
