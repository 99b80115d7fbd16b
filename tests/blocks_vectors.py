"""Plays tests/vectors/spi_blocks.json; `python tests/blocks_vectors.py` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from webrepl_link.blocks import Blocks

FILE = Path(__file__).parent / "vectors" / "spi_blocks.json"
BLOCK_BYTES = 32
SIDES = ("controller", "peripheral")

# Exchange by exchange: what each owner gives to be sent, or whether it has room; what happens on the wires.
STORY: list[tuple[dict[str, str | bool], str]] = [
    ({"controller": "too early"}, ""),
    ({}, ""),
    ({"controller": "1+1\r", "peripheral": ">>> "}, ""),
    ({"controller": "a text that two blocks carry"}, ""),
    ({}, ""),
    ({"peripheral": "damaged"}, "bit 60 to the controller is wrong"),
    ({"peripheral": "good"}, ""),
    ({"peripheral": "again"}, "the controller misses a clock"),
    ({}, ""),
    ({"peripheral": "one bit late"}, ""),
    ({}, ""),
    ({"peripheral": False, "controller": "waits"}, ""),
    ({}, ""),
    ({"peripheral": True}, ""),
    ({}, ""),
]


def play() -> list[dict[str, Any]]:
    """Return what happens, exchange by exchange."""
    sides = {name: Blocks(BLOCK_BYTES) for name in SIDES}
    steps = []
    wire = 1  # and behind it all bits that the peripheral has sent
    late_bits = 0
    for owner, fault in STORY:
        for name, act in owner.items():
            if isinstance(act, bool):
                sides[name].has_room = act
            else:
                sides[name].send(act.encode())
        sent = {name: sides[name].block_to_send() for name in SIDES}
        late_bits += fault == "the controller misses a clock"
        wire = wire << 8 * BLOCK_BYTES | int.from_bytes(sent["peripheral"], "big")
        came = wire >> late_bits & (1 << 8 * BLOCK_BYTES) - 1
        if fault.startswith("bit 60"):
            came ^= 1 << 8 * BLOCK_BYTES - 1 - 60
        read = {"controller": came.to_bytes(BLOCK_BYTES, "big"), "peripheral": sent["controller"]}
        received = {name: sides[name].receive_block(read[name]).decode() for name in SIDES}
        step: dict[str, Any] = {"owners": owner}
        if fault:
            step["fault"] = fault
        for name in SIDES:
            step[name] = {"sends": sent[name].hex(), "reads": read[name].hex(), "receives": received[name]}
        step["controller"]["pause_ms"] = sides["controller"].pause_ms
        steps.append(step)
    return steps


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(step) for step in play())
    FILE.write_text(f"[\n{lines}\n]\n")
