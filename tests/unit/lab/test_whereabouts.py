"""Which port a board is on, over re-plugging, other hubs, and other boards in its place."""

from __future__ import annotations

import pytest

from webrepl_bridge.lab.whereabouts import Whereabouts, identity_of, serial_target, with_device
from webrepl_transports import AddressError, PortKind, SerialPort


def port(device: str, number: str | None = None, channel: str = "", looks: bool = True) -> SerialPort:
    return SerialPort(device, "a board", PortKind.BOARD, "2e8a:0005", number, None, looks, channel)


A, B = port("/dev/ttyACM0", "E66038B713AA"), port("/dev/ttyACM1", "E66038B713BB")
A_ELSEWHERE = port("/dev/ttyACM7", "E66038B713AA")


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/dev/ttyUSB0", "/dev/ttyUSB0"),
        ("COM3", "COM3"),
        ("auto", "auto"),
        ("id:E6", "id:E6"),
        ("uart:///dev/ttyUSB0?baud=9600", "/dev/ttyUSB0"),
        ("uart://id%3AE6", "id:E6"),
        ("ws://10.0.0.7:8266", ""),
        ("socket://10.0.0.7:23", ""),
    ],
)
def test_what_a_url_names_here(url: str, target: str) -> None:
    assert serial_target(url) == target


def test_a_malformed_url_is_said() -> None:
    with pytest.raises(AddressError):
        serial_target("uart:///dev/ttyUSB0?baud=fast")


def test_a_device_in_place_of_another_keeps_the_options() -> None:
    assert with_device("/dev/ttyUSB0", "/dev/ttyUSB1") == "/dev/ttyUSB1"
    moved = with_device("uart://auto?baud=9600", "/dev/tty USB?1")
    assert moved == "uart:///dev/tty%20USB%3F1?baud=9600"
    assert serial_target(moved) == "/dev/tty USB?1"


def test_a_device_is_there_when_its_file_is() -> None:
    board = Whereabouts("/dev/ttyS0")
    assert board.find([A], []) is None
    assert board.find([A], ["/dev/ttyS0"]) == "/dev/ttyS0"


def test_a_link_is_opened_by_its_own_name() -> None:
    assert Whereabouts("/dev/lab1").find([A], ["/dev/lab1", A.device]) == "/dev/lab1"


@pytest.mark.parametrize("target", ["auto", "id:e66038b713aa"])
def test_auto_and_a_serial_number(target: str) -> None:
    assert Whereabouts(target).find([], []) is None
    assert Whereabouts(target).find([A, port("/dev/ttyS0", looks=False)], []) == A.device


def test_where_it_is_not_clear_opening_says_so() -> None:
    assert Whereabouts("auto").find([A, B], []) == "auto"
    assert Whereabouts("id:E66038B713AA").find([A, A_ELSEWHERE], []) == "id:E66038B713AA"


@pytest.mark.parametrize(
    ("target", "paths"), [("auto", []), (A.device, [A.device]), ("/dev/lab1", ["/dev/lab1", A.device])]
)
def test_a_known_board_is_followed_to_another_hub(target: str, paths: list[str]) -> None:
    board = Whereabouts(target)
    device = board.find([A], paths)
    assert device is not None
    board.opened(device, [A, B], paths)
    assert board.find([B, A_ELSEWHERE], []) == A_ELSEWHERE.device
    assert board.find([B, port("/dev/ttyACM0", "E66038B713CC"), A_ELSEWHERE], paths) == A_ELSEWHERE.device


def test_another_board_is_taken_where_its_place_was_named() -> None:
    board = Whereabouts(A.device)
    board.opened(A.device, [A], [A.device])
    other = port(A.device, "E66038B713CC")
    assert board.find([other], [A.device]) == A.device


@pytest.mark.parametrize("number", [None, "", "0001"])
def test_a_number_that_all_chips_have_is_no_identity(number: str | None) -> None:
    chip = port("/dev/ttyUSB0", number)
    assert identity_of(chip) is None
    board = Whereabouts(chip.device)
    board.opened(chip.device, [chip], [chip.device])
    assert board.find([port("/dev/ttyUSB1", number)], []) is None


def test_channels_of_one_chip_are_not_confused() -> None:
    first, second = port("/dev/ttyUSB0", "FT4ABCDE", "1.0"), port("/dev/ttyUSB1", "FT4ABCDE", "1.1")
    board = Whereabouts(second.device)
    board.opened(second.device, [first, second], [second.device])
    moved = [port("/dev/ttyUSB4", "FT4ABCDE", "1.0"), port("/dev/ttyUSB5", "FT4ABCDE", "1.1")]
    assert board.find(moved, []) == "/dev/ttyUSB5"
