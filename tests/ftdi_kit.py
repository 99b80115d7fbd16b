"""An FT232H on a USB that is not there: a backend for pyusb that carries out the MPSSE commands of pyftdi's SPI.

The board at its pins is a `Board`. Commands: FTDI AN_108, "Command processor for MPSSE"; requests: AN_232B.
"""

from __future__ import annotations

import errno
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import usb.backend
import usb.core
from pyftdi.usbtools import UsbTools

from webrepl_link.blocks import Blocks

VENDOR, PRODUCT, RELEASE = 0x0403, 0x6014, 0x0900
OUT, IN = 0x02, 0x81
PACKET_BYTES = 512
STATUS = b"\x32\x60"  # in front of each packet from the chip
STRINGS = {1: "FTDI", 2: "FT232H", 3: "FTTEST"}
GET_DESCRIPTOR, STRING = 0x06, 3
CS = 1 << 3

SET_LOW, GET_LOW, SET_HIGH, GET_HIGH = 0x80, 0x81, 0x82, 0x83
EXCHANGE_BYTES = 0x31  # out on the falling edge, in on the rising one, most significant bit first
ARGUMENT_BYTES = {0x86: 2, 0x84: 0, 0x85: 0, 0x87: 0, 0x8A: 0, 0x8B: 0, 0x8C: 0, 0x8D: 0, 0x96: 0, 0x97: 0, 0x9E: 2}
BAD_COMMAND = 0xFA


class Board:
    """The board's SPI as a peripheral: it shifts bytes, and has a block loaded whenever it is asked for one.

    Args:
        block_bytes: the size of a block.

    Attributes:
        received: the payloads that have come.
    """

    def __init__(self, block_bytes: int = 128) -> None:
        self.blocks = Blocks(block_bytes)
        self.received = b""
        self._out = b""
        self._in = b""

    def shift(self, data: bytes) -> bytes:
        """Take bytes, and give as many."""
        size = self.blocks.block_bytes
        came = b""
        while len(came) < len(data):
            self._out = self._out or self.blocks.block_to_send()
            piece = data[len(came) :][: len(self._out)]
            came += self._out[: len(piece)]
            self._out = self._out[len(piece) :]
            self._in += piece
            if len(self._in) >= size:
                self.received += self.blocks.receive_block(self._in[:size])
                self._in = self._in[size:]
        return came


