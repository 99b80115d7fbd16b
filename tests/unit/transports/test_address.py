"""What a person may write for a serial port."""

from __future__ import annotations

import pytest

from webrepl_transports import AddressError, OpenOptions, ResetOnOpen
from webrepl_transports.address import SerialAddress, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/dev/ttyUSB0", SerialAddress("/dev/ttyUSB0")),
        ("COM3", SerialAddress("COM3")),
        (r"\\.\COM12", SerialAddress(r"\\.\COM12")),
        ("auto", SerialAddress("auto")),
        ("id:E6605838830F9D2E", SerialAddress("id:E6605838830F9D2E")),
        ("uart:///dev/ttyUSB0", SerialAddress("/dev/ttyUSB0")),
        ("UART://COM3", SerialAddress("COM3")),
        ("uart:///dev/ttyUSB0?baud=9600", SerialAddress("/dev/ttyUSB0", OpenOptions(baud=9600))),
        ("uart://auto?baud=230400", SerialAddress("auto", OpenOptions(baud=230400))),
        ("uart://id:0001?exclusive=no", SerialAddress("id:0001", OpenOptions(exclusive=False))),
        (
            "uart:///dev/ttyS0?reset_on_open=hard",
            SerialAddress("/dev/ttyS0", OpenOptions(reset_on_open=ResetOnOpen.HARD)),
        ),
        ("uart:///dev/cu.My%20Board", SerialAddress("/dev/cu.My Board")),
        ("loop://", SerialAddress("loop://")),
        ("spy:///dev/ttyUSB0?file=log", SerialAddress("spy:///dev/ttyUSB0?file=log")),
    ],
)
def test_is_understood(text: str, expected: SerialAddress) -> None:
    assert parse(text, OpenOptions()) == expected


def test_the_address_goes_before_the_options() -> None:
    options = OpenOptions(9600, False, ResetOnOpen.NEVER)
    assert parse("COM3", options) == SerialAddress("COM3", options)
    full = parse("uart://COM3?baud=57600&exclusive=yes&reset_on_open=release", options)
    assert full == SerialAddress("COM3", OpenOptions(57600, True, ResetOnOpen.RELEASE))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no port"),
        ("id:", "names no port"),
        ("uart://", "names no port"),
        ("uart://?baud=9600", "names no port"),
        ("uart:///dev/ttyUSB0?boud=9600", "unknown option 'boud'.*baud, reset_on_open, exclusive"),
        ("uart:///dev/ttyUSB0?baud=fast", "'fast' is no baud rate.*115200"),
        ("uart:///dev/ttyUSB0?baud=", "'' is no baud rate"),
        ("uart:///dev/ttyUSB0?baud=0", "'0' is no baud rate"),
        ("uart:///dev/ttyUSB0?baud=-5", "'-5' is no baud rate"),
        ("uart:///dev/ttyUSB0?reset_on_open=always", "always is unknown: use one of keep, never, release, hard"),
        ("uart:///dev/ttyUSB0?exclusive=maybe", "neither yes nor no"),
    ],
)
def test_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(AddressError, match=says) as caught:
        parse(text, OpenOptions())
    assert "\n" not in str(caught.value)
