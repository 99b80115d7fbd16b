"""However a client's bytes are cut, they mean the same; none make the core raise, and none are kept for ever."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from webrepl_bridge.protocol.rfc2217 import Rfc2217Server
from webrepl_transports.telnet import IAC, SUBNEGOTIATION_BYTES_MAX, DataReceived

SEEDS = [b"\xff", b"\xff\xff", b"\xff\xfa\x2c", b"\xff\xf0", b"\xff\xfb\x00", b"\xff\xfb\x2c", b"\xff\xfc\x2c", b"\r\n"]
SEEDS += [b"\xff\xfa\x2c\x01\x00\x00\x25\x80\xff\xf0", b"\xff\xfa\x2c\x05\x09\xff\xf0", b"\xff\xfa\x2c\x0c\x03\xff\xf0"]
STREAMS = st.lists(st.one_of(st.sampled_from(SEEDS), st.binary(max_size=40)), max_size=30).map(b"".join)


def run(pieces: list[bytes]) -> tuple[list[object], bytes]:
    """Feed a server and return what happened, data in one piece between two other events; and what it sent."""
    server = Rfc2217Server(115200)
    seen: list[object] = []
    sent = b""
    for piece in pieces:
        server.receive_data(piece)
        while (event := server.next_event()) is not None:
            if isinstance(event, DataReceived) and seen and isinstance(seen[-1], DataReceived):
                seen[-1] = DataReceived(seen[-1].data + event.data)
            else:
                seen.append(event)
        sent += server.data_to_send()
    return seen, sent


@given(STREAMS, st.lists(st.integers(0, 1200), max_size=20))
@example(stream=b"\xff\xfa,\x01\x00\x00%\x80\xff\xf0\xff\xfc,", cuts=[14])
def test_cuts_mean_nothing(stream: bytes, cuts: list[int]) -> None:
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)})
    pieces = [stream[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    assert run(pieces) == run([stream])


@given(st.binary(max_size=400))
def test_data_that_are_escaped_arrive_as_they_are(data: bytes) -> None:
    agreed = b"\xff\xfb\x00"
    seen, _ = run([agreed + data.replace(b"\xff", b"\xff\xff")])
    assert b"".join(event.data for event in seen if isinstance(event, DataReceived)) == data


@given(st.binary(max_size=400))
def test_what_is_sent_can_be_read_back(data: bytes) -> None:
    server = Rfc2217Server(115200)
    server.data_to_send()
    server.send_data(data)
    sent = server.data_to_send()
    assert sent.count(IAC) == 2 * data.count(IAC)
    assert sent.replace(b"\xff\xff", b"\xff") == data


@given(STREAMS, st.binary(min_size=1, max_size=3))
def test_an_endless_subnegotiation_is_not_kept(stream: bytes, filler: bytes) -> None:
    server = Rfc2217Server(115200)
    server.receive_data(stream + b"\xff\xf0\xff\xfa\x2c")
    for _ in range(50):
        server.receive_data(filler.replace(b"\xff", b"\xfe") * 100)
        value = server._telnet._value
        assert value is None or len(value) <= SUBNEGOTIATION_BYTES_MAX


@given(STREAMS)
def test_an_answer_is_not_much_longer_than_what_asked_for_it(stream: bytes) -> None:
    assert len(run([stream])[1]) <= 5 * len(stream) + 40
