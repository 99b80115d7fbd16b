"""Where DTR and RTS go on a board, and so how they reset it. Pure: what to set, and how long to wait.

A line that is asserted pulls what it is wired to low.

esp        two transistors behind a USB-serial chip: DTR alone pulls IO0 (boot), RTS alone EN (reset), both do neither
direct     DTR to IO0 and RTS to EN, without transistors (ESP32-CAM-MB): both have to be released
usb-jtag   Espressif's own USB, which acts on the lines as on `esp`, but samples them one by one
dtr        DTR through a capacitor to reset (Arduino): each new assertion resets; there is no way to a boot loader
none       nowhere, as on boards with USB of their own: they are reset by what they run

Source: esptool, reset.py: ClassicReset, USBJTAGSerialReset, HardReset.
"""

from __future__ import annotations

import enum
from typing import NamedTuple


class Wiring(enum.Enum):
    """Where the lines go; AUTO takes `esp` for a USB-serial chip, and `none` for a board with USB of its own."""

    AUTO = "auto"
    ESP = "esp"
    DIRECT = "direct"
    USB_JTAG = "usb-jtag"
    DTR = "dtr"
    NONE = "none"


class Step(NamedTuple):
    """Set both lines, and wait."""

    dtr: bool
    rts: bool
    wait_ms: int


RESET: dict[Wiring, tuple[Step, ...]] = {
    Wiring.ESP: (Step(False, True, 200), Step(False, False, 100), Step(True, True, 0)),
    Wiring.DIRECT: (Step(False, True, 200), Step(False, False, 0)),
    Wiring.USB_JTAG: (Step(False, True, 200), Step(False, False, 200), Step(True, True, 0)),
    Wiring.DTR: (Step(False, False, 200), Step(True, True, 0)),
}
"""How to start the board anew; at the end the lines are as they are while it is served."""

BOOTLOADER: dict[Wiring, tuple[Step, ...]] = {
    Wiring.ESP: (Step(False, True, 100), Step(True, False, 50), Step(False, False, 0), Step(True, True, 0)),
    Wiring.DIRECT: (Step(False, True, 100), Step(True, True, 20), Step(True, False, 50), Step(False, False, 0)),
    Wiring.USB_JTAG: (
        *(Step(False, False, 100), Step(True, False, 100), Step(True, True, 0)),
        *(Step(False, True, 100), Step(False, False, 0), Step(True, True, 0)),
    ),
}
"""How to start its boot loader."""
