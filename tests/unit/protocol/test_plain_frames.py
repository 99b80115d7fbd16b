"""Frames of the framing plain: RFC 6455 on a wire that loses bytes."""

from __future__ import annotations

import pytest

from webrepl_bridge.protocol.plain_frames import BINARY, CLOSE, TEXT, Frame, FrameDecoder, encode_text


def decode(*pieces: bytes) -> list[Frame]:
    decoder = FrameDecoder()
    return [frame for piece in pieces for frame in decoder.receive_data(piece)]


def text(frames: list[Frame]) -> bytes:
    return b"".join(frame.payload for frame in frames if frame.kind == TEXT)


def test_what_the_firmware_sends() -> None:
    assert decode(b"\x81\x0aPassword: \x81\x01a\x82\x03\x01\x19\x00\x81\x00\x88\x00") == [
        (TEXT, b"Password: "),
        (TEXT, b"a"),
        (BINARY, b"\x01\x19\x00"),
        (TEXT, b""),
        (CLOSE, b""),
    ]


@pytest.mark.parametrize(
    ("size", "header"), [(1, b"\x81\x01"), (125, b"\x81\x7d"), (126, b"\x81\x7e\x00\x7e"), (1024, b"\x81\x7e\x04\x00")]
)
def test_lengths(size: int, header: bytes) -> None:
    assert encode_text(b"x" * size) == header + b"x" * size
    assert text(decode(header + b"x" * size)) == b"x" * size


def test_long_text_is_cut_into_frames_and_nothing_into_none() -> None:
    assert len(encode_text(b"x" * 2500)) == 2500 + 3 * 4
    assert encode_text(b"") == b""


def test_a_short_frame_comes_whole_and_a_long_one_in_parts() -> None:
    assert decode(b"\x81\x03a", b"b", b"c") == [(TEXT, b"abc")]
    assert decode(b"\x81\x7e\x01", b"\x00" + b"x" * 100, b"y" * 156 + b"\x81\x01z") == [
        (TEXT, b"x" * 100),
        (TEXT, b"y" * 156),
        (TEXT, b"z"),
    ]


@pytest.mark.parametrize("lost", range(6))
def test_a_lost_byte_costs_a_few_characters(lost: int) -> None:
    wire = b"".join(encode_text(bytes((key,))) for key in b"0123456789" * 5)
    at = 30 + lost
    shown = text(decode(wire[:at] + wire[at + 1 :]))
    assert shown[:10] == b"0123456789"
    assert shown[-35:] == (b"0123456789" * 5)[-35:]
    assert 47 <= len(shown) <= 50


def test_a_frame_whose_end_is_lost_ends_where_the_next_begins() -> None:
    assert text(decode(b"\x81\x05hel\x81\x01!")) == b"hel!"
    assert text(decode(b"\x81\x7e\x01\x00" + b"x" * 50, b"\x81\x01!")) == b"x" * 50 + b"!"


def test_a_frame_whose_end_never_comes_is_given_up() -> None:
    decoder = FrameDecoder()
    assert decoder.receive_data(b"\x81\x05hel") == []
    assert decoder.is_inside
    assert decoder.give_up() == [(TEXT, b"hel")]
    assert not decoder.is_inside
    assert decoder.receive_data(b"\x82") == []
    assert decoder.give_up() == []
    assert decoder.receive_data(b"\x81\x01a") == [(TEXT, b"a")]


def test_characters_that_look_like_the_beginning_of_a_frame() -> None:
    shown = "\u0081\u0401\u4041\u8102\U0001f601".encode()  # 81 and 82 as last and middle bytes
    assert b"\x81" in shown
    assert decode(encode_text(shown)) == [(TEXT, shown)]
    assert text(decode(b"\x81\x01\xd0\x81\x01\x81\x81\x01.")) == b"\xd0\x81."  # a character in two frames
    assert text(decode(*(bytes((byte,)) for byte in encode_text(shown)))) == shown


def test_what_is_no_frame_is_counted_and_skipped() -> None:
    decoder = FrameDecoder()
    assert text(decoder.receive_data(b"\r\n>>> \x88\x05\x81\xff\x82\x7e\x20\x00\x81\x7f\x81\x01a")) == b"a"
    assert decoder.skipped_bytes == 16
    assert decoder.skipped_in_a_row == 0
    decoder.receive_data(b"MicroPython")
    assert decoder.skipped_in_a_row == 11
