"""What is plugged in, told from the operating system's list."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from serial.tools.list_ports_common import ListPortInfo

from webrepl_transports import OpenError, PortKind, list_boards, list_ports
from webrepl_transports._usb_ids import PRODUCTS, VENDORS
from webrepl_transports.ports import find_port, only_board, port_with_serial

PlugIn = Callable[..., None]


@pytest.fixture
def plug_in(monkeypatch: pytest.MonkeyPatch) -> PlugIn:
    """Make the operating system list these ports and no others."""
    plugged: list[ListPortInfo] = []
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: plugged)

    def plug(device: str, usb: str = "", serial_number: str = "", product: str = "", interface: str = "") -> None:
        info = ListPortInfo(device)
        if usb:
            info.vid, info.pid = (int(part, 16) for part in usb.split(":"))
        info.serial_number, info.product, info.interface = serial_number or None, product or None, interface or None
        plugged.append(info)

    return plug


@pytest.mark.parametrize(
    ("usb", "kind", "what"),
    [
        ("2e8a:0005", PortKind.BOARD, "Raspberry Pi Pico"),
        ("2e8a:1234", PortKind.BOARD, "RP2 board"),
        ("f055:9800", PortKind.BOARD, "pyboard"),
        ("303a:1001", PortKind.BOARD, "USB-Serial-JTAG"),
        ("239a:80f4", PortKind.BOARD, "Adafruit"),
        ("2886:802f", PortKind.BOARD, "Seeed"),
        ("16c0:0483", PortKind.BOARD, "Teensy"),
        ("0d28:0204", PortKind.CHIP, "micro:bit"),
        ("10c4:ea60", PortKind.CHIP, "CP210x"),
        ("1a86:7523", PortKind.CHIP, "CH340"),
        ("1a86:55d4", PortKind.CHIP, "CH9102"),
        ("0403:6015", PortKind.CHIP, "FT230X"),
        ("067b:2303", PortKind.CHIP, "PL2303"),
    ],
)
def test_a_known_usb_id_says_what_it_is(plug_in: PlugIn, usb: str, kind: PortKind, what: str) -> None:
    plug_in("/dev/ttyX0", usb, "1234", "Some Product")
    (port,) = list_ports()
    assert (port.usb_id, port.kind, port.serial_number, port.product) == (usb, kind, "1234", "Some Product")
    assert what in port.what
    assert port.looks_like_board


def test_unknown_ports_are_listed_but_are_no_boards(plug_in: PlugIn) -> None:
    plug_in("/dev/ttyS0")
    plug_in("/dev/ttyACM3", "1234:5678", product="Coffee Machine")
    machine, plain = list_ports()
    assert (plain.what, plain.usb_id, plain.kind) == ("serial port", None, PortKind.OTHER)
    assert (machine.what, machine.kind) == ("Coffee Machine", PortKind.OTHER)
    assert list_boards() == []


def test_whatever_calls_itself_some_python_is_a_board(plug_in: PlugIn) -> None:
    plug_in("/dev/ttyACM0", "1234:5678", product="Fancy MicroPython Board")
    (board,) = list_boards()
    assert (board.what, board.kind) == ("Fancy MicroPython Board", PortKind.BOARD)


def test_the_data_channel_of_circuitpython_is_no_board(plug_in: PlugIn) -> None:
    plug_in("/dev/ttyACM0", "239a:80f4", interface="CircuitPython CDC control")
    plug_in("/dev/ttyACM1", "239a:80f4", interface="CircuitPython CDC2 control")
    assert [board.device for board in list_boards()] == ["/dev/ttyACM0"]


def test_ports_are_sorted_as_people_count(plug_in: PlugIn) -> None:
    for number in (10, 2, 1):
        plug_in(f"COM{number}", "2e8a:0005")
    assert [port.device for port in list_ports()] == ["COM1", "COM2", "COM10"]


def test_dtr_is_a_sign_of_life_for_a_boards_own_usb_only(plug_in: PlugIn) -> None:
    plug_in("/dev/ttyACM0", "2e8a:0005")
    plug_in("/dev/ttyACM1", "1a86:55d4")
    plug_in("/dev/ttyACM2", "1234:5678")
    plug_in("/dev/ttyUSB0", "1234:5678")
    assert [port.listens_to_dtr for port in list_ports()] == [True, False, True, False]


def test_auto_takes_the_only_board(plug_in: PlugIn) -> None:
    plug_in("/dev/ttyS0")
    plug_in("/dev/ttyACM0", "2e8a:0005", "E660")
    assert only_board().device == "/dev/ttyACM0"


def test_auto_without_a_board_says_what_there_is(plug_in: PlugIn) -> None:
    with pytest.raises(OpenError, match=r"no board is plugged in.*this computer has no serial port now"):
        only_board()
    plug_in("/dev/ttyS0")
    plug_in("/dev/ttyACM3", "1234:5678", product="Coffee Machine")
    with pytest.raises(OpenError, match=r"no board is plugged in.*there are /dev/ttyACM3 \(Coffee Machine\)$"):
        only_board()


def test_auto_with_several_boards_lists_them(plug_in: PlugIn) -> None:
    plug_in("/dev/ttyACM0", "2e8a:0005", "E660")
    plug_in("/dev/ttyUSB0", "10c4:ea60", "0001")
    with pytest.raises(OpenError, match=r"2 boards.*/dev/ttyACM0 \(.*serial number E660\), /dev/ttyUSB0 \(CP210x"):
        only_board()


def test_a_serial_number_names_a_port(plug_in: PlugIn) -> None:
    plug_in("/dev/ttyUSB0", "10c4:ea60", "0001")
    plug_in("/dev/ttyUSB1", "10c4:ea60", "0001")
    plug_in("/dev/ttyACM0", "2e8a:0005", "E6605838830F9D2E")
    assert port_with_serial("e6605838830f9d2e").device == "/dev/ttyACM0"
    with pytest.raises(OpenError, match=r"several ports.*/dev/ttyUSB0.*/dev/ttyUSB1"):
        port_with_serial("0001")
    with pytest.raises(OpenError, match=r"no port has the serial number '7'.*E6605838830F9D2E"):
        port_with_serial("7")


def test_a_link_is_found_by_what_it_points_to(plug_in: PlugIn, tmp_path: Path) -> None:
    device, link = tmp_path / "ttyUSB0", tmp_path / "by-id"
    device.touch()
    link.symlink_to(device)
    plug_in(str(device.resolve()), "1a86:7523")
    found = find_port(str(link))
    assert found is not None
    assert found.kind is PortKind.CHIP
    assert find_port("/dev/pts/99") is None


def test_the_tables_hold_usb_ids() -> None:
    for vendor, product in PRODUCTS:
        assert 0 < vendor <= 0xFFFF
        assert 0 < product <= 0xFFFF
    assert all(0 < vendor <= 0xFFFF for vendor in VENDORS)
    assert all(what and kind is not PortKind.OTHER for kind, what in (*PRODUCTS.values(), *VENDORS.values()))
