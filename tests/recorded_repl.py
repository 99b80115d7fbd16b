"""The recorded REPL conversations; vectors/README.md says what they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

BOARDS = ("unix", "pico", "microbit", "circuitpython")


@dataclass(frozen=True)
class Exchange:
    """What was typed, and what the board said to it."""

    step: str
    sent: bytes
    received: bytes


def conversation(board: str) -> list[Exchange]:
    file = Path(__file__).parent / "vectors" / f"repl_{board}.json"
    return [
        Exchange(step["step"], step["sent"].encode("latin-1"), step["received"].encode("latin-1"))
        for step in json.loads(file.read_text())
    ]
