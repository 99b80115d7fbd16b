"""DTR, RTS and what a port's opening and closing do to a board.

Where the two lines go:

* ESP32 and ESP8266 boards with two transistors behind a USB-serial chip: DTR asserted alone pulls IO0 low
  (the boot pin), RTS asserted alone pulls EN low (reset); both in the same state do neither.
* Espressif's own USB-Serial-JTAG: the same, acted on by the chip. RTS alone resets it.
* The cheapest ESP boards (ESP32-CAM-MB and the like): DTR and RTS go straight to IO0 and EN, or the other way
  round; the board runs only while both are released.
* RP2, STM32, SAMD and other boards with USB of their own: no wires. DTR means that somebody listens:
  without it the board drops its output, and while it is set without a reader, output waits.
* Arduino Uno and the like: DTR goes through a capacitor to reset; each new assertion resets.

What the operating system does by itself: Linux and macOS assert both lines together when a port is opened,
and release both together when it is closed if the terminal's HUPCL flag is set, as it is by default.
Windows does what it is told when the port is opened, and releases DTR before RTS when it is closed, which
is the reset of the table.

What we do:

* KEEP: the lines stay asserted together as the operating system left them. For USB-serial chips HUPCL is
  cleared, so the close releases nothing and the next open has no edge to make. It is left alone for a
  board's own USB, which would otherwise believe that somebody still listens. On Windows the port opens
  with both released, then DTR and then RTS is asserted, and before the close RTS and then DTR is released:
  RTS is never asserted alone.
* NEVER: no request by us. On Linux and macOS the operating system's own remain; on Windows both stay
  released.
* RELEASE: both released by one request as soon as the port is open. On Linux and macOS the operating
  system has asserted them for some milliseconds by then.
* HARD: DTR released with RTS asserted for 0.2 s, both released for 0.1 s, then as KEEP. Boards without
  that wiring do not notice.

Tried on pseudo terminals and with recorded requests only: which levels real drivers and boards see, and
all of Windows, follow esptool's and mpremote's source (esptool/reset.py, mpremote/transport_serial.py).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from webrepl_transports.address import ResetOnOpen

if TYPE_CHECKING:
    import serial

WINDOWS = os.name == "nt"

_HOOKS = ("_update_dtr_state", "_update_rts_state")
"""How every pySerial backend but Windows' sends the lines' states, when it opens and later."""


def before_open(port: serial.SerialBase, mode: ResetOnOpen) -> None:
    """Prepare a port that is not open yet."""
    if WINDOWS:
        port.dtr = port.rts = False
    elif mode is not ResetOnOpen.KEEP:
        for hook in _HOOKS:
            setattr(port, hook, _nothing)


def after_open(port: serial.SerialBase, mode: ResetOnOpen, *, own_usb: bool) -> None:
    """Bring the lines where `mode` wants them; a hard reset is to follow, see `control.hard_reset`.

    Args:
        port: the open port.
        mode: what to do.
        own_usb: whether the port is a board's own USB rather than a chip with wires.

    Raises:
        OSError: the port has no such lines, or has vanished.
    """
    if not WINDOWS and mode is not ResetOnOpen.KEEP:
        for hook in _HOOKS:
            delattr(port, hook)
    if mode is ResetOnOpen.NEVER:
        return
    if mode is ResetOnOpen.RELEASE:
        set_lines(port, dtr=False, rts=False)
        return
    if WINDOWS and mode is ResetOnOpen.KEEP:
        set_lines(port, dtr=True, rts=True)
    if not own_usb:
        _hold_lines_after_close(port)


def before_close(port: serial.SerialBase, mode: ResetOnOpen) -> None:
    """On Windows release the lines in the order that does not reset; elsewhere nothing."""
    if WINDOWS and mode is not ResetOnOpen.NEVER:
        port.rts = False
        port.dtr = False


def _nothing() -> None:
    pass


def set_lines(port: serial.SerialBase, *, dtr: bool | None = None, rts: bool | None = None) -> None:
    """Set the lines, by one request where that can be had, else in the order that does not reset.

    Args:
        port: the open port.
        dtr: whether to assert it; None leaves it as it is.
        rts: the same.

    Raises:
        OSError: the port has no such lines, or has vanished.
    """
    if has_descriptor(port):
        from webrepl_transports import _posix

        _posix.set_lines(port.fileno(), dtr=dtr, rts=rts)
        return
    wanted = [(name, value) for name, value in (("dtr", dtr), ("rts", rts)) if value is not None]
    for name, value in wanted if dtr or rts else reversed(wanted):
        setattr(port, name, value)


def _hold_lines_after_close(port: serial.SerialBase) -> None:
    if has_descriptor(port):
        from webrepl_transports import _posix

        _posix.clear_hupcl(port.fileno())


def has_descriptor(port: serial.SerialBase) -> bool:
    """Whether `port` is the operating system's own serial port, with a terminal's file descriptor."""
    import serial

    return os.name == "posix" and isinstance(port, serial.Serial)
