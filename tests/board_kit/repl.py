"""The few REPL moves that the fixtures and the smoke tests need, over plain pySerial."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import serial

PROMPT = b"\r\n>>> "


class Repl:
    """A friendly REPL at the other end of a pySerial port; for code of a line or two, typed in step with its echo."""

    def __init__(self, port: serial.SerialBase) -> None:
        self.port = port

    def expect(self, end: bytes) -> bytes:
        """Return what the board sends up to and with `end`; fail when it does not come."""
        received = bytes(self.port.read_until(end))
        if not received.endswith(end):
            raise AssertionError(f"the board sent {received[-400:]!r} and then not {end!r}")
        return received

    def to_prompt(self) -> None:
        """Bring the board to a fresh friendly prompt, whatever it was doing."""
        self.port.write(b"\r\x03\x03")
        self.soft_reset()

    def soft_reset(self) -> None:
        """Restart the interpreter out of raw REPL, where main.py does not run, and leave at a friendly prompt."""
        self.port.write(b"\x01")
        self.expect(b"raw REPL; CTRL-B to exit\r\n>")
        self.port.write(b"\x04")
        self.expect(b"raw REPL; CTRL-B to exit\r\n>")
        self.port.write(b"\x02")
        self.expect(PROMPT)

    def evaluate(self, expression: str) -> str:
        """Return what the REPL prints for a line of at most 200 ASCII characters."""
        line = expression.encode() + b"\r"
        self.port.write(line)
        self.expect(line + b"\n")
        return self.expect(b">>> ")[: -len(b">>> ")].decode().strip()


@contextmanager
def open_repl(url: str, *, timeout_s: float = 20) -> Iterator[Repl]:
    """Open a board's port, a device or a pySerial URL, at 115200 baud."""
    with serial.serial_for_url(url, baudrate=115200, timeout=timeout_s) as port:
        yield Repl(port)