class Ft232h(usb.backend.IBackend):  # type: ignore[misc]
    """The chip and its bus.

    Args:
        board: what is at its pins.

    Attributes:
        pins: its inputs, AD0 is bit 0 and AC0 bit 8.
        may_open: whether its device file may be opened.
        is_claimed: whether another program has it.
        is_pulled_out: whether every transfer fails.
        cs_falls: how often CS has become low.
    """

    def __init__(self, board: Board) -> None:
        self.board = board
        self.pins = 0
        self.may_open = True
        self.is_claimed = False
        self.is_pulled_out = False
        self.cs_falls = 0
        self.is_mpsse = False
        self.opened = 0
        self._low = CS
        self._high = 0
        self._replies = b""

    # Descriptors

    def enumerate_devices(self) -> Iterator[Ft232h]:
        yield self

    def get_device_descriptor(self, dev: object) -> Any:
        return SimpleNamespace(
            bLength=18, bDescriptorType=1, bcdUSB=0x200, bDeviceClass=0, bDeviceSubClass=0, bDeviceProtocol=0,
            bMaxPacketSize0=64, idVendor=VENDOR, idProduct=PRODUCT, bcdDevice=RELEASE, iManufacturer=1, iProduct=2,
            iSerialNumber=3, bNumConfigurations=1, address=5, bus=1, port_number=1, port_numbers=(1,), speed=3,
        )  # fmt: skip

    def get_configuration_descriptor(self, dev: object, config: int) -> Any:
        if config:
            raise IndexError(config)
        return SimpleNamespace(
            bLength=9, bDescriptorType=2, wTotalLength=32, bNumInterfaces=1, bConfigurationValue=1, iConfiguration=0,
            bmAttributes=0x80, bMaxPower=45, extra_descriptors=[],
        )  # fmt: skip

    def get_interface_descriptor(self, dev: object, intf: int, alt: int, config: int) -> Any:
        if intf or alt:
            raise IndexError(intf)
        return SimpleNamespace(
            bLength=9, bDescriptorType=4, bInterfaceNumber=0, bAlternateSetting=0, bNumEndpoints=2,
            bInterfaceClass=0xFF, bInterfaceSubClass=0xFF, bInterfaceProtocol=0xFF, iInterface=2, extra_descriptors=[],
        )  # fmt: skip

    def get_endpoint_descriptor(self, dev: object, ep: int, intf: int, alt: int, config: int) -> Any:
        return SimpleNamespace(
            bLength=7, bDescriptorType=5, bEndpointAddress=(IN, OUT)[ep], bmAttributes=2, wMaxPacketSize=PACKET_BYTES,
            bInterval=0, bRefresh=0, bSynchAddress=0, extra_descriptors=[],
        )  # fmt: skip

    # Opening and closing

    def open_device(self, dev: object) -> object:
        if not self.may_open:
            raise usb.core.USBError("Access denied (insufficient permissions)", None, errno.EACCES)
        self.opened += 1
        return self

    def close_device(self, dev_handle: object) -> None:
        self.opened -= 1

    def set_configuration(self, dev_handle: object, config_value: int) -> None: ...

    def get_configuration(self, dev_handle: object) -> int:
        return 1

    def claim_interface(self, dev_handle: object, intf: int) -> None:
        if self.is_claimed:
            raise usb.core.USBError("Resource busy", None, errno.EBUSY)

    def release_interface(self, dev_handle: object, intf: int) -> None: ...

    def is_kernel_driver_active(self, dev_handle: object, intf: int) -> bool:
        return False

    # Transfers

    def ctrl_transfer(
        self, dev_handle: object, type_: int, request: int, value: int, index: int, data: Any, timeout: int
    ) -> int:
        self._check()
        if request == GET_DESCRIPTOR and value >> 8 == STRING:
            text = STRINGS[value & 0xFF].encode("utf-16-le") if value & 0xFF else b"\x09\x04"
            return _fill(data, bytes((len(text) + 2, STRING)) + text)
        if request == 0x0B:  # SIO_REQ_SET_BITMODE
            self.is_mpsse = value >> 8 == 2
        return 0

    def bulk_write(self, dev_handle: object, ep: int, intf: int, data: Any, timeout: int) -> int:
        self._check()
        assert ep == OUT
        self._run(bytes(data))
        return len(data)

    def bulk_read(self, dev_handle: object, ep: int, intf: int, buff: Any, timeout: int) -> int:
        self._check()
        assert ep == IN
        piece = self._replies[: PACKET_BYTES - len(STATUS)]
        self._replies = self._replies[len(piece) :]
        return _fill(buff, STATUS + piece)

    def _check(self) -> None:
        if self.is_pulled_out:
            raise usb.core.USBError("No such device (it may have been disconnected)", None, errno.ENODEV)

    def _run(self, commands: bytes) -> None:
        assert self.is_mpsse
        at = 0
        while at < len(commands):
            command = commands[at]
            at += 1
            if command == EXCHANGE_BYTES:
                size = int.from_bytes(commands[at : at + 2], "little") + 1
                data = commands[at + 2 : at + 2 + size]
                at += 2 + size
                assert len(data) == size
                self._replies += self.board.shift(data) if not self._low & CS else b"\xff" * size
            elif command in (SET_LOW, SET_HIGH):
                value = commands[at]
                at += 2
                if command == SET_HIGH:
                    self._high = value
                else:
                    self.cs_falls += bool(self._low & CS and not value & CS)
                    self._low = value
            elif command in (GET_LOW, GET_HIGH):
                self._replies += bytes((self.pins >> (8 if command == GET_HIGH else 0) & 0xFF,))
            elif command in ARGUMENT_BYTES:
                at += ARGUMENT_BYTES[command]
            else:
                self._replies += bytes((BAD_COMMAND, command))


def _fill(buffer: Any, data: bytes) -> int:
    buffer[: len(data)] = array("B", data[: len(buffer)])
    return len(data)


@contextmanager
def plugged_in(chip: Ft232h) -> Iterator[None]:
    """Make it the only thing on USB."""
    former = UsbTools.__dict__["_load_backend"]
    UsbTools._load_backend = classmethod(lambda cls: chip)
    UsbTools.flush_cache()
    try:
        yield
    finally:
        UsbTools._load_backend = former
        UsbTools.flush_cache()
