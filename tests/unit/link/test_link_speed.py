"""How fast the link is at 115200 baud, in virtual time, with a board as slow as a Pico; prints the figures."""

from __future__ import annotations

import pytest

from link_kit import Faults, Pair
from webrepl_link.link import BINARY, TEXT

BYTES_PER_S = 11520
FRAME_BYTES = 266
FRAME_MS = FRAME_BYTES * 1000 / BYTES_PER_S
TRANSFER_MS = 20_000
KEY_EVERY_MS = 211
BOARD_RECEIVES_MS = 4  # a frame, measured on an emulated Pico at 48 MHz; see docs/adr/0004
BOARD_SENDS_MS = 2


class Transfer:
    """A transfer one way, and somebody who types meanwhile."""

    def __init__(self, bit_errors: float, to_board: bool, seed: int = 5) -> None:
        self.pair = pair = Pair(seed, BYTES_PER_S, latency_ms=2)
        pair.board_receives_ms = BOARD_RECEIVES_MS
        pair.board_sends_ms = BOARD_SENDS_MS
        pair.connect()
        self.sender, self.receiver = pair.sides if to_board else pair.sides[::-1]
        self.start_ms = pair.now_ms
        self.sent_keys_ms: list[int] = []
        self.echoes_ms: list[int] = []
        self.echoed = 0
        pair.set_faults(Faults(bit_errors=bit_errors))
        pair.run(TRANSFER_MS, self.go_on)
        got = sum(map(len, self.receiver.received[self.receiver.session].binary))
        self.goodput = got / (TRANSFER_MS / 1000) / BYTES_PER_S

    def go_on(self) -> None:
        pair = self.pair
        if self.sender.link.bulk.waiting_bytes < 1000:
            self.sender.send_binary(bytes(250))
        if pair.now_ms >= self.start_ms + len(self.sent_keys_ms) * KEY_EVERY_MS:
            self.sent_keys_ms.append(pair.now_ms)
            pair.bridge.send_text(b"k")
        typed = len(pair.board.received[pair.board.session].text)
        if typed > self.echoed:
            pair.board.send_text(b"k" * (typed - self.echoed))
            self.echoed = typed
        came = len(pair.bridge.received[pair.bridge.session].text)
        self.echoes_ms += [pair.now_ms - sent_ms for sent_ms in self.sent_keys_ms[len(self.echoes_ms) : came]]


@pytest.mark.parametrize("to_board", [True, False], ids=["to the board", "from the board"])
@pytest.mark.parametrize(("bit_errors", "at_least"), [(0, 0.93), (1e-5, 0.88), (1e-4, 0.75), (1e-3, 0.2)])
def test_goodput_and_echo(bit_errors: float, at_least: float, to_board: bool) -> None:
    transfer = Transfer(bit_errors, to_board)
    echoes_ms = sorted(transfer.echoes_ms)
    print(
        f"\n{bit_errors:g} bit errors, {'to' if to_board else 'from'} the board: goodput {transfer.goodput:.3f},"
        f" key to echo {echoes_ms[len(echoes_ms) // 2]} ms, 95 % {echoes_ms[len(echoes_ms) * 95 // 100]} ms,"
        f" longest {echoes_ms[-1]} ms"
    )
    assert transfer.goodput >= at_least
    assert len(echoes_ms) > 80
    if not bit_errors:
        assert echoes_ms[-1] <= 50


@pytest.mark.parametrize("seed", range(3))
def test_a_key_waits_for_one_frame_at_most(seed: int) -> None:
    pair = Pair(seed, BYTES_PER_S, latency_ms=2)
    pair.connect()
    keys_ms: list[int] = []
    delays_ms: list[int] = []

    def go_on() -> None:
        if pair.bridge.link.bulk.waiting_bytes < 2000:
            pair.bridge.send_binary(bytes(1000))
        if pair.rng.random() < 0.05 and len(keys_ms) == len(delays_ms):
            keys_ms.append(pair.now_ms)
            pair.bridge.send_text(b"k")
        came = len(pair.board.received[pair.board.session].text)
        if came > len(delays_ms):
            delays_ms.append(pair.now_ms - keys_ms[-1])

    pair.run(30_000, go_on)
    assert len(delays_ms) > 50
    # The frame before, the lead with which the next is given out, the line's latency, and the key's own frame.
    assert max(delays_ms) <= FRAME_MS + 3 + 2 + 2 + 1
    assert sum(len(message) for message in pair.board.received[pair.board.session].binary) > 0.9 * 30 * BYTES_PER_S


def test_a_board_that_withholds_room_is_left_in_peace_but_for_keys() -> None:
    pair = Pair(1, BYTES_PER_S)
    pair.connect()
    pair.bridge.send_binary(bytes(10_000))
    pair.board.is_consuming = False
    pair.run(2000)
    written_bytes = pair.to_board.written_bytes
    pair.run(5000)
    assert pair.to_board.written_bytes == written_bytes
    pair.bridge.send_text(b"k")
    pair.run(50)
    assert pair.board.received[pair.board.session].text == b"k"
    pair.board.link.consumed(TEXT, 1)
    assert pair.board.unconsumed[BINARY] <= 1024
    pair.settle()
    pair.check_all_arrived()
