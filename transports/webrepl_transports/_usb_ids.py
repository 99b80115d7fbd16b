"""USB ids of boards that run MicroPython or CircuitPython, and of the chips between USB and a UART.

Sources: MicroPython `ports/*/mpconfigport.h`, `ports/*/boards/*/mpconfigboard.h` and `ports/stm32/usb.h`;
Raspberry Pi's and Espressif's public product id lists; the Linux drivers cp210x, ch341, cdc-acm, ftdi_sio and
pl2303; the id lists of Thonny and eric.
"""

from __future__ import annotations

from enum import StrEnum


class PortKind(StrEnum):
    """What answers at the other end of the USB cable."""

    BOARD = "board"
    """The board's own USB: DTR tells it that somebody listens, and there is no line with a baud rate."""

    CHIP = "chip"
    """A USB-serial chip or debugger in front of a UART: DTR and RTS are wires, often to reset and boot."""

    OTHER = "other"
    """Nothing that is known; it may be a board all the same."""


_BOARD, _CHIP = PortKind.BOARD, PortKind.CHIP

PRODUCTS: dict[tuple[int, int], tuple[PortKind, str]] = {
    # Boards with USB of their own.
    (0x2E8A, 0x0005): (_BOARD, "Raspberry Pi Pico or other RP2 board (MicroPython)"),
    (0x2E8A, 0x0009): (_BOARD, "Raspberry Pi RP2350 board (pico-sdk)"),
    (0x2E8A, 0x000A): (_BOARD, "Raspberry Pi RP2040 board (pico-sdk)"),
    (0x2E8A, 0x000B): (_BOARD, "Raspberry Pi Pico (CircuitPython)"),
    (0xF055, 0x9800): (_BOARD, "pyboard or other MicroPython board"),
    (0xF055, 0x9801): (_BOARD, "pyboard or other MicroPython board"),
    (0xF055, 0x9802): (_BOARD, "MicroPython board (SAMD, nRF, i.MX RT, STM32)"),
    (0x303A, 0x1001): (_BOARD, "Espressif chip's own USB (USB-Serial-JTAG)"),
    (0x303A, 0x4001): (_BOARD, "Espressif board (MicroPython)"),
    (0x2341, 0x025E): (_BOARD, "Arduino Nano RP2040 Connect"),
    (0x2341, 0x045F): (_BOARD, "Arduino Nicla Vision"),
    (0x2341, 0x055B): (_BOARD, "Arduino Portenta H7"),
    (0x2341, 0x0566): (_BOARD, "Arduino GIGA R1 WiFi"),
    (0x2341, 0x056B): (_BOARD, "Arduino Nano ESP32"),
    (0x0483, 0x5740): (_BOARD, "STM32 board's own USB"),
    (0x16C0, 0x0483): (_BOARD, "Teensy"),
    (0x1FFB, 0x2043): (_BOARD, "Pololu 3pi+ 2040 robot"),
    (0x1FFB, 0x2044): (_BOARD, "Pololu Zumo 2040 robot"),
    (0x1209, 0xF502): (_BOARD, "Silicognition RP2040-Shim"),
    (0x16D0, 0x08C7): (_BOARD, "Pimoroni Tiny 2040"),
    # Debuggers with a UART.
    (0x0D28, 0x0204): (_CHIP, "micro:bit or other board with a DAPLink debugger"),
    (0x2E8A, 0x0004): (_CHIP, "Raspberry Pi Picoprobe"),
    (0x2E8A, 0x000C): (_CHIP, "Raspberry Pi Debug Probe"),
    (0x0483, 0x374B): (_CHIP, "STM32 board's ST-LINK/V2-1"),
    (0x0483, 0x374E): (_CHIP, "STM32 board's STLINK-V3"),
    (0x0483, 0x374F): (_CHIP, "STM32 board's STLINK-V3"),
    (0x2341, 0x0043): (_CHIP, "Arduino Uno"),
    # USB-serial chips.
    (0x10C4, 0xEA60): (_CHIP, "CP210x USB-serial chip"),
    (0x10C4, 0xEA70): (_CHIP, "CP2105 USB-serial chip"),
    (0x10C4, 0xEA71): (_CHIP, "CP2108 USB-serial chip"),
    (0x1A86, 0x5523): (_CHIP, "CH341 USB-serial chip"),
    (0x1A86, 0x7522): (_CHIP, "CH340K USB-serial chip"),
    (0x1A86, 0x7523): (_CHIP, "CH340 USB-serial chip"),
    (0x1A86, 0x55D2): (_CHIP, "CH342 USB-serial chip"),
    (0x1A86, 0x55D3): (_CHIP, "CH343 USB-serial chip"),
    (0x1A86, 0x55D4): (_CHIP, "CH9102 USB-serial chip"),
    (0x0403, 0x6001): (_CHIP, "FT232R USB-serial chip"),
    (0x0403, 0x6010): (_CHIP, "FT2232 USB-serial chip"),
    (0x0403, 0x6011): (_CHIP, "FT4232 USB-serial chip"),
    (0x0403, 0x6014): (_CHIP, "FT232H USB-serial chip"),
    (0x0403, 0x6015): (_CHIP, "FT230X USB-serial chip"),
    (0x067B, 0x2303): (_CHIP, "PL2303 USB-serial chip"),
    (0x067B, 0x23A3): (_CHIP, "PL2303GC USB-serial chip"),
    (0x04D8, 0x00DD): (_CHIP, "MCP2200 or MCP2221 USB-serial chip"),
}
"""(vendor id, product id) to what it is."""

VENDORS: dict[int, tuple[PortKind, str]] = {
    0x2E8A: (_BOARD, "RP2 board"),
    0xF055: (_BOARD, "MicroPython board"),
    0x303A: (_BOARD, "Espressif board"),
    0x239A: (_BOARD, "Adafruit board (CircuitPython)"),
    0x2886: (_BOARD, "Seeed Studio board"),
    0x1B4F: (_BOARD, "SparkFun board"),
    0x2341: (_BOARD, "Arduino board"),
    0x2A03: (_BOARD, "Arduino board"),
    0x1A86: (_CHIP, "WCH USB-serial chip"),
    0x0403: (_CHIP, "FTDI USB-serial chip"),
    0x10C4: (_CHIP, "Silicon Labs USB-serial chip"),
    0x067B: (_CHIP, "Prolific USB-serial chip"),
}
"""Vendor id to what its serial products are, for a product id that is not in `PRODUCTS`."""


def identify(vendor_id: int, product_id: int) -> tuple[PortKind, str] | None:
    """Say what a USB id stands for; None for one that neither table has."""
    return PRODUCTS.get((vendor_id, product_id)) or VENDORS.get(vendor_id)
