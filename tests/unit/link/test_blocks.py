"""Blocks on SPI, exchange by exchange."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import blocks_vectors
from blocks_kit import End, Exchange, to_bits, to_bytes
from webrepl_link.blocks import OVERHEAD_BYTES, Blocks

SIZE = 64
PAYLOAD = SIZE - OVERHEAD_BYTES
DOCS = Path(__file__).parents[3] / "docs" / "protocol.md"


def joined() -> Exchange:
    """Make two sides that know each other."""
    exchange = Exchange(0, SIZE)
    exchange.run(2)
    return exchange


def text_at(end: End) -> bytes:
    return b"".join(end.received)


def test_a_block_has_the_size_that_was_asked_for_and_begins_with_its_head() -> None:
    block = Blocks(SIZE).block_to_send()
    assert block[:5] == b"\xeb\x90" + bytes((SIZE >> 2 | 1, 0, 0))
    assert block[OVERHEAD_BYTES:] == bytes(PAYLOAD)


def test_nothing_is_sent_to_a_peer_that_has_not_been_heard() -> None:
    blocks = Blocks(SIZE)
    blocks.send(b"too early")
    for resting in (b"\0", b"\xff"):
        assert blocks.block_to_send()[4] == 0
        assert blocks.receive_block(resting * SIZE) == b""
    blocks.receive_block(Blocks(SIZE).block_to_send())
    assert blocks.block_to_send()[4] == len(b"too early")


@pytest.mark.parametrize("size", [1, PAYLOAD, PAYLOAD + 1, 1000])
def test_carries_bytes_both_ways_at_once(size: int) -> None:
    exchange = joined()
    there, back = bytes(range(250)) * 4, bytes(range(249, -1, -1)) * 4
    exchange.controller.blocks.send(there[:size])
    exchange.peripheral.blocks.send(back[:size])
    exchange.run(2 + size // PAYLOAD)
    assert text_at(exchange.peripheral) == there[:size]
    assert text_at(exchange.controller) == back[:size]


def test_stops_when_the_peer_has_no_room_and_goes_on_when_it_has() -> None:
    exchange = joined()
    exchange.peripheral.blocks.has_room = False
    exchange.controller.blocks.send(bytes(100 * PAYLOAD))
    exchange.run(20)
    assert len(exchange.peripheral.received) <= 3
    exchange.peripheral.blocks.has_room = True
    exchange.run(110)
    assert text_at(exchange.peripheral) == bytes(100 * PAYLOAD)


def test_stops_sending_when_the_peer_falls_silent() -> None:
    blocks = Blocks(SIZE)
    blocks.receive_block(Blocks(SIZE).block_to_send())
    blocks.send(bytes(100 * PAYLOAD))
    sizes = []
    for _ in range(10):
        sizes.append(blocks.block_to_send()[4])
        blocks.receive_block(bytes(SIZE))
    assert sizes == [PAYLOAD] * 4 + [0] * 6


@pytest.mark.parametrize("bit", [0, 15, 20, 30, 39, 50, 8 * (9 + 4) - 1])
def test_a_damaged_block_is_dropped_and_counted(bit: int) -> None:
    sender, receiver = Blocks(SIZE), Blocks(SIZE)
    sender.receive_block(receiver.block_to_send())
    for piece in (b"one.", b"two.", b"3..."):
        sender.send(piece)
        block = bytearray(sender.block_to_send())
        if piece == b"two.":
            block[bit >> 3] ^= 0x80 >> (bit & 7)
        assert receiver.receive_block(bytes(block)) == (b"" if piece == b"two." else piece)
    assert (receiver.damaged_blocks, receiver.missed_blocks) == (1, 1)


def test_damage_in_the_filler_does_not_matter() -> None:
    sender, receiver = Blocks(SIZE), Blocks(SIZE)
    sender.receive_block(receiver.block_to_send())
    sender.send(b"short")
    assert receiver.receive_block(sender.block_to_send()[:-20] + b"\xeb\x90" * 10) == b"short"


def test_a_block_that_comes_twice_counts_once() -> None:
    sender, receiver = Blocks(SIZE), Blocks(SIZE)
    sender.receive_block(receiver.block_to_send())
    sender.send(b"once")
    block = sender.block_to_send()
    assert [receiver.receive_block(block) for _ in range(3)] == [b"once", b"", b""]
    assert (receiver.repeated_blocks, receiver.damaged_blocks, receiver.missed_blocks) == (2, 0, 0)


def test_a_peer_that_restarts_is_understood_at_once() -> None:
    receiver = Blocks(SIZE)
    for life in (b"first", b"second"):
        sender = Blocks(SIZE)
        sender.receive_block(receiver.block_to_send())
        sender.send(life)
        assert receiver.receive_block(sender.block_to_send()) == life


@pytest.mark.parametrize("offset", [1, 7, 8, 9, 100, 255, 8 * SIZE - 1])
def test_finds_the_blocks_at_any_bit(offset: int) -> None:
    sender, receiver = Blocks(SIZE), Blocks(SIZE)
    sender.receive_block(receiver.block_to_send())
    bits = [1] * offset
    sent = [b"%d" % number * 9 for number in range(10)]
    for text in sent:
        sender.send(text)
        bits += to_bits(sender.block_to_send())
    windows = [to_bytes(bits[at : at + 8 * SIZE]) for at in range(0, len(bits) - offset, 8 * SIZE)]
    received = [payload for window in windows if (payload := receiver.receive_block(window))]
    assert received == sent[: len(received)]
    assert len(received) >= 9
    assert receiver.damaged_blocks <= 1


def test_blocks_of_another_size_give_nothing_but_are_noticed() -> None:
    for mine, theirs in ((64, 128), (128, 64), (32, 256)):
        sender, receiver = Blocks(theirs), Blocks(mine)
        sender.receive_block(Blocks(theirs).block_to_send())
        sender.send(b"sent")
        wire = sender.block_to_send() + sender.block_to_send() + bytes(256)
        assert not any([receiver.receive_block(wire[at : at + mine]) for at in range(0, len(wire) - mine, mine)])
        assert receiver.peer_block_bytes == theirs


def test_pauses_grow_while_nothing_happens_and_end_when_something_does() -> None:
    controller, peripheral = Blocks(SIZE), Blocks(SIZE)

    def exchange() -> int:
        block = peripheral.block_to_send()
        peripheral.receive_block(controller.block_to_send())
        controller.receive_block(block)
        return controller.pause_ms

    assert [exchange() for _ in range(7)] == [1, 2, 4, 8, 16, 16, 16]
    peripheral.send(b"news")
    assert [exchange() for _ in range(3)] == [0, 1, 2]
    controller.send(bytes(PAYLOAD + 1))
    assert [exchange() for _ in range(3)] == [0, 1, 2]


def test_the_vectors_are_played_byte_for_byte() -> None:
    assert json.loads(json.dumps(blocks_vectors.play())) == json.loads(blocks_vectors.FILE.read_text())


def test_the_examples_in_the_documentation_are_from_the_vectors() -> None:
    sent = {(name, step[name]["sends"]) for step in blocks_vectors.play() for name in blocks_vectors.SIDES}
    section = DOCS.read_text().split("## Blocks on SPI", 1)[1].split("\n## ", 1)[0]
    examples = re.findall(r"^\| (controller|peripheral) \| `([0-9a-f ]+)` …", section, re.MULTILINE)
    assert len(examples) == 5
    for name, hexed in examples:
        start = hexed.replace(" ", "")
        assert any(side == name and block.startswith(start) for side, block in sent)
