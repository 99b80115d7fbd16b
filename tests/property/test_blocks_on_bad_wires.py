"""Whatever happens on the wires, nothing comes that was not sent, and the blocks are found again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blocks_kit import CLEAN, TERRIBLE, End, Exchange, Faults, is_part_in_order
from webrepl_link.host import HostLink
from webrepl_link.link import BINARY, TEXT, UP, Link

FAULTS = {
    "clean": CLEAN,
    "unheard": Faults(unheard=0.3),
    "bit errors": Faults(bit_errors=5e-4),
    "missed clocks": Faults(missed_clocks=5e-4),
    "extra clocks": Faults(extra_clocks=5e-4),
    "terrible": TERRIBLE,
}
RECOVERY_EXCHANGES = 8


def say_something(exchange: Exchange, count: int) -> None:
    for end in exchange.ends:
        if exchange.rng.random() < 0.5:
            end.blocks.send(b"<%d>" % count * exchange.rng.choice((1, 5, 60)))


@settings(max_examples=60)
@given(
    seed=st.integers(0, 1 << 32),
    block_bytes=st.sampled_from((32, 64, 128)),
    resets=st.booleans(),
    steps=st.lists(
        st.one_of(
            st.builds(
                Faults,
                unheard=st.sampled_from((0, 0.3)),
                bit_errors=st.sampled_from((0, 1e-3, 1e-2)),
                missed_clocks=st.sampled_from((0, 1e-3, 0.1)),
                extra_clocks=st.sampled_from((0, 1e-3, 0.1)),
            ),
            st.sampled_from(("controller", "peripheral")),
        ),
        max_size=8,
    ),
)
def test_what_comes_was_sent_and_the_blocks_are_found_again(
    seed: int, block_bytes: int, resets: bool, steps: list[Faults | str]
) -> None:
    exchange = Exchange(seed, block_bytes, resets=resets)
    count = 0
    for step in steps:
        if isinstance(step, str):
            getattr(exchange, step).restart()
        else:
            exchange.faults = step
        for _ in range(10):
            count += 1
            say_something(exchange, count)
            exchange.exchange()
        _check(exchange)
    exchange.faults = CLEAN
    for end in exchange.ends:
        end.blocks.send(b".")  # what waits before it must not be lost from here on
    exchange.run(RECOVERY_EXCHANGES)
    for end in exchange.ends:
        end.blocks.send(b"the end")
    exchange.run(3 + max(end.blocks.waiting_bytes for end in exchange.ends) // (block_bytes - 9))
    _check(exchange)
    for end in exchange.ends:
        assert b"".join(end.received).endswith(b"the end")


def _check(exchange: Exchange) -> None:
    controller, peripheral = exchange.ends
    assert is_part_in_order(controller.received, peripheral.sent)
    assert is_part_in_order(peripheral.received, controller.sent)


class Side:
    """A link on one end of the exchange, and what its owner has sent and been told."""

    def __init__(self, end: End, link: Link) -> None:
        self.end = end
        self.link = link
        self.sent: list[tuple[int, bytes]] = []
        self.told: list[tuple[int, bytes]] = []
        self.part = b""

    def step(self, now_ms: int) -> None:
        link, blocks = self.link, self.end.blocks
        for payload in self.end.received:
            link.receive_data(payload, now_ms)
        self.end.received.clear()
        while event := link.next_event():
            kind, value = event
            if kind == UP:
                continue
            assert isinstance(value, bytes)
            link.consumed(kind, len(value))
            if kind == TEXT:
                self.told.append((kind, value))
                continue
            self.part += value
            if kind == BINARY:
                self.told.append((kind, self.part))
                self.part = b""
        while blocks.waiting_bytes < 64 and (data := link.data_to_send(now_ms)):
            blocks.send(data)

    @property
    def is_done(self) -> bool:
        return not any(lane.queue or lane.flight for lane in (self.link.urgent, self.link.bulk))

    def text(self, notes: list[tuple[int, bytes]]) -> bytes:
        return b"".join(data for kind, data in notes if kind == TEXT)

    def messages(self, notes: list[tuple[int, bytes]]) -> list[bytes]:
        return [data for kind, data in notes if kind == BINARY]


@pytest.mark.parametrize("controller", ["bridge", "board"])
@pytest.mark.parametrize("name", FAULTS)
def test_the_link_carries_everything_once_whichever_side_clocks(name: str, controller: str) -> None:
    seed = 1
    exchange = Exchange(seed, 64)
    ends = exchange.ends if controller == "bridge" else exchange.ends[::-1]
    sides = (
        Side(ends[0], HostLink(100 + seed, text_room_bytes=4096, binary_room_bytes=16384)),
        Side(ends[1], Link(200 + seed, 1)),
    )
    rng = random.Random(seed)
    now_ms = 0
    end_ms = 1_500
    while now_ms < end_ms or not all(side.is_done for side in sides):
        now_ms += 1
        assert now_ms < 100_000
        if now_ms in (100, end_ms):
            exchange.faults = FAULTS[name] if now_ms == 100 else CLEAN
        for side in sides:
            if now_ms < end_ms - 500 and side.link.is_up and rng.random() < 0.05:
                data = rng.randbytes(rng.choice((1, 10, 300)))
                if rng.random() < 0.5 and side.link.send_text(data):
                    side.sent.append((TEXT, data))
                elif side.link.send_binary(data):
                    side.sent.append((BINARY, data))
            side.step(now_ms)
        exchange.exchange()
    here, there = sides
    assert len(here.sent) + len(there.sent) > 20
    for sender, receiver in ((here, there), (there, here)):
        assert sender.text(sender.sent) == receiver.text(receiver.told)
        assert sender.messages(sender.sent) == receiver.messages(receiver.told)
