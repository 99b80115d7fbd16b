"""Who speaks on a wire: what is taken for a shim's call, and what for a plain REPL in its place."""

from __future__ import annotations

from binascii import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.link_watch import GONE_MS, HOLD_MS, HelloWatch, TextWatch
from webrepl_link.codec import encode
from webrepl_link.link import VERSION, Link

HELLO = Link(0x1234, 1).data_to_send(0)
FROM_A_BRIDGE = Link(0x1234, 0).data_to_send(0)
BANNER = b"\r\nMicroPython v1.25.0 on 2025-04-15; Raspberry Pi Pico with RP2040\r\n>>> "


def hello_of_version(version: int, more: bytes = b"") -> bytes:
    payload = bytes([version]) + HELLO[8:-4] + more
    head = HELLO[:5] + bytes([len(payload)])
    frame = head + bytes([-sum(head) & 0xFF]) + payload
    return frame + crc32(frame).to_bytes(4, "little")


class TestHelloWatch:
    def test_takes_a_call_out_of_the_output(self) -> None:
        watch = HelloWatch()
        assert watch.receive_data(b"boot\r\n" + HELLO + b"rest", 0) == b"boot\r\n"
        assert watch.found == HELLO + b"rest"
        assert watch.next_deadline_ms() is None

    @given(st.lists(st.integers(0, 60)), st.binary(max_size=20))
    def test_however_it_is_cut(self, ends: list[int], before: bytes) -> None:
        data = before + HELLO
        places = sorted({0, len(data), *(end for end in ends if end < len(data))})
        watch = HelloWatch()
        plain = b""
        for start, end in zip(places, places[1:]):  # noqa: B905, RUF007
            assert not watch.found
            plain += watch.receive_data(data[start:end], 0)
        assert plain == before
        assert watch.found == HELLO

    @given(st.lists(st.binary(max_size=40)))
    def test_what_is_no_call_comes_through(self, pieces: list[bytes]) -> None:
        watch = HelloWatch()
        plain = b"".join(watch.receive_data(piece, 0) for piece in pieces)
        assert plain + watch.handle_timeout(HOLD_MS) == b"".join(pieces)
        assert not watch.found

    @given(st.lists(st.sampled_from([b"\xa5", b"2", b"\0", b"\x0b", b"\x1e", HELLO[:9], HELLO[:-1]])))
    def test_the_beginning_of_a_call_comes_through_late(self, pieces: list[bytes]) -> None:
        watch = HelloWatch()
        plain = b"".join(watch.receive_data(piece, 0) for piece in pieces)
        if watch.next_deadline_ms() is not None:
            assert watch.handle_timeout(HOLD_MS - 1) == b""
            plain += watch.handle_timeout(HOLD_MS)
        assert plain == b"".join(pieces)
        assert watch.next_deadline_ms() is None

    def test_text_is_not_held_up(self) -> None:
        watch = HelloWatch()
        assert watch.receive_data("å å2345678 >>> ".encode(), 5) == "å å2345678 >>> ".encode()
        assert watch.next_deadline_ms() is None
        assert watch.receive_data("å".encode(), 5) == "å".encode()[:1]
        assert watch.next_deadline_ms() == 5 + HOLD_MS
        assert watch.receive_data(b"x", 6) == "å".encode()[1:] + b"x"

    def test_frames_for_a_bridge_that_has_gone_are_taken_out(self) -> None:
        watch = HelloWatch()
        frames = [encode(kind, 9, 8, 7, b"text\r\n>>> ", 12345) for kind in (0x20, 0x21, 0x22, 0x24, 0x25, 0x30)]
        assert watch.receive_data(b"before" + frames[0] + frames[1] + frames[2][:9], 0) == b"before"
        assert watch.receive_data(frames[2][9:], 1) == b""
        for frame in frames[3:]:
            assert watch.receive_data(frame, 2) == b""
        assert watch.frames == 6
        assert watch.receive_data(HELLO, 3) == b""
        assert watch.found == HELLO

    def test_what_only_looks_like_a_frame_is_shown(self) -> None:
        frame = encode(0x22, 1, 2, 3, b"text", 0)
        for data in (frame + b"text", b"\xc3" + frame, encode(0x23, 1, 2, 3, b"text", 0)):
            watch = HelloWatch()
            assert watch.receive_data(data, 0) == data
            assert watch.frames == 0

    def test_a_damaged_call_is_none(self) -> None:
        for at in range(len(HELLO)):
            watch = HelloWatch()
            damaged = HELLO[:at] + bytes([HELLO[at] ^ 1]) + HELLO[at + 1 :]
            watch.receive_data(damaged, 0)
            assert not watch.found
            assert watch.receive_data(HELLO, 1) in (b"", damaged[-len(damaged) :], damaged)
            assert watch.found == HELLO or at == 5  # a wrong length makes it wait for more

    def test_our_own_call_come_back_is_none(self) -> None:
        watch = HelloWatch()
        assert watch.receive_data(FROM_A_BRIDGE, 0) == FROM_A_BRIDGE
        assert not watch.found

    @pytest.mark.parametrize("more", [b"", b"longer than ours"])
    def test_another_version_is_named_and_not_shown(self, more: bytes) -> None:
        watch = HelloWatch()
        other = hello_of_version(VERSION + 1, more)
        assert watch.receive_data(b">>> " + other + b"x", 0) == b">>> x"
        assert watch.other_version == VERSION + 1
        assert not watch.found

    def test_looks_away_when_told(self) -> None:
        watch = HelloWatch()
        assert watch.receive_data(HELLO[:10], 0) == b""
        assert watch.release() == HELLO[:10]
        assert watch.next_deadline_ms() is None


class TestTextWatch:
    @pytest.mark.parametrize(
        ("text", "at_prompt"), [(BANNER, True), (b"\r\n>>> ", True), (b"just what a program prints\r\n", False)]
    )
    def test_text_and_no_frames_for_a_while(self, text: bytes, at_prompt: bool) -> None:
        watch = TextWatch()
        watch.start(0)
        watch.receive_data(text, 0, 100)
        assert not watch.gone
        assert watch.next_deadline_ms() == GONE_MS
        watch.handle_timeout(GONE_MS)
        assert watch.gone
        assert watch.at_prompt is at_prompt
        assert watch.next_deadline_ms() is None

    def test_frames_between_the_text(self) -> None:
        watch = TextWatch()
        watch.start(0)
        watch.receive_data(BANNER, 0, 100)
        watch.receive_data(HELLO, 2000, 2000)
        watch.handle_timeout(GONE_MS)
        assert not watch.gone
        assert watch.next_deadline_ms() is None

    def test_text_right_behind_the_last_frame(self) -> None:
        watch = TextWatch()
        watch.start(0)
        watch.receive_data(HELLO + BANNER, 50, 50)
        assert watch.next_deadline_ms() == 50 + GONE_MS
        watch.receive_data(HELLO[-9:] + HELLO[:9], 60, 60)
        assert watch.next_deadline_ms() is None

    @pytest.mark.parametrize("noise", [b"", b"1", bytes(range(128, 250)), b"text behind " + HELLO[:3] + BANNER])
    def test_noise(self, noise: bytes) -> None:
        watch = TextWatch()
        watch.start(0)
        watch.receive_data(noise, 0, 1)
        watch.receive_data(noise, 0, 10 * GONE_MS)
        assert not watch.gone

    def test_text_after_a_long_silence(self) -> None:
        watch = TextWatch()
        watch.start(0)
        watch.receive_data(BANNER, 0, GONE_MS)
        assert watch.gone
        watch.start(GONE_MS)
        assert not watch.gone
