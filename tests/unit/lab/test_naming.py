"""Names of boards that nobody has named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.lab.naming import is_name, name_of_url, name_ports
from webrepl_transports import PortKind, SerialPort


def port(device: str, number: str | None = None, channel: str = "") -> SerialPort:
    return SerialPort(device, "a board", PortKind.BOARD, "2e8a:0005", number, None, True, channel)


def test_a_serial_number_names_a_board_wherever_it_is() -> None:
    here, there = port("/dev/ttyACM0", "E66038B713"), port("/dev/ttyACM9", "E66038B713")
    assert name_ports([here]) == {"E66038B713": here}
    assert name_ports([port("/dev/ttyACM0", "E66038B714"), there])["E66038B713"] == there


def test_what_has_no_number_of_its_own_is_named_by_its_device() -> None:
    ports = [port("/dev/ttyUSB0"), port("/dev/ttyUSB1", "0001"), port("COM7", "0001")]
    assert list(name_ports(ports)) == ["ttyUSB0", "ttyUSB1", "COM7"]


def test_channels_and_clones_have_names_of_their_own() -> None:
    channels = [port("/dev/ttyUSB0", "FT4ABCDE", "1.0"), port("/dev/ttyUSB1", "FT4ABCDE", "1.1")]
    assert list(name_ports(channels)) == ["FT4ABCDE", "FT4ABCDE-1.1"]
    clones = [port("/dev/ttyUSB0", "12345678"), port("/dev/ttyUSB1", "12345678")]
    assert list(name_ports(clones)) == ["12345678", "ttyUSB1"]


def test_a_number_that_fits_into_no_path() -> None:
    assert list(name_ports([port("/dev/ttyACM0", "E6/60 3?8")])) == ["E6-60-3-8"]


@pytest.mark.parametrize("name", ["", "a/b", "a b", "health", "boards", "metrics", "fs", "cp", ".x", "x" * 65])
def test_what_is_no_name(name: str) -> None:
    assert not is_name(name)


@given(st.text(max_size=80))
def test_every_url_gives_a_name(url: str) -> None:
    assert is_name(name_of_url(url))


@given(st.lists(st.tuples(st.sampled_from(["/dev/ttyACM0", "/dev/a", "COM1"]), st.text(max_size=70))))
def test_every_port_gives_a_name(found: list[tuple[str, str]]) -> None:
    assert all(map(is_name, name_ports([port(device, number) for device, number in found])))
