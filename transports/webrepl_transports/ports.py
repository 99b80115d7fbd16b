"""What is plugged in: every serial port of this computer, and which of them look like boards."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from serial.tools import list_ports as pyserial_list_ports

from webrepl_link.errors import OpenError
from webrepl_transports._usb_ids import PortKind, identify

if TYPE_CHECKING:
    from serial.tools.list_ports_common import ListPortInfo

__all__ = [
    "PortKind",
    "SerialPort",
    "find_port",
    "list_boards",
    "list_ports",
    "only_board",
    "port_with_serial",
]

_SECOND_CHANNEL = "CircuitPython CDC2"
"""CircuitPython's second USB serial interface, which carries a program's data and never the REPL."""


@dataclass(frozen=True, order=True)
class SerialPort:
    """One serial port.

    Attributes:
        device: what to open, "/dev/ttyACM0" or "COM3".
        what: what it is, for a person: "CP210x USB-serial chip".
        kind: a board's own USB, a USB-serial chip, or something unknown.
        usb_id: vendor and product id as "2e8a:0005", None for a port that is not on USB.
        serial_number: the USB serial number, None if it has none; CH340s have none, many CP210x all have
            "0001".
        product: the name that the device gives itself, None if it gives none.
        looks_like_board: whether `auto` may take it.
        channel: which of the device's serial interfaces it is, "" if it has only one; the same at every hub.
    """

    device: str
    what: str
    kind: PortKind
    usb_id: str | None = None
    serial_number: str | None = None
    product: str | None = None
    looks_like_board: bool = False
    channel: str = ""

    @property
    def listens_to_dtr(self) -> bool:
        """Whether DTR tells a board that somebody reads, rather than being a wire; a guess if it is unknown."""
        is_modem_class = "ttyACM" in self.device or "usbmodem" in self.device
        return self.kind is PortKind.BOARD or (self.kind is PortKind.OTHER and is_modem_class)

    def __str__(self) -> str:
        """As an error message lists it: "/dev/ttyACM0 (Raspberry Pi Pico ..., serial number E660...)"."""
        number = f", serial number {self.serial_number}" if self.serial_number else ""
        return f"{self.device} ({self.what}{number})"


def list_ports() -> list[SerialPort]:
    """List every serial port, sorted by device. Reads the operating system's lists: takes milliseconds."""
    return [_describe(info) for info in sorted(pyserial_list_ports.comports())]


def list_boards() -> list[SerialPort]:
    """List the ports that look like boards: known USB ids, and whatever calls itself some Python."""
    return [port for port in list_ports() if port.looks_like_board]


def find_port(device: str) -> SerialPort | None:
    """Find the entry of `device`, a path, a link or a COM name; None for one not listed, such as a pty."""
    names = (device, os.path.realpath(device))
    return next((port for port in list_ports() if port.device in names), None)


def only_board() -> SerialPort:
    """Give the one board that is plugged in.

    Raises:
        OpenError: there is none, or more than one.
    """
    boards = list_boards()
    if not boards:
        raise OpenError(
            "no board is plugged in, or its cable carries no data: plug one in, or name its port; "
            + _there_are(list_ports())
        )
    if len(boards) > 1:
        raise OpenError(f"{len(boards)} boards are plugged in: name one of {_join(boards)}")
    return boards[0]


def port_with_serial(serial_number: str) -> SerialPort:
    """Give the port whose USB serial number is `serial_number`, in capitals or not.

    Raises:
        OpenError: there is none, or more than one.
    """
    ports = list_ports()
    matches = [port for port in ports if (port.serial_number or "").lower() == serial_number.lower()]
    if not matches:
        raise OpenError(f"no port has the serial number {serial_number!r}: {_there_are(ports)}")
    if len(matches) > 1:
        raise OpenError(f"several ports have the serial number {serial_number!r}: name one of {_join(matches)}")
    return matches[0]


def _there_are(ports: list[SerialPort]) -> str:
    on_usb = [port for port in ports if port.usb_id] or ports
    return f"there are {_join(on_usb)}" if on_usb else "this computer has no serial port now"


def _join(ports: list[SerialPort]) -> str:
    return ", ".join(str(port) for port in ports)


def _describe(info: ListPortInfo) -> SerialPort:
    names = " ".join(name for name in (info.manufacturer, info.product, info.interface) if name)
    says_python = "python" in names.lower()
    known = None
    if info.vid is not None and info.pid is not None:
        known = identify(info.vid, info.pid)
    if known is None:
        kind = PortKind.BOARD if says_python else PortKind.OTHER
        what = info.product or ("serial port" if info.vid is None else "unknown USB device")
    else:
        kind, what = known
    return SerialPort(
        device=info.device,
        what=what,
        kind=kind,
        usb_id=None if info.vid is None or info.pid is None else f"{info.vid:04x}:{info.pid:04x}",
        serial_number=info.serial_number or None,
        product=info.product or None,
        looks_like_board=(known is not None or says_python) and _SECOND_CHANNEL not in (info.interface or ""),
        channel=(info.location or "").partition(":")[2],
    )
