"""PyPI: Thonny's back-end, the process that its window starts for a board.

It runs everything in paste mode, with line feeds, and its helpers print values that end no line.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import thonny.common
from thonny.common import ImmediateCommand, InlineCommand, ToplevelCommand, parse_message, serialize_message

from clients import thonny_back_end
from clients.running import TIMEOUT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clients.conftest import Bridge


class Thonny:
    """What Thonny's window does with its back-end."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self._next_line().strip() == thonny.common.PROCESS_ACK
        self.shown = ""

    def execute(self, source: str) -> str:
        """Run a line of the shell; returns what it printed."""
        return self.started(source) + self.ended()

    def started(self, source: str, until: str = "") -> str:
        """Start a line of the shell; returns what it printed up to and with `until`."""
        self.shown = ""
        self._send(ToplevelCommand("execute_source", source=source))
        while until not in self.shown:
            self._take()
        shown, self.shown = self.shown, ""
        return shown

    def ended(self) -> str:
        """Wait until the prompt is back; returns what was printed."""
        self.until("ToplevelResponse")
        return self.shown

    def ask(self, command: str, **arguments: object) -> Any:
        """Have a command of the file manager or the editor carried out; returns its answer."""
        self._send(InlineCommand(command, id=command, **arguments))
        answer = self.until(f"{command}_response")
        assert not answer.get("error"), answer
        return answer

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._send(ImmediateCommand("interrupt"))

    def until(self, event_type: str) -> Any:
        """Wait for a message."""
        while (message := self._take()).event_type != event_type:
            pass
        return message

    def close(self) -> None:
        """End the back-end."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _send(self, command: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(serialize_message(command) + "\n")
        self._process.stdin.flush()

    def _take(self) -> Any:
        line = self._next_line()
        assert line.startswith(thonny.common.MESSAGE_MARKER), line + "".join(self._said.queue)
        message = parse_message(line)
        if message.event_type == "ProgramOutput":
            self.shown += message.data
        return message

    def _next_line(self) -> str:
        try:
            return self._said.get(timeout=TIMEOUT_S)
        except queue.Empty:
            pytest.fail(f"Thonny says nothing more; the shell shows {self.shown!r}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(line)


@contextmanager
def open_thonny(bridge: Bridge, folder: Path) -> Iterator[Thonny]:
    """Have Thonny's back-end attached to the bridge until the block ends."""
    # As thonny/plugins/micropython/mp_front.py and thonny/running.py start it, with the default options.
    options = {
        **{"clean": False, "port": "webrepl", "url": bridge.url, "password": bridge.password},
        **{"submit_mode": None, "write_block_size": None, "write_block_delay": None},
        **{"proxy_class": "GenericMicroPythonProxy", "interrupt_on_connect": True},
        **{"sync_time": False, "validate_time": False, "local_rtc": False},
    }
    environment = {
        **os.environ,
        **{"THONNY_USER_DIR": str(folder), "THONNY_VERSION": "5", "THONNY_FRONTEND_SYS_PATH": repr(sys.path)},
    }
    process = subprocess.Popen(
        [sys.executable, "-u", "-B", thonny_back_end.__file__, repr(options)],
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT},
        env=environment,
        encoding="utf-8",
    )
    with process:
        board = Thonny(process)
        try:
            board.until("ToplevelResponse")
            yield board
        finally:
            board.close()


@pytest.fixture
def board(bridge: Bridge, tmp_path: Path) -> Iterator[Thonny]:
    with open_thonny(bridge, tmp_path) as board:
        yield board


def test_the_shell(board: Thonny) -> None:
    assert "]42[" in board.execute("6 * 7")
    assert board.execute("for n in range(3):\n    print('grün', n)\n") == "grün 0\r\ngrün 1\r\ngrün 2\r\n"
    failure = board.execute("1/0")
    assert "ZeroDivisionError: divide by zero" in failure


def test_a_program_is_interrupted(board: Thonny) -> None:
    board.started("while True: print('running')", until="running")
    board.interrupt()
    assert "KeyboardInterrupt" in board.ended()
    assert "]2[" in board.execute("1 + 1")


def test_files(board: Thonny, bridge: Bridge) -> None:
    content = "".join(f"print('grün', {n})\r\n" for n in range(300)).encode() + bytes(range(256))
    board.ask("write_file", path="/main.bin", content_bytes=content, make_shebang_scripts_executable=False)
    assert (bridge.folder / "main.bin").read_bytes() == content
    assert board.ask("read_file", path="/main.bin").content_bytes == content
    listing = board.ask("get_dirs_children_info", node_id="/", paths={"/"}, include_hidden=True)
    assert listing.data["/"]["main.bin"]["size"] == len(content)
