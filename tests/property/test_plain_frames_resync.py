"""A decoder never fails and holds little; a board of any state comes back into step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plain_board import ModelWebSocket
from webrepl_bridge.protocol.plain_frames import TEXT, Frame, FrameDecoder, encode_text, resync

LONGEST_FRAME_BYTES = 70_000


def text(frames: list[Frame]) -> bytes:
    return b"".join(frame.payload for frame in frames if frame.kind == TEXT)


@given(st.lists(st.text(min_size=1, max_size=300)), st.data())
def test_text_arrives_however_it_is_cut(texts: list[str], data: st.DataObject) -> None:
    wire = b"".join(encode_text(piece.encode()) for piece in texts)
    decoder = FrameDecoder()
    shown = b""
    while wire:
        size = data.draw(st.integers(1, len(wire)))
        shown += text(decoder.receive_data(wire[:size]))
        wire = wire[size:]
    assert shown == "".join(texts).encode()
    assert not decoder.is_inside
    assert decoder.skipped_bytes == decoder.cut_frames == 0


@given(st.lists(st.binary(max_size=400)))
def test_garbage_does_no_harm(pieces: list[bytes]) -> None:
    decoder = FrameDecoder()
    for piece in pieces:
        decoder.receive_data(piece)
        assert len(decoder._unread) < 1024
    decoder.give_up()
    assert text(decoder.receive_data(b"\x81\x05hello")) == b"hello"


@given(st.binary(max_size=20))
def test_a_board_comes_back_into_step(before: bytes) -> None:
    websocket = ModelWebSocket()
    for byte in before + resync(LONGEST_FRAME_BYTES):
        websocket.feed(byte)
    assert [payload for byte in encode_text(b"hello") if (payload := websocket.feed(byte)) is not None] == [*b"hello"]
    assert websocket.kind == TEXT & 0x0F


@given(st.binary(min_size=1, max_size=125), st.data())
def test_a_byte_lost_of_our_frames(typed: bytes, data: st.DataObject) -> None:
    frame = encode_text(typed)
    lost = data.draw(st.integers(0, len(frame) - 1))
    websocket = ModelWebSocket()
    for byte in frame[:lost] + frame[lost + 1 :] + resync(LONGEST_FRAME_BYTES):
        websocket.feed(byte)
    assert [payload for byte in encode_text(b"hello") if (payload := websocket.feed(byte)) is not None] == [*b"hello"]


@given(st.integers(0, 64))
def test_a_board_in_step_takes_it_for_nothing(filler_bytes: int) -> None:
    websocket = ModelWebSocket()
    payloads = [websocket.feed(byte) for byte in resync(2 * filler_bytes)]
    assert not any(payload is not None for payload in payloads)
    assert [payload for byte in encode_text(b"a") if (payload := websocket.feed(byte)) is not None] == [*b"a"]
