"""What `shim install` writes into a board's boot.py, between two markers, and how it comes out again byte for byte."""

from __future__ import annotations

import re
from dataclasses import dataclass

BEGIN = b"# webrepl-bridge shim: begin"
END = b"# webrepl-bridge shim: end"
NEW_FILE = b" (a new file)"

_BLOCK = re.compile(
    re.escape(BEGIN) + rb"(?P<new>" + re.escape(NEW_FILE) + rb")?\n.*?" + re.escape(END) + rb"\n", re.DOTALL
)
_START = re.compile(rb"^    webrepl_shim\.(start\w*\(.*\))$", re.MULTILINE)


@dataclass(frozen=True)
class UartStart:
    """On which UART the shim starts.

    Attributes:
        uart: its number.
        baud: its speed.
        tx, rx: its pins, by number or name; None: the port's own.
    """

    uart: int
    baud: int
    tx: str | None = None
    rx: str | None = None

    @property
    def call(self) -> str:
        """The call that starts it."""
        pins = "".join(
            f", {name}={_literal(pin)}" for name, pin in (("tx", self.tx), ("rx", self.rx)) if pin is not None
        )
        return f"start_uart({self.uart}, {self.baud}{pins})"


def _literal(pin: str) -> str:
    return str(int(pin)) if pin.isdecimal() else ascii(pin)


def with_start(boot: bytes | None, start: UartStart) -> bytes:
    """Return a boot.py that starts the shim, before everything else that it does: whatever fails there, the shim is up.

    Args:
        boot: what there is; None if there is no such file.
        start: what to start.
    """
    rest = without_start(boot) if boot is not None else None
    lines = [
        BEGIN + (NEW_FILE if rest is None else b""),
        b"try:",
        b"    import webrepl_shim",
        b"",
        b"    webrepl_shim." + start.call.encode(),
        b"except Exception as error:",
        b'    print("webrepl_shim:", error)',
        END,
        b"",
    ]
    return b"\n".join(lines) + (rest or b"")


def without_start(boot: bytes) -> bytes | None:
    """Return boot.py as it was before `with_start`; None if it was not there."""
    match = _BLOCK.search(boot)
    if match is None:
        return boot
    rest = boot[: match.start()] + boot[match.end() :]
    return rest if rest or not match["new"] else None


def start_in(boot: bytes | None) -> str | None:
    """Return the call between the markers; None if there are none."""
    match = _BLOCK.search(boot or b"")
    call = match and _START.search(match[0])
    return call[1].decode() if call else None
