"""Exactly once and in order, whatever the line does and whoever restarts; Hypothesis looks for more."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from link_kit import CLEAN, TERRIBLE, Faults, Pair, Side
from webrepl_link.link import Link

FAULTS = {
    "clean": CLEAN,
    "drop": Faults(drop=0.3),
    "duplicate": Faults(duplicate=0.5),
    "delay": Faults(delay=0.3),
    "insert": Faults(insert=0.5),
    "lose_bytes": Faults(lose_bytes=0.3),
    "split": Faults(split=0.8),
    "merge": Faults(merge=0.5),
    "bit_errors": Faults(bit_errors=5e-4),
    "terrible": TERRIBLE,
}


class Talker:
    """Gives both sides something to say, now and then."""

    def __init__(self, pair: Pair, rng: random.Random) -> None:
        self.pair = pair
        self.rng = rng
        self.count = 0

    def __call__(self) -> None:
        for side in self.pair.sides:
            if not side.link.is_up:
                continue
            chance = self.rng.random()
            self.count += 1
            mark = b"<%d>" % self.count
            if chance < 0.1 and side.link.urgent.waiting_bytes < 500:
                side.send_text(mark * self.rng.choice((1, 1, 1, 20)))
            elif chance < 0.4 and side.link.bulk.waiting_bytes < 5000:
                side.send_binary(mark * self.rng.choice((1, 10, 400)))
            elif chance < 0.42 and len(side.link.urgent.queue) < 10:
                side.send_control(mark)


@pytest.mark.parametrize("name", FAULTS)
@pytest.mark.parametrize("bytes_per_s", [0, 11520])
def test_everything_arrives_once_and_in_order(name: str, bytes_per_s: int) -> None:
    for seed in range(5):
        pair = Pair(seed, bytes_per_s)
        pair.connect()
        pair.set_faults(FAULTS[name])
        pair.run(20_000, Talker(pair, random.Random(seed)))
        pair.settle()
        pair.check_all_arrived()
        assert len(pair.board.received[pair.board.session].binary) > 10
        assert len(pair.bridge.received) == 1, "no session but the first"


def check_nothing_arrived_twice(pair: Pair) -> None:
    for side in pair.sides:
        messages = [message for traffic in side.received.values() for message in traffic.binary + traffic.control]
        assert len(messages) == len(set(messages))


def test_whoever_restarts_whenever() -> None:
    for seed in range(40):
        pair = Pair(seed, 11520)
        rng = random.Random(seed)
        talker = Talker(pair, rng)
        pair.set_faults(TERRIBLE if seed % 3 else CLEAN)
        for _ in range(8):
            pair.run(rng.randrange(4000), talker)
            rng.choice(pair.sides).restart()
        pair.run(3000, talker)
        pair.settle()
        pair.check_all_arrived()
        check_nothing_arrived_twice(pair)


def test_a_board_without_randomness_restarts() -> None:
    for seed in range(10):
        pair = Pair(seed, 11520)
        make = pair.board.make

        def with_the_same_number(make: Callable[[], Link] = make) -> Link:
            link = make()
            link._offer = 7  # type: ignore[attr-defined]
            return link

        pair.board.make = with_the_same_number
        pair.board.restart()
        rng = random.Random(seed)
        talker = Talker(pair, rng)
        for _ in range(8):
            pair.run(1000 + rng.randrange(4000), talker)
            pair.board.restart()
        pair.run(3000, talker)
        pair.settle()
        pair.check_all_arrived()
        check_nothing_arrived_twice(pair)


@pytest.mark.parametrize("seed", range(5))
def test_a_wire_pulled_for_a_minute_loses_nothing(seed: int) -> None:
    pair = Pair(seed, 11520)
    pair.connect()
    talker = Talker(pair, random.Random(seed))
    pair.run(3000, talker)
    pair.to_board.is_cut = pair.to_bridge.is_cut = True
    pair.run(60_000, talker)
    pair.to_board.is_cut = pair.to_bridge.is_cut = False
    pair.run(3000, talker)
    pair.settle()
    pair.check_all_arrived()
    assert len(pair.bridge.received) == 1


class TerribleLine(RuleBasedStateMachine):
    """Two sides do what they like, the line too."""

    @initialize(
        seed=st.integers(0, 1 << 30),
        bytes_per_s=st.sampled_from((0, 960, 11520)),
        head_start_ms=st.sampled_from((0, 1000)),
    )
    def begin(self, seed: int, bytes_per_s: int, head_start_ms: int) -> None:
        self.pair = Pair(seed, bytes_per_s)
        self.count = 0
        self.pair.run(head_start_ms)

    def side(self, is_board: bool) -> Side:
        return self.pair.sides[is_board]

    def fresh(self, size: int) -> bytes:
        self.count += 1
        return (b"<%d>" % self.count * (size // 3 + 1))[: max(size, 1)]

    @rule(duration_ms=st.integers(1, 3000))
    def wait(self, duration_ms: int) -> None:
        self.pair.run(duration_ms)

    @rule(is_board=st.booleans(), size=st.integers(1, 700))
    def type_text(self, is_board: bool, size: int) -> None:
        self.side(is_board).send_text(self.fresh(size))

    @rule(is_board=st.booleans(), size=st.integers(1, 5000))
    def send_message(self, is_board: bool, size: int) -> None:
        self.side(is_board).send_binary(self.fresh(size))

    @rule(is_board=st.booleans(), size=st.integers(1, 32))
    def send_control(self, is_board: bool, size: int) -> None:
        self.side(is_board).send_control(self.fresh(size))

    @rule(is_board=st.booleans(), is_consuming=st.booleans())
    def be_busy(self, is_board: bool, is_consuming: bool) -> None:
        side = self.side(is_board)
        side.is_consuming = is_consuming
        side.take_events()

    @rule(is_board=st.booleans())
    def restart(self, is_board: bool) -> None:
        self.side(is_board).restart()

    @rule(to_board=st.booleans(), cut=st.booleans())
    def cut_or_join(self, to_board: bool, cut: bool) -> None:
        (self.pair.to_board if to_board else self.pair.to_bridge).is_cut = cut

    @rule(to_board=st.booleans(), name=st.sampled_from(sorted(FAULTS)), bit_errors=st.sampled_from((0, 1e-4, 1e-3)))
    def change_faults(self, to_board: bool, name: str, bit_errors: float) -> None:
        faults = replace(FAULTS[name], bit_errors=bit_errors) if bit_errors else FAULTS[name]
        (self.pair.to_board if to_board else self.pair.to_bridge).faults = faults

    @rule(is_board=st.booleans(), data=st.binary(max_size=400))
    def garbage(self, is_board: bool, data: bytes) -> None:
        self.side(is_board).link.receive_data(data, self.pair.now_ms)

    @invariant()
    def nothing_twice_or_out_of_order(self) -> None:
        self.pair.check()

    @invariant()
    def room_and_memory_are_bounded(self) -> None:
        for side in self.pair.sides:
            link = side.link
            assert len(link._data) <= 265  # type: ignore[attr-defined]
            for lane in (link.urgent, link.bulk):
                assert len(lane.flight) <= 16
                assert len(lane.early) <= 15
                assert 0 <= lane.room <= lane.capacity
                assert lane.credit >= 0

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            self.pair.settle()
            self.pair.check_all_arrived()


TestTerribleLine = TerribleLine.TestCase
TestTerribleLine.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
