"""The host's side of a deflated put, word for word; property tests have the program at the other end."""

from __future__ import annotations

import random
import zlib
from binascii import crc32

from playbook import Playbook
from webrepl_bridge.protocol.deflated_transfers import WINDOW_BITS, PutDeflated
from webrepl_bridge.protocol.dialogue import Fetch, Opened, Send
from webrepl_bridge.protocol.raw_repl import RawRepl
from webrepl_bridge.protocol.transfers import arguments

BLOCK_BYTES = 100
ACK = b"\x06"
NOISE = random.Random(1).randbytes(150)


def opened_put(size: int, early: int = 0) -> Playbook:
    play = Playbook(PutDeflated(RawRepl(), b"PUT", "f", size, BLOCK_BYTES, early).run())
    code = b"PUT\n_put_deflate(%s)" % arguments(("f", size), "wb", BLOCK_BYTES)
    play.sends(b"\x05A\x01").hears(b"R\x01\x00\x10").sends(code).sends(b"\x04").hears(b"\x04" + ACK)
    return play.does(Opened())


def deflated(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -WINDOW_BITS)
    return compressor.compress(data) + compressor.flush()


def block(data: bytes, flag: int) -> bytes:
    said = (len(data) | flag).to_bytes(2, "little") + data
    return said + crc32(said).to_bytes(4, "little")


def test_what_repeats_is_deflated_two_blocks_in_one() -> None:
    play = opened_put(250).does(Fetch(200), b"ab" * 100).sends(block(deflated(b"ab" * 100), 0))
    play.does(Fetch(50), bytes(50)).hears(ACK).sends(block(deflated(bytes(50)), 0)).hears(b"\x04\x04>").ends()


def test_noise_goes_as_it_is_block_by_block() -> None:
    play = opened_put(150, early=30).does(Fetch(150), NOISE).sends(block(NOISE[:100], 0x8000))
    rest = block(NOISE[100:], 0x8000)
    play.sends(rest[:30]).hears(ACK).sends(rest[30:]).hears(b"\x04\x04>").ends()


def test_what_does_not_fit_a_block_when_deflated_goes_as_it_is() -> None:
    data = NOISE[:110] + bytes(90)
    assert len(deflated(data)) > BLOCK_BYTES
    play = opened_put(200).does(Fetch(200), data).sends(block(data[:100], 0x8000)).hears(ACK)
    play.sends(block(data[100:], 0x8000)).hears(b"\x04\x04>").ends()


def test_given_up_before_the_first_block() -> None:
    transfer = PutDeflated(RawRepl(), b"PUT", "f", 10, BLOCK_BYTES, 0, keep=True)
    code = b"PUT\n_put_deflate(%s)" % arguments(("f", 10), "wb", BLOCK_BYTES)
    play = Playbook(transfer.run()).sends(b"\x05A\x01").hears(b"R\x01\x00\x10").sends(code).sends(b"\x04")
    play.hears(b"\x04" + ACK).does(Opened())
    filler = bytes(BLOCK_BYTES + 6)
    Playbook(transfer.abandon()).does(Send(filler)).hears(b"\x04OSError: 74\r\n\x04>").ends()
