from __future__ import annotations

import pytest

from webrepl_bridge.protocol.rfc2217 import (
    BaudRequested,
    LinesRequested,
    PurgeRequested,
    Rfc2217Server,
)
from webrepl_transports.telnet import DataReceived

WILL_COM_PORT = b"\xff\xfb\x2c"


def request(number: int, value: bytes = b"") -> bytes:
    return b"\xff\xfa\x2c" + bytes((number,)) + value + b"\xff\xf0"


def answers(server: Rfc2217Server, data: bytes) -> bytes:
    server.receive_data(data)
    return server.data_to_send()


@pytest.fixture
def server() -> Rfc2217Server:
    """A server whose client speaks RFC 2217."""
    server = Rfc2217Server(115200)
    server.data_to_send()
    assert answers(server, WILL_COM_PORT) == b"\xff\xfd\x2c" + request(107, b"\xb0")
    return server


def test_a_client_that_uses_the_option_without_a_word_agrees_to_it() -> None:
    server = Rfc2217Server(115200)
    server.data_to_send()
    assert answers(server, request(2, b"\x08")) == request(102, b"\x08") + request(107, b"\xb0")
    assert answers(server, WILL_COM_PORT) == b""


def test_the_baud_rate(server: Rfc2217Server) -> None:
    assert answers(server, request(1, bytes(4))) == request(101, (115200).to_bytes(4, "big"))
    assert server.next_event() is None
    assert answers(server, request(1, (921600).to_bytes(4, "big"))) == request(101, (921600).to_bytes(4, "big"))
    assert server.next_event() == BaudRequested(921600)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (request(0), request(100, b"webrepl-bridge")),
        (request(2, b"\x08"), request(102, b"\x08")),
        (request(2, b"\x07"), request(102, b"\x08")),
        (request(3, b"\x00"), request(103, b"\x01")),
        (request(4, b"\x02"), request(104, b"\x01")),
        (request(5, b"\x00"), request(105, b"\x01")),
        (request(5, b"\x03"), request(105, b"\x01")),
        (request(5, b"\x05"), request(105, b"\x05")),
        (request(5, b"\x04"), request(105, b"\x06")),
        (request(5, b"\x07"), request(105, b"\x08")),
        (request(5, b"\x0a"), request(105, b"\x0b")),
        (request(5, b"\x0d"), request(105, b"\x0e")),
        (request(6), request(106, b"\x00")),
        (request(7), request(107, b"\xb0")),
        (request(10, b"\xff\xff"), request(110, b"\xff\xff")),
        (request(11, b"\x10"), request(111, b"\x10")),
    ],
)
def test_what_asks_for_an_answer_gets_one(server: Rfc2217Server, asked: bytes, answered: bytes) -> None:
    assert answers(server, asked) == answered
    assert server.next_event() is None


def test_break_is_remembered(server: Rfc2217Server) -> None:
    assert answers(server, request(5, b"\x05") + request(5, b"\x04")) == request(105, b"\x05") * 2
    assert answers(server, request(5, b"\x06")) == request(105, b"\x06")


def test_lines_say_only_what_changes(server: Rfc2217Server) -> None:
    assert answers(server, request(5, b"\x08")) == request(105, b"\x08")
    assert server.next_event() is None
    assert answers(server, request(5, b"\x09") + request(5, b"\x0c")) == request(105, b"\x09") + request(105, b"\x0c")
    assert server.next_event() == LinesRequested(dtr=False, rts=True)
    assert server.next_event() == LinesRequested(dtr=False, rts=False)


def test_purging(server: Rfc2217Server) -> None:
    assert answers(server, request(12, b"\x01") + request(12, b"\x02")) == request(112, b"\x01") + request(112, b"\x02")
    assert server.next_event() == PurgeRequested(to_client=True, to_board=False)
    assert server.next_event() == PurgeRequested(to_client=False, to_board=True)


@pytest.mark.parametrize(
    "asked", [request(1, b"\x01"), request(5), request(12, b"\x09"), request(77), request(2), b"\xff\xfa\x2c\xff\xf0"]
)
def test_what_means_nothing_is_not_answered(server: Rfc2217Server, asked: bytes) -> None:
    assert answers(server, asked + b"go on") == b""
    assert server.next_event() == DataReceived(b"go on")


def test_data_and_requests_keep_their_order(server: Rfc2217Server) -> None:
    server.receive_data(b"a" + request(12, b"\x03") + b"b")
    assert [server.next_event() for _ in range(3)] == [
        DataReceived(b"a"),
        PurgeRequested(to_client=True, to_board=True),
        DataReceived(b"b"),
    ]
