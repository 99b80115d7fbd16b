"""Record what a real board's REPL answers to a fixed sequence of keys; see ../vectors/README.md.

cd tests && python -m board_kit.record_repl pico vectors/repl_pico.json
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import serial

from .microbit import run_microbit
from .pico import PicoKind, run_pico
from .unix_vm import unix_vm

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUIET_S = 0.5

STEPS: list[tuple[str, bytes]] = [
    ("Ctrl-B for the banner", b"\x02"),
    ("Enter alone", b"\r"),
    ("an expression", b"1+1\r"),
    ("an error", b"1/0\r"),
    ("half a line", b"pri"),
    ("completion of one", b"nt\t"),
    ("Ctrl-C drops the line", b"\x03"),
    ("an import", b"import sys\r"),
    ("letters to complete", b"len(sys.std)\x1b[D"),
    ("completion of several", b"\t"),
    ("going on after the list", b"out"),
    ("Ctrl-U", b"\x05\x15"),
    ("letters again", b"abcd"),
    ("cursor left", b"\x1b[D\x1b[D"),
    ("a letter in the middle", b"X"),
    ("rubout in the middle", b"\x7f"),
    ("Ctrl-A goes home", b"\x01"),
    ("delete", b"\x04"),
    ("Ctrl-E goes to the end", b"\x05"),
    ("Ctrl-B goes left or ends", b"\x02"),
    ("Ctrl-C after moving", b"\x03"),
    ("history", b"\x1b[A"),
    ("more history", b"\x1b[A"),
    ("back in history", b"\x1b[B"),
    ("history line entered", b"\r"),
    ("a block", b"for i in range(2):\r"),
    ("a blank is rubbed out", b"\x7f"),
    ("its first line", b"\tprint(i)\r"),
    ("letters in the block", b"sys.std"),
    ("completion of several in the block", b"\t"),
    ("Ctrl-U in the block", b"\x15"),
    ("the block ends", b"\r\r\r"),
    ("another block", b"if 1:\r"),
    ("Ctrl-C ends the block", b"\x03"),
    ("Ctrl-D in a block", b"if 1:\r\x04"),
    ("away from there", b"\x03"),
    ("Ctrl-D runs the block", b"if 1:\rprint(7)\r\x7f\x04"),
    ("a string over lines", b"s='''\r"),
    ("its second line", b"t'''\r"),
    ("non-ASCII", "'\u00e9\u20ac'".encode()),
    ("away from it", b"\x03"),
    ("paste mode", b"\x05"),
    ("pasted", "a=1\rb='\u00e9'".encode()),
    ("paste ends", b"\x04"),
    ("paste mode again", b"\x05"),
    ("pasted again", b"a=2\r"),
    ("paste dropped", b"\x03"),
    ("raw", b"\x01"),
    ("raw program", b"print(a)\x04"),
    ("raw error", b"1/0\x04"),
    ("raw dropped", b"foo\x03"),
    ("raw again", b"bar\x01"),
    ("raw-paste asked", b"\x05A\x01"),
    ("raw-paste code", b"print('OK')"),
    ("raw-paste end", b"\x04"),
    ("raw-paste asked again", b"\x05A\x01"),
    ("raw-paste syntax error", b"x==!1\n"),
    ("raw-paste end of a bad one", b"zzz\x04"),
    ("raw soft reset", b"\x04"),
    ("raw program that prints prompts", b"print('\\n>>> \\n... \\n=== \\nOK')\x04"),
    ("raw left", b"\x02"),
    ("program that prints prompts", b"print('... \\n=== \\nOK\\x04')\r"),
    ("type-ahead", b"sum(range(30000))\r1+2\r"),
    ("input() asks", b"n=input('n? ')\r"),
    ("input() answered", b"Bob\r"),
    ("a program", b"while 1: pass\r\r"),
    ("typed at it", b"ab\r"),
    ("Ctrl-C interrupts", b"\x03"),
    ("what was typed at it", b"\x03"),
    ("soft reset", b"\x04"),
]


@contextmanager
def _unix() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, unix_vm(Path(folder)) as vm:
        yield vm.device


@contextmanager
def _pico() -> Iterator[str]:
    with run_pico(PicoKind("uart", lossy=True)) as pico:
        yield pico.uart0_url


BOARDS: dict[str, Callable[[], AbstractContextManager[str]]] = {"unix": _unix, "pico": _pico, "microbit": run_microbit}


def record(url: str) -> Iterator[dict[str, str]]:
    """Type every step at the board at `url`; yields what was typed and what came, each character a byte."""
    with serial.serial_for_url(url, baudrate=115200, timeout=QUIET_S) as port:
        time.sleep(1)
        for name, keys in STEPS:
            port.write(keys)
            received = b""
            while piece := port.read(4096):
                received += piece
            yield {"step": name, "sent": keys.decode("latin-1"), "received": received.decode("latin-1")}


def main() -> None:
    """Record one board into one file."""
    board, file = sys.argv[1:]
    with BOARDS[board]() as url:
        steps = list(record(url))
    Path(file).write_text("[\n" + ",\n".join(json.dumps(step) for step in steps) + "\n]\n")


if __name__ == "__main__":
    main()
