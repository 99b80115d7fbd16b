"""The link's rules, one by one, with two sides and literal times."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

from link_kit import Faults, Pair
from webrepl_link.codec import decode, encode
from webrepl_link.host import HostLink
from webrepl_link.link import BINARY, BINARY_PART, CONTROL, OTHER_VERSION, TEXT, UP, VERSION, Link

HELLO = 0x32
ACK = 0x30


def kinds(data: bytes, link: Link) -> list[int]:
    """The kinds of the frames that `link` has sent."""
    found = []
    while data:
        skipped_bytes, frame_bytes, frame = decode(data, getattr(link, "_send_seed", 0))
        assert frame is not None
        data = data[skipped_bytes + frame_bytes :]
        found.append(frame[0])
    return found


def drain(link: Link, now_ms: int) -> bytes:
    return b"".join(iter(lambda: link.data_to_send(now_ms), b""))


def exchange(one: Link, other: Link, now_ms: int) -> None:
    """Carry frames both ways until both are silent."""
    while (data := drain(one, now_ms)) + (answer := drain(other, now_ms)):
        other.receive_data(data, now_ms)
        one.receive_data(answer, now_ms)


def events(link: Link) -> list[tuple[int, int | bytes]]:
    return list(iter(link.next_event, None))


def linked(**board_rooms: int) -> tuple[HostLink, Link]:
    bridge = HostLink(1, message_bytes_max=0, text_room_bytes=4096, binary_room_bytes=16384)
    board = Link(2, 1, **board_rooms)
    exchange(bridge, board, 0)
    assert events(bridge) == [(UP, False)]
    assert events(board) == [(UP, False)]
    return bridge, board


# Sessions


def test_a_session_takes_three_frames_when_one_side_calls() -> None:
    bridge, board = Link(1, 0), Link(2, 1)
    drain(board, 0)  # lost
    call = drain(bridge, 0)
    assert kinds(call, bridge) == [HELLO]
    board.receive_data(call, 1)
    answer = drain(board, 1)
    assert not board.is_up
    bridge.receive_data(answer, 2)
    assert bridge.is_up
    board.receive_data(drain(bridge, 2), 3)
    assert board.is_up


def test_a_lost_hello_is_repeated() -> None:
    link = HostLink(1, hello_ms=250)
    assert drain(link, 0)
    assert drain(link, 249) == b""
    assert link.next_deadline_ms() == 250
    assert drain(link, 250)


def test_without_a_session_nothing_is_taken() -> None:
    link = HostLink(1)
    assert not link.send_text(b"a")
    assert not link.send_binary(b"a")
    assert not link.send_control(b"a")


def test_a_restarted_peer_is_a_new_session_and_what_was_on_its_way_is_reported() -> None:
    bridge, board = linked()
    bridge.send_binary(bytes(100))
    drain(bridge, 10)  # lost with the board's memory
    board = Link(77, 1)
    exchange(bridge, board, 20)
    assert events(bridge) == [(UP, True)]
    assert events(board) == [(UP, False)]
    bridge.send_text(b"hello")
    exchange(bridge, board, 30)
    assert events(board) == [(TEXT, b"hello")]


def test_an_old_hello_does_not_end_a_session() -> None:
    bridge, board = linked()
    old = encode(HELLO, 0, 0, 0, struct.pack("<BHHHHBB", VERSION, 99 * 2 | 1, 0, 256, 1024, 255, 0), 0)
    bridge.receive_data(old, 10)
    exchange(bridge, board, 10)
    bridge.send_text(b"still here")
    exchange(bridge, board, 20)
    assert events(board) == [(TEXT, b"still here")]
    assert events(bridge) == []


def test_its_own_echo_is_no_peer() -> None:
    link = Link(1, 0)
    for now_ms in range(0, 5000, 100):
        link.receive_data(drain(link, now_ms), now_ms)
    assert not link.is_up


def test_another_version_is_an_event() -> None:
    link = Link(1, 0)
    for payload in (b"\x32 something else", b"\x33"):
        link.receive_data(encode(HELLO, 0, 0, 0, payload, 0), 0)
    assert events(link) == [(OTHER_VERSION, 0x32), (OTHER_VERSION, 0x33)]
    assert not link.is_up
    for _ in range(100):
        link.receive_data(encode(HELLO, 0, 0, 0, b"\x32", 0), 0)
    assert len(events(link)) == 32
    link.receive_data(encode(HELLO, 0, 0, 0, b"", 0), 0)
    assert events(link) == []


def test_a_silent_peer_is_called() -> None:
    bridge = HostLink(1, keepalive_ms=2000, hello_ms=500)
    board = Link(2, 1)
    exchange(bridge, board, 0)
    assert bridge.heard_ms == 0
    for now_ms in range(0, 2600, 100):
        exchange(bridge, board, now_ms)
    assert bridge.heard_ms == 2000, "the call was answered"
    assert len(events(bridge)) == 1
    board = Link(3, 1)  # gone and back, its own call lost
    drain(board, 2600)
    for now_ms in range(2600, 6000, 100):
        exchange(bridge, board, now_ms)
    assert events(bridge) == [(UP, False)]


# Messages


def test_bytes_of_a_stranger_make_it_call_so_that_a_new_bridge_need_not() -> None:
    _, board = linked()
    assert board.next_deadline_ms() > 20_000
    board.receive_data(b"\x02", 5_000)  # what a bridge sends that does not know yet what is on the wire
    assert board.next_deadline_ms() == 6_000
    assert kinds(drain(board, 6_000), board) == [HELLO]


def test_noise_between_frames_does_not() -> None:
    bridge, board = linked()
    board.receive_data(b"\xa5noise", 5_000)
    bridge.send_text(b"x")
    exchange(bridge, board, 5_100)
    exchange(bridge, board, 5_200)  # the acknowledgement waits a little
    assert board.next_deadline_ms() > 20_000


def test_binary_messages_keep_their_bounds_and_text_is_a_stream() -> None:
    bridge, board = linked(binary_room_bytes=4096)
    bridge.send_binary(bytes(600))
    bridge.send_binary(b"x")
    bridge.send_text(b"ab")
    bridge.send_text(b"cd")
    exchange(bridge, board, 10)
    assert [(kind, len(data)) for kind, data in events(board) if isinstance(data, bytes)] == [
        (TEXT, 4),
        (BINARY_PART, 255),
        (BINARY_PART, 255),
        (BINARY, 90),
        (BINARY, 1),
    ]


def test_a_host_gets_messages_whole_although_they_are_longer_than_its_room() -> None:
    host = HostLink(1, binary_room_bytes=512)
    board = Link(2, 1)
    exchange(host, board, 0)
    board.send_binary(b"m" * 5000)
    board.send_binary(b"n" * 300)
    seen = []
    for now_ms in range(1, 200):
        exchange(host, board, now_ms)
        for kind, data in events(host):
            if isinstance(data, bytes):
                seen.append((kind, data))
                host.consumed(kind, len(data))
    assert seen == [(BINARY, b"m" * 5000), (BINARY, b"n" * 300)]
    exchange(host, board, 300)
    assert host.bulk.room == host.bulk.capacity


def test_control_overtakes_text_and_text_overtakes_binary() -> None:
    bridge, board = linked(text_room_bytes=1024)
    bridge.send_binary(bytes(250))
    bridge.send_text(b"text")
    bridge.send_control(b"one")
    bridge.send_control(b"two")
    exchange(bridge, board, 10)
    assert [event[0] for event in events(board)] == [CONTROL, CONTROL, TEXT, BINARY]


# Credit


def test_nothing_is_sent_that_the_peer_has_no_room_for() -> None:
    bridge, board = linked(text_room_bytes=64, binary_room_bytes=1024)
    bridge.send_binary(bytes(5000))
    bridge.send_text(b"t" * 500)
    for now_ms in range(0, 3000, 10):
        exchange(bridge, board, now_ms)
    got = events(board)
    assert sum(len(data) for kind, data in got if kind == TEXT and isinstance(data, bytes)) == 64
    assert 769 <= sum(len(data) for kind, data in got if kind == BINARY_PART and isinstance(data, bytes)) <= 1024
    board.consumed(TEXT, 64)
    exchange(bridge, board, 3000)
    assert [kind for kind, _ in events(board)] == [TEXT, TEXT], "text goes on while binary waits"
    bridge.send_control(b"\x03")
    exchange(bridge, board, 3010)
    assert events(board) == [(CONTROL, b"\x03")], "and control needs no room"


def test_a_peer_that_takes_more_than_it_may_is_not_listened_to() -> None:
    bridge, board = linked(binary_room_bytes=256)
    bridge.bulk.credit = 100_000  # it cheats
    bridge.bulk.piece_bytes = 255
    bridge.send_binary(bytes(3000))
    for now_ms in range(0, 2000, 10):
        exchange(bridge, board, now_ms)
    assert sum(len(data) for _, data in events(board) if isinstance(data, bytes)) <= 256


def test_events_that_nobody_asks_for_are_bounded() -> None:
    bridge, board = linked()
    for _ in range(100):
        bridge.send_control(b"c")
    for now_ms in range(0, 5000, 10):
        exchange(bridge, board, now_ms)
    assert len(board._events) == 32  # type: ignore[attr-defined]
    got = events(board)
    for now_ms in range(5000, 20000, 10):
        exchange(bridge, board, now_ms)
        got += events(board)
    assert got == [(CONTROL, b"c")] * 100


def test_consuming_more_than_was_brought_grants_nothing_more() -> None:
    bridge, board = linked()
    board.consumed(BINARY, 5000)
    exchange(bridge, board, 10)
    assert bridge.bulk.credit == 1024


# Losses


def test_one_lost_frame_is_sent_again_as_soon_as_a_later_one_arrives() -> None:
    bridge, board = linked()
    for count in range(3):
        bridge.send_binary(b"%d" % count)
    first, second, third = (bridge.data_to_send(10) for _ in range(3))
    board.receive_data(second, 20)
    acknowledgement = drain(board, 20)
    assert kinds(acknowledgement, board) == [ACK]
    bridge.receive_data(acknowledgement, 21)
    again = bridge.data_to_send(21)
    assert bridge.resent_frames == 1
    board.receive_data(again + third, 22)
    assert [data for _, data in events(board)] == [b"0", b"1", b"2"]
    assert first


def test_a_lost_transfer_frame_does_not_hold_up_a_keystroke() -> None:
    bridge, board = linked()
    bridge.send_binary(bytes(255))
    bridge.data_to_send(10)  # lost
    bridge.send_text(b"a")
    board.receive_data(bridge.data_to_send(11), 12)
    assert events(board) == [(TEXT, b"a")]


def test_a_lost_keystroke_is_not_forgotten_over_a_transfer() -> None:
    bridge, board = linked()
    bridge.send_text(b"a")
    bridge.data_to_send(10)  # lost
    for now_ms in range(11, 500, 20):
        bridge.send_binary(bytes(255))
        exchange(bridge, board, now_ms)
        for kind, data in events(board):
            assert isinstance(data, bytes)
            board.consumed(kind, len(data))
            if kind == TEXT:
                assert now_ms < 450, "the timeout of the start, and a frame"
                return
    pytest.fail("the key never came")


def test_an_acknowledgement_waits_for_an_answer_or_15_ms() -> None:
    bridge, board = linked()
    bridge.send_text(b"a")
    board.receive_data(drain(bridge, 10), 10)
    assert drain(board, 10) == b""
    assert board.next_deadline_ms() == 25
    board.send_text(b"a")
    assert kinds(drain(board, 12), board) == [TEXT], "the echo took it along"
    assert drain(board, 25) == b""
    bridge.send_text(b"b")
    board.receive_data(drain(bridge, 30), 30)
    assert kinds(drain(board, 45), board) == [ACK]


def test_the_timeout_follows_the_round_trip_and_backs_off_only_when_nothing_comes() -> None:
    bridge, board = linked()
    assert bridge._rto_ms == 400  # type: ignore[attr-defined]
    for now_ms in range(1000, 2000, 50):
        bridge.send_text(b"a")
        board.receive_data(drain(bridge, now_ms), now_ms + 20)
        bridge.receive_data(drain(board, now_ms + 35), now_ms + 40)
    assert bridge._rto_ms == 60  # type: ignore[attr-defined]
    bridge.send_text(b"b")
    sent_ms = []
    for now_ms in range(2000, 6000):
        if drain(bridge, now_ms):
            sent_ms.append(now_ms)
    gaps = [later - earlier for earlier, later in pairwise(sent_ms)]
    assert gaps == [60, 120, 240, 480, 960, 1000, 1000]


def test_the_payload_suits_the_wire() -> None:
    pair = Pair(1, 11520)
    pair.connect()
    link = pair.bridge.link

    def transfer() -> None:
        if link.bulk.waiting_bytes < 1000:
            pair.bridge.send_binary(bytes(1000))

    pair.run(3000, transfer)
    assert link.bulk.best_bytes == 255
    pair.set_faults(Faults(bit_errors=1e-3))
    pair.run(10_000, transfer)
    assert link.bulk.best_bytes < 80
    pair.set_faults(Faults())
    pair.run(10_000, transfer)
    assert link.bulk.best_bytes == 255


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x25\xff\xff\xff"])
def test_a_credit_that_is_none_is_ignored(payload: bytes) -> None:
    bridge, board = linked()
    frame = encode(0x20, 0, 0, 0, payload, board._send_seed)  # type: ignore[attr-defined]
    bridge.receive_data(frame, 10)
    assert bridge.bulk.credit == 1024
    assert bridge.urgent.expected == 1
