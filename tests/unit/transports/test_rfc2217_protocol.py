"""The client's side of RFC 2217, byte by byte; telnet itself is tested in test_telnet.py."""

from __future__ import annotations

import pytest

from webrepl_bridge.protocol.rfc2217 import BaudRequested, LinesRequested, Rfc2217Server
from webrepl_transports._rfc2217 import Command, Control, ModemState, Rfc2217Client
from webrepl_transports.telnet import DataReceived

WILL, WONT, DO, DONT = b"\xff\xfb", b"\xff\xfc", b"\xff\xfd", b"\xff\xfe"
BINARY, ECHO, SGA, COM_PORT = b"\x00", b"\x01", b"\x03", b"\x2c"


def message(*content: int) -> bytes:
    return b"\xff\xfa\x2c" + bytes(content) + b"\xff\xf0"


@pytest.fixture
def client() -> Rfc2217Client:
    """A client that has said its opening words."""
    client = Rfc2217Client()
    client.data_to_send()
    return client


def test_says_at_once_what_it_wants() -> None:
    """By the very first bytes esp-link tells a telnet connection from a plain one."""
    client = Rfc2217Client()
    assert client.data_to_send() == DO + BINARY + DO + SGA + WILL + BINARY + WILL + SGA + WILL + COM_PORT
    assert client.data_to_send() == b""
    assert client.agreed is None


@pytest.mark.parametrize(
    ("server", "agreed", "answer"),
    [
        (DO + COM_PORT, True, b""),
        (DONT + COM_PORT, False, b""),
        (DO + COM_PORT + DONT + COM_PORT, False, WONT + COM_PORT),
        (DO + BINARY + WILL + BINARY, None, b""),
        (WILL + COM_PORT, None, DO + COM_PORT),
        (WILL + ECHO, None, DONT + ECHO),
    ],
)
def test_agrees_on_the_option(client: Rfc2217Client, server: bytes, agreed: bool | None, answer: bytes) -> None:
    assert client.receive_data(server) == b""
    assert (client.agreed, client.data_to_send()) == (agreed, answer)


def test_an_acknowledgement_is_not_acknowledged(client: Rfc2217Client) -> None:
    for _ in range(3):  # esp-link does so, for ever
        client.receive_data(DO + BINARY + WILL + BINARY + DO + SGA + WILL + SGA + DO + COM_PORT)
    assert client.data_to_send() == b""


@pytest.mark.parametrize("server", [DO + COM_PORT, WILL + BINARY])
def test_data_among_commands_comes_out_as_it_was(client: Rfc2217Client, server: bytes) -> None:
    client.receive_data(server)
    data = b"he" + DO + BINARY + b"l\xff\xff" + message(101, 0, 0, 0xFF, 0xFF, 0) + b"lo\r\x00\r\n\xff\xf1!"
    assert client.receive_data(data) == b"hel\xfflo\r\x00\r\n!"


def test_sends_data_and_commands(client: Rfc2217Client) -> None:
    client.send_data(b"a\xff\r\nb")
    client.send_command(Command.SET_BAUDRATE, b"\x00\x00\xff\x00")
    assert client.data_to_send() == b"a\xff\xff\r\nb" + message(1, 0, 0, 0xFF, 0xFF, 0)


def test_gives_the_answers_in_order(client: Rfc2217Client) -> None:
    client.receive_data(message(101, 0, 0, 0xFF, 0xFF, 0) + message(105, 8))
    assert client.next_answer() == (Command.SET_BAUDRATE, b"\x00\x00\xff\x00")
    assert client.next_answer() == (Command.SET_CONTROL, b"\x08")
    assert client.next_answer() is None


def test_remembers_what_the_server_tells(client: Rfc2217Client) -> None:
    client.receive_data(message(107, 0xB0))
    assert client.modem_state == ModemState.CD | ModemState.DSR | ModemState.CTS
    client.receive_data(message(108))
    assert client.suspended
    client.receive_data(message(109))
    assert not client.suspended


def test_the_bridges_own_server_understands_it() -> None:
    client, server = Rfc2217Client(), Rfc2217Server(115200)
    client.send_command(Command.SET_BAUDRATE, (57600).to_bytes(4))
    client.send_command(Command.SET_CONTROL, bytes((Control.DTR_OFF,)))
    client.send_data(b"\xff\r\n")
    plain = b""
    for _ in range(3):
        server.receive_data(client.data_to_send())
        server.send_data(b"\xff\r\n")
        plain += client.receive_data(server.data_to_send())
    assert client.agreed
    assert plain == b"\xff\r\n" * 3
    assert client.modem_state == ModemState.CD | ModemState.DSR | ModemState.CTS
    answers = iter(client.next_answer, None)
    assert {(1, b"\x00\x00\xe1\x00"), (5, bytes((Control.DTR_OFF,)))} <= set(answers)
    events = list(iter(server.next_event, None))
    assert events[:2] == [BaudRequested(57600), LinesRequested(False, True)]
    assert b"".join(event.data for event in events if isinstance(event, DataReceived)) == b"\xff\r\n"


@pytest.mark.parametrize("odd", [message(), message(107), message(3), b"\xff\xfa\x18\x01\xff\xf0", b"\xff\xf0"])
def test_passes_over_what_means_nothing(client: Rfc2217Client, odd: bytes) -> None:
    assert client.receive_data(b"a" + odd + b"b") == b"ab"
    assert client.data_to_send() == b""
    assert client.modem_state == 0
