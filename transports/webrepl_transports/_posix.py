"""What only POSIX has: requests on a terminal's file descriptor. Imported where needed, not at the top."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import termios
from pathlib import Path

_VMIN = 6
"""Where `tcgetattr`'s list has the control characters."""
_CFLAG = 2


def has_lines(fd: int) -> bool:
    """Whether the port has DTR and RTS at all; a pty has none."""
    try:
        _get_lines(fd)
    except OSError as error:
        return error.errno not in (errno.ENOTTY, errno.EINVAL)
    return True


def set_lines(fd: int, *, dtr: bool | None, rts: bool | None) -> None:
    """Set DTR and RTS by one request, so that a board never sees one change without the other; None leaves one.

    Raises:
        OSError: ENOTTY or EINVAL for a port without such lines, such as a pty.
    """
    bits = _get_lines(fd)
    for asserted, bit in ((dtr, termios.TIOCM_DTR), (rts, termios.TIOCM_RTS)):
        if asserted is not None:
            bits = bits | bit if asserted else bits & ~bit
    fcntl.ioctl(fd, termios.TIOCMSET, struct.pack("I", bits))


def _get_lines(fd: int) -> int:
    (bits,) = struct.unpack("I", fcntl.ioctl(fd, termios.TIOCMGET, struct.pack("I", 0)))
    return int(bits)


def clear_hupcl(fd: int) -> None:
    """Ask that the last close does not release DTR and RTS; it stays so until the device is unplugged."""
    attributes = termios.tcgetattr(fd)
    attributes[_CFLAG] &= ~termios.HUPCL
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def tell_empty_from_gone(fd: int) -> None:
    """Make an empty read mean the end.

    pySerial sets VMIN to 0, with which a read without data gives no bytes, as it does after a hangup; with
    VMIN 1 a descriptor that does not block says EAGAIN instead.
    """
    attributes = termios.tcgetattr(fd)
    attributes[_VMIN][termios.VMIN] = 1
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


def lock(fd: int) -> None:
    """Refuse further opens, root's excepted; pySerial's flock keeps out only those who ask for it."""
    fcntl.ioctl(fd, termios.TIOCEXCL)


def unlock(fd: int) -> None:
    """Allow opens again: on a pty the refusal would outlive the close."""
    with contextlib.suppress(OSError):
        fcntl.ioctl(fd, termios.TIOCNXCL)


def owner_group(device: str) -> str | None:
    """Name the group that may open `device`; None if its mode lets no group do so, or it cannot be known."""
    import grp

    try:
        status = os.stat(device)
        return grp.getgrgid(status.st_gid).gr_name if status.st_mode & 0o060 == 0o060 else None
    except (OSError, KeyError):
        return None


def holder(device: str) -> str | None:
    """Name a process that has `device` open, as "mpremote (process 4711)"; None where /proc does not tell."""
    try:
        wanted = os.stat(device).st_rdev
    except OSError:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if _has_open(process, wanted):
            name = "this program" if process.name == str(os.getpid()) else _name(process)
            return f"{name} (process {process.name})"
    return None


def _has_open(process: Path, wanted: int) -> bool:
    with contextlib.suppress(OSError):
        for link in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                if os.readlink(link).startswith("/dev/") and os.stat(link).st_rdev == wanted:
                    return True
    return False


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "another program"
