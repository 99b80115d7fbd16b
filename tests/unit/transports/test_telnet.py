from __future__ import annotations

import pytest

from webrepl_transports.telnet import BINARY, COM_PORT, ECHO, DataReceived, Subnegotiation, Telnet

IAC, SE, SB, WILL, WONT, DO, DONT = b"\xff", b"\xf0", b"\xfa", b"\xfb", b"\xfc", b"\xfd", b"\xfe"
AGREED = IAC + WILL + b"\x00"


@pytest.fixture
def telnet() -> Telnet:
    """A connection that has said what it asks for."""
    connection = Telnet(ours=(ECHO,), theirs=(BINARY, COM_PORT))
    assert connection.data_to_send() == IAC + DO + b"\x00" + IAC + DO + b"\x2c" + IAC + WILL + b"\x01"
    return connection


def events(telnet: Telnet) -> list[object]:
    found: list[object] = []
    while (event := telnet.next_event()) is not None:
        found.append(event)
    return found


def test_data_go_both_ways_escaped(telnet: Telnet) -> None:
    telnet.receive_data(AGREED + b"a\xff\xffb\r\0")
    assert b"".join(event.data for event in events(telnet) if isinstance(event, DataReceived)) == b"a\xffb\r\0"
    telnet.send_data(b"1\xff2")
    assert telnet.data_to_send() == b"1\xff\xff2"


def test_a_subnegotiation(telnet: Telnet) -> None:
    telnet.receive_data(IAC + SB + b"\x2c\x01\xff\xff\x02" + IAC + SE + b"x")
    assert events(telnet) == [Subnegotiation(COM_PORT, b"\x01\xff\x02"), DataReceived(b"x")]
    telnet.send_subnegotiation(COM_PORT, b"\xff")
    assert telnet.data_to_send() == IAC + SB + b"\x2c\xff\xff" + IAC + SE


def test_what_was_asked_for_and_is_agreed_to_is_not_answered(telnet: Telnet) -> None:
    telnet.receive_data((IAC + WILL + b"\x2c") * 2 + IAC + DO + b"\x01")
    assert telnet.data_to_send() == b""
    assert telnet.does(COM_PORT)


def test_a_refusal_is_taken_and_can_be_taken_back(telnet: Telnet) -> None:
    telnet.receive_data((IAC + WONT + b"\x2c") * 2)
    assert telnet.data_to_send() == b""
    assert not telnet.does(COM_PORT)
    telnet.receive_data((IAC + WILL + b"\x2c") * 2)
    assert telnet.data_to_send() == IAC + DO + b"\x2c"
    telnet.receive_data((IAC + WONT + b"\x2c") * 2)
    assert telnet.data_to_send() == IAC + DONT + b"\x2c"


def test_what_is_unknown_is_refused(telnet: Telnet) -> None:
    telnet.receive_data(IAC + DO + b"\x18" + IAC + WILL + b"\x1f" + IAC + WONT + b"\x1f")
    assert telnet.data_to_send() == IAC + WONT + b"\x18" + IAC + DONT + b"\x1f"


@pytest.mark.parametrize("enter", [b"\r\0", b"\r\n", b"\r"])
def test_enter_of_a_terminal_without_binary_mode(telnet: Telnet, enter: bytes) -> None:
    for part in (b"a" + enter[:1], enter[1:] + b"b"):
        telnet.receive_data(part)
    assert events(telnet) == [DataReceived(b"a\r"), DataReceived(b"b")]


def test_interrupt_process_is_ctrl_c_and_other_commands_are_nothing(telnet: Telnet) -> None:
    telnet.receive_data(b"a\xff\xf1\xff\xf4\xff\xf0b")
    assert events(telnet) == [DataReceived(b"a"), DataReceived(b"\x03"), DataReceived(b"b")]


def test_a_subnegotiation_that_is_too_long_or_has_no_end(telnet: Telnet) -> None:
    telnet.receive_data(IAC + SB + b"\x2c" + bytes(513))
    telnet.receive_data(b"\1" + IAC + SE + b"a")
    telnet.receive_data(IAC + SB + b"\x2c\x01" + IAC + WILL + b"\x18b")
    assert events(telnet) == [DataReceived(b"a"), DataReceived(b"b")]
    assert telnet.data_to_send() == IAC + DONT + b"\x18"


def test_what_they_may_do_without_being_asked() -> None:
    telnet = Telnet(ours=(), theirs=(), if_they_like=(COM_PORT,))
    assert telnet.data_to_send() == b""
    telnet.receive_data((IAC + WILL + b"\x2c") * 2)
    assert telnet.data_to_send() == IAC + DO + b"\x2c"
    assert telnet.does(COM_PORT)
