"""The host's side of a deflated put, word for word; property tests have the program at the other end."""

from __future__ import annotations

import random
import zlib
from binascii import crc32

import pytest

from playbook import Playbook
from webrepl_bridge.protocol.deflated_transfers import BLOCK_FILE_BYTES_MAX, PutDeflated
from webrepl_bridge.protocol.dialogue import Fetch, Opened, Send
from webrepl_bridge.protocol.raw_repl import RawRepl
from webrepl_bridge.protocol.transfers import FRAME_BYTES, arguments

BLOCK_BYTES = 100
WINDOW_BITS = 12
ACK = b"\x06"
DONE = b"\x04\x04>"
DAMAGED = b"\x04OSError: 74\r\n\x04>"
NOISE = random.Random(1).randbytes(3000)
TEXT = b"ab" * 5000


def put(repl: RawRepl, size: int, early: int = 0) -> PutDeflated:
    return PutDeflated(
        repl, b"PUT", "f", size, BLOCK_BYTES, early, keep=True, inflate=b"INFLATE", window_bits=WINDOW_BITS
    )


def starts(play: Playbook, code: bytes) -> Playbook:
    return play.sends(b"\x05A\x01").hears(b"R\x01\x00\x10").sends(code).sends(b"\x04").hears(b"\x04" + ACK)


def called_with(size: int, mode: str = "wb") -> bytes:
    return arguments(("f", size), mode, BLOCK_BYTES)


def opened_put(size: int, early: int = 0, repl: RawRepl | None = None) -> Playbook:
    play = Playbook(put(repl or RawRepl(), size, early).run())
    return starts(play, b"PUT\n_put(%s,0)" % called_with(size)).does(Opened())


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -WINDOW_BITS, 9)
    return block(bytes([WINDOW_BITS]) + compressor.compress(data) + compressor.flush(), 0x8000)


def block(data: bytes, flag: int = 0) -> bytes:
    count = len(data) | flag
    return count.to_bytes(2, "little") + data + crc32(data, ~count).to_bytes(4, "little")


INFLATE = block(b"INFLATE", 0x8000)


def text(play: Playbook, count: int) -> Playbook:
    """So many more times a block's worth of text is fetched."""
    for _ in range(count):
        play.does(Fetch(BLOCK_BYTES), TEXT[:BLOCK_BYTES])
    return play


def test_what_inflates_goes_before_the_first_block_that_wants_it() -> None:
    play = text(opened_put(1000), 1).sends(INFLATE)
    text(play, 9).hears(ACK).sends(deflated(TEXT[:1000])).hears(DONE).ends()


def test_a_block_has_no_more_of_the_file_than_is_stored_in_time() -> None:
    play = text(opened_put(40_000), 1).sends(INFLATE)
    count = -(-BLOCK_FILE_BYTES_MAX // BLOCK_BYTES)
    text(play, count - 1).hears(ACK).sends(deflated(TEXT[:BLOCK_BYTES] * count))


def test_noise_goes_as_it_is_block_by_block_and_pays_nothing() -> None:
    play = opened_put(150, early=30).does(Fetch(100), NOISE[:100]).sends(block(NOISE[:100]))
    rest = block(NOISE[100:150])
    play.does(Fetch(50), NOISE[100:150]).sends(rest[:30]).hears(ACK).sends(rest[30:]).hears(DONE).ends()


def test_what_saves_less_than_it_costs_goes_as_it_is() -> None:
    play = opened_put(500).does(Fetch(100), bytes(100)).sends(block(bytes(100)))
    play.does(Fetch(100), bytes(100)).hears(ACK).sends(block(bytes(100)))


def test_a_block_has_no_more_than_it_holds() -> None:
    play = text(opened_put(8000), 1).sends(INFLATE)
    text(play, 3).does(Fetch(100), NOISE[:100]).hears(ACK).sends(deflated(TEXT[:400]))
    play.hears(ACK).sends(block(NOISE[:100]))


def test_what_inflates_is_not_sent_again_for_the_next_file() -> None:
    repl = RawRepl()
    play = text(opened_put(1000, repl=repl), 1).sends(INFLATE)
    text(play, 9).hears(ACK).sends(deflated(TEXT[:1000])).hears(DONE).ends()
    play = starts(Playbook(put(repl, 200).run()), b"_put(%s,_inflate)" % called_with(200)).does(Opened())
    text(play, 2).sends(deflated(TEXT[:200])).hears(DONE).ends()


@pytest.mark.parametrize("damaged", ["inflate", "block"])
def test_after_damage_what_inflates_goes_with_the_call(damaged: str) -> None:
    play = text(text(opened_put(1000), 1).sends(INFLATE), 9)
    if damaged == "block":
        play.hears(ACK).sends(deflated(TEXT[:1000]))
    play.hears(DAMAGED).sends(b"\x05A\x01").hears(b"R\x01\x00\x10")
    play.sends(b"print(__import__('os').stat('f~')[6])").sends(b"\x04").hears(b"\x040\r\n" + DONE)
    starts(play, b"INFLATE\nPUT\n_put(%s,_inflate)" % called_with(1000, "ab"))
    play.sends(deflated(TEXT[:1000])).hears(DONE).ends()


def test_given_up_before_the_first_block() -> None:
    transfer = put(RawRepl(), 10)
    starts(Playbook(transfer.run()), b"PUT\n_put(%s,0)" % called_with(10)).does(Opened())
    Playbook(transfer.abandon()).does(Send(bytes(FRAME_BYTES))).hears(DAMAGED).ends()
