"""Frames: what they look like, and what is found among garbage."""

from __future__ import annotations

import binascii
import random

import pytest

from webrepl_link import crc
from webrepl_link.codec import decode, encode

Frame = tuple[int, int, int, int, bytes]
SEED = 0x1234567
TEXT = 0x22
HELLO = 0x32


class Receiver:
    """Keeps what is not a whole frame yet, as a link does."""

    def __init__(self) -> None:
        self.data = b""
        self.skipped_bytes = 0

    def frames_in(self, data: bytes, seed: int = SEED) -> list[Frame]:
        self.data += data
        frames = []
        while True:
            skipped_bytes, frame_bytes, frame = decode(self.data, seed)
            self.skipped_bytes += skipped_bytes
            self.data = self.data[skipped_bytes:]
            if frame is None:
                return frames
            frames.append(frame)
            self.data = self.data[frame_bytes:]


def test_a_frame_has_eleven_bytes_more_than_its_payload() -> None:
    frame = encode(TEXT, 1, 2, 3, b"hello", SEED)
    assert frame[:7] == bytes((0xA5, TEXT, 1, 2, 3, 5, -(0xA5 + TEXT + 1 + 2 + 3 + 5) & 0xFF))
    assert sum(frame[:7]) & 0xFF == 0
    assert frame[7:12] == b"hello"
    assert frame[12:] == binascii.crc32(frame[:12], SEED).to_bytes(4, "little")


@pytest.mark.parametrize("payload", [b"", b"a", bytes(255), b"\xa5" * 255, bytes(range(255))])
@pytest.mark.parametrize("piece_bytes", [1, 7, 32, 1000])
def test_what_goes_in_comes_out(payload: bytes, piece_bytes: int) -> None:
    receiver = Receiver()
    wire = encode(TEXT, 255, 128, 0, payload, SEED) * 3
    frames = []
    for start in range(0, len(wire), piece_bytes):
        frames += receiver.frames_in(wire[start : start + piece_bytes])
    assert frames == [(TEXT, 255, 128, 0, payload)] * 3
    assert receiver.skipped_bytes == 0


def test_every_damaged_bit_is_seen_and_the_next_frame_is_found() -> None:
    frame = encode(TEXT, 9, 8, 7, b"\xa5 some payload \xa5", SEED)
    good = encode(TEXT, 10, 8, 7, b"next", SEED)
    for bit in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[bit >> 3] ^= 1 << (bit & 7)
        receiver = Receiver()
        found = receiver.frames_in(bytes(damaged) + good)
        # A damaged size can promise more than has come; what comes later settles it.
        found += receiver.frames_in(bytes(300))
        assert found == [(TEXT, 10, 8, 7, b"next")]
        assert receiver.skipped_bytes >= len(frame)


def test_a_frame_cut_short_gives_way_to_the_next() -> None:
    frame = encode(TEXT, 9, 8, 7, bytes(200), SEED)
    good = encode(TEXT, 10, 8, 7, bytes(100), SEED)
    for cut in range(0, len(frame), 13):
        receiver = Receiver()
        found = receiver.frames_in(frame[:cut] + good) + receiver.frames_in(good + good)
        assert found == [(TEXT, 10, 8, 7, bytes(100))] * 3


def test_frames_of_another_session_are_no_frames() -> None:
    receiver = Receiver()
    assert receiver.frames_in(encode(TEXT, 0, 0, 0, b"old", SEED + 1)) == []
    assert receiver.skipped_bytes == 11 + 3


def test_a_hello_needs_no_session() -> None:
    assert Receiver().frames_in(encode(HELLO, 0, 0, 0, b"x", 0)) == [(HELLO, 0, 0, 0, b"x")]


def test_a_frame_inside_a_damaged_frame_of_another_session_is_not_taken() -> None:
    inner = encode(TEXT, 0, 0, 0, b"recorded", SEED + 1)
    outer = bytearray(encode(TEXT, 0, 0, 0, inner, SEED))
    outer[1] ^= 1
    assert Receiver().frames_in(bytes(outer) + bytes(300)) == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"\r\nMicroPython v1.25.0\r\n>>> ",
        bytes(10_000),
        b"\xff" * 10_000,
        b"\xa5" * 10_000,
        random.Random(1).randbytes(100_000),
        encode(TEXT, 0, 0, 0, bytes(255), SEED)[:-1] * 100,
    ],
    ids=["banner", "zeros", "ones", "sync bytes", "random", "frames without an end"],
)
def test_garbage_is_counted_and_not_kept(garbage: bytes) -> None:
    receiver = Receiver()
    for start in range(0, len(garbage), 100):
        assert receiver.frames_in(garbage[start : start + 100]) == []
        assert len(receiver.data) <= 265
    good = encode(TEXT, 1, 2, 3, b"good", SEED)
    assert receiver.frames_in(good * 80)[-1] == (TEXT, 1, 2, 3, b"good")
    kept = len(receiver.data)
    assert receiver.skipped_bytes + kept >= len(garbage)


def test_another_baud_rate_on_the_wire_passes() -> None:
    rng = random.Random(2)
    receiver = Receiver()
    # Three bits of a frame for each one: what a receiver at 38400 makes of 115200.
    sent = encode(TEXT, 1, 2, 3, rng.randbytes(200), SEED) * 20
    bits = [byte >> i & 1 for byte in sent for i in range(8)]
    noise = bytes(sum(bits[i * 3 + j * 3] << j for j in range(8)) for i in range(0, len(bits) // 3 - 8, 8))
    assert receiver.frames_in(noise) == []
    good = encode(TEXT, 1, 2, 3, b"good", SEED)
    assert receiver.frames_in(good * 30)[-1][4] == b"good"


def test_the_slow_crc_is_the_fast_one() -> None:
    rng = random.Random(3)
    for size in (0, 1, 2, 3, 100):
        data = rng.randbytes(size)
        for seed in (0, 1, SEED, 0xFFFFFFFF):
            assert crc.crc32(data, seed) == binascii.crc32(data, seed)
