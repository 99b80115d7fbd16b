"""One line that says what to do, for each way in which opening a serial port fails."""

from __future__ import annotations

import errno
import os

from webrepl_link.errors import OpenError
from webrepl_transports.address import COMMON_BAUDS, SerialAddress
from webrepl_transports.ports import list_ports

_NO_SUCH = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR})
_BUSY = frozenset({errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK, errno.ETXTBSY})
_NO_TERMINAL = frozenset({errno.ENOTTY, errno.EINVAL, errno.EISDIR, errno.ENOTSUP})

_USUAL_HOLDERS = "ModemManager, Thonny, another terminal or another bridge often does"


def explain(address: SerialAddress, device: str, error: Exception, *, windows: bool = os.name == "nt") -> OpenError:
    """Make the error to raise from what pySerial or the system raised.

    Args:
        address: what was asked for.
        device: what it stands for: a device, or a pySerial URL.
        error: what was raised.
        windows: whether `error` comes from pySerial's Windows backend, which gives no errno.
    """
    code = _errno_of(error, windows=windows)
    if "://" in device:
        return OpenError(f"cannot open {device}: {_one_line(error)}")
    if code in _NO_SUCH:
        return OpenError(f"there is no port {device}: {_what_there_is()}")
    if code in (errno.EACCES, errno.EPERM):
        return OpenError(f"no permission to open {device}: {_how_to_get_permission(device)}")
    if code in _BUSY:
        return OpenError(f"{device} is in use: {_who_holds(device)}")
    if code in _NO_TERMINAL:
        return OpenError(f"{device} is not a serial port: {_what_there_is()}")
    if isinstance(error, ValueError) and "baud" in str(error):
        bauds = ", ".join(str(baud) for baud in COMMON_BAUDS)
        return OpenError(f"{device} cannot do {address.options.baud} baud: use the board's rate, mostly one of {bauds}")
    if code == errno.EIO:
        return OpenError(f"{device} does not answer: nothing is behind it, or unplug the board and plug it in again")
    return OpenError(f"cannot open {device}: {_one_line(error)}")


def _errno_of(error: Exception, *, windows: bool) -> int | None:
    if windows and isinstance(error, OSError):
        # pySerial formats the system's error into its own: "could not open port 'COM3':
        # FileNotFoundError(...)".
        text = str(error)
        if "FileNotFoundError" in text:
            return errno.ENOENT
        if "PermissionError" in text:  # Windows has no permissions on ports: a second open is denied
            return errno.EBUSY
    return _number(error) or _number(error.__context__)


def _number(error: BaseException | None) -> int | None:
    """Give the errno of an OSError, or of a `termios.error`, which keeps it in its arguments."""
    number = getattr(error, "errno", None) or (error.args[0] if error is not None and error.args else None)
    return number if isinstance(number, int) else None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _what_there_is() -> str:
    ports = list_ports()
    named = [port for port in ports if port.usb_id] or ports
    if not named:
        return "this computer has no serial port now; plug the board in, with a cable that carries data"
    return "there are " + ", ".join(str(port) for port in named)


def _how_to_get_permission(device: str) -> str:
    if os.name == "posix":
        from webrepl_transports import _posix

        if group := _posix.owner_group(device):
            return f"run 'sudo usermod -aG {group} $USER', then log out and in again"
    return "its mode lets only its owner open it; run as that user, or add a udev rule for the board"


def _who_holds(device: str) -> str:
    if os.name == "posix":
        from webrepl_transports import _posix

        if holder := _posix.holder(device):
            return f"{holder} has it open; close that first"
    return f"close the program that has it open; {_USUAL_HOLDERS}"
