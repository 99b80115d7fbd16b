"""The shim's port on a stream that is no UART."""

from __future__ import annotations

import importlib.util
import io
from pathlib import Path
from types import ModuleType

SOURCE = Path(__file__).parents[3] / "firmware_shim" / "webrepl_shim" / "ports.py"


def _ports() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ports", SOURCE)  # the package itself is for boards only
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Quiet(io.RawIOBase):
    """A stream that says None when there is nothing."""

    def __init__(self) -> None:
        self.coming = [b"ab", None, b"c" * 600]
        self.written = b""

    def readinto(self, buffer: bytearray) -> int | None:  # type: ignore[override]
        if not self.coming or self.coming[0] is None:
            self.coming = self.coming[1:]
            return None
        piece = self.coming[0][: len(buffer)]
        self.coming[0] = self.coming[0][len(buffer) :]
        if not self.coming[0]:
            self.coming.pop(0)
        buffer[: len(piece)] = piece
        return len(piece)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.written += data[:3]
        return min(3, len(data))


def test_a_stream_without_any() -> None:
    stream = Quiet()
    port = _ports().Port(stream)
    assert port.any() == port.any() == 2
    assert port.read(2) == b"ab"
    assert port.any() == 0
    received = b""
    while count := port.any():
        received += port.read(count)
    assert received == b"c" * 600
    assert port.write(b"12345") == 3
    assert stream.written == b"123"
