"""`webrepl-bridge repl` and `cp` on a terminal of their own, as a person has them."""

from __future__ import annotations

import os
import pty
import random
import select
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from client_kit import way

TIMEOUT_S = 30


class Person:
    """Sits at the terminal that the command runs in."""

    def __init__(self, process: subprocess.Popen[bytes], terminal: int, sees: int) -> None:
        self.process = process
        self.terminal = terminal
        self._sees = sees
        self._seen = b""

    def types(self, keys: bytes) -> None:
        os.write(self._sees, keys)

    def sees(self, text: bytes) -> None:
        while text not in self._seen:
            assert select.select([self._sees], [], [], TIMEOUT_S)[0], self._seen
            self._seen += os.read(self._sees, 4096)
        self._seen = self._seen.partition(text)[2]

    def mode(self) -> list[Any]:
        return termios.tcgetattr(self.terminal)


@contextmanager
def at_repl(*options: str) -> Iterator[Person]:
    with at_terminal("repl", *options) as (person, before):
        yield person
        assert person.process.wait(TIMEOUT_S) == 0
        assert termios.tcgetattr(person.terminal) == before


@contextmanager
def at_terminal(*arguments: str) -> Iterator[tuple[Person, list[Any]]]:
    """Run the command at a terminal; yields how that was before, too."""
    sees, terminal = pty.openpty()
    try:
        before = termios.tcgetattr(terminal)
        with subprocess.Popen(
            [sys.executable, "-m", "webrepl_bridge", *arguments], stdin=terminal, stdout=terminal, stderr=terminal
        ) as process:
            try:
                yield Person(process, terminal, sees), before
            finally:
                process.kill()
    finally:
        os.close(sees)
        os.close(terminal)


@pytest.mark.parametrize("kind", ["bridge", "serial", "webrepl"])
def test_a_person_at_the_prompt(kind: str, tmp_path: Path) -> None:
    with way(kind, tmp_path) as there, at_repl(*there.options) as person:
        person.sees(b"Ctrl-] leaves\r\n")
        person.sees(b">>> ")
        assert not person.mode()[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
        person.types(b"6*7\r")
        person.sees(b"6*7\r\n42\r\n>>> ")
        person.types(b"while True: pass\r\r")
        person.sees(b"pass\r\n... \r\n")
        person.types(b"\x03")
        person.sees(b"KeyboardInterrupt")
        person.sees(b">>> ")
        person.types(b"\x1b[A")
        person.sees(b"while True: pass")
        person.types(b"\x03\x1d")


def test_who_leaves_in_raw_mode_leaves_a_prompt(tmp_path: Path) -> None:
    with way("serial", tmp_path) as there:
        with at_repl(*there.options) as person:
            person.sees(b">>> ")
            person.types(b"\x01")
            person.sees(b"raw REPL; CTRL-B to exit\r\n>")
            person.types(b"\x1d")
        with at_repl(*there.options) as person:
            person.sees(b">>> ")
            person.types(b"6*7\r")
            person.sees(b"42\r\n>>> ")
            person.types(b"\x1d")


def test_keys_from_a_pipe(tmp_path: Path) -> None:
    with way("serial", tmp_path) as there:
        done = subprocess.run(
            [sys.executable, "-m", "webrepl_bridge", "repl", *there.options],
            input=b"print(6*7)\r",
            capture_output=True,
            timeout=TIMEOUT_S,
        )
    assert done.returncode == 0


def test_a_board_that_goes_away(tmp_path: Path) -> None:
    opened = way("bridge", tmp_path)
    there = opened.__enter__()
    sees, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "webrepl_bridge", "repl", *there.options],
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        person = Person(process, terminal, sees)  # type: ignore[arg-type]
        person.sees(b">>> ")
        opened.__exit__(None, None, None)
        assert process.wait(TIMEOUT_S) == 3
        assert process.stderr is not None
        assert "the bridge is stopping" in process.stderr.read()
    os.close(sees)
    os.close(terminal)


@pytest.mark.parametrize("kind", ["bridge", "serial"])
def test_a_copy_that_is_interrupted_goes_on_when_it_is_copied_again(kind: str, tmp_path: Path) -> None:
    content = random.Random(1).randbytes(8_000_000)
    (tmp_path / "big").write_bytes(content)
    with way(kind, tmp_path / "board") as there:
        cp = ("cp", *there.options, str(tmp_path / "big"), ":/")
        with at_terminal(*cp) as (person, _):
            person.sees(b"big")
            person.sees(b"MB/s")
            person.process.send_signal(signal.SIGINT)
            assert person.process.wait(TIMEOUT_S) == 130
        assert [path.name for path in there.folder.iterdir()] == ["big~"]
        begun_bytes = (there.folder / "big~").stat().st_size
        assert 0 < begun_bytes < len(content)
        there.run("cp", str(tmp_path / "big"), ":/")
        assert (there.folder / "big").read_bytes() == content
