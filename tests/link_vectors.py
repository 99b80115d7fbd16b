"""Plays tests/vectors/link_session.json; `python tests/link_vectors.py` writes it and link_frames.json anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from webrepl_link.codec import decode, encode
from webrepl_link.host import HostLink
from webrepl_link.link import Link

VECTORS = Path(__file__).parent / "vectors"
NUMBERS = {"bridge": 0x1234, "board": 0x0567}
KINDS = {
    0x20: "credit",
    0x21: "control",
    0x22: "text",
    0x24: "part of a binary message",
    0x25: "last part of a binary message",
    0x30: "acknowledgement",
    0x32: "hello",
}

# What each side's owner does, and when: (now_ms, side, calls, which of the frames that it then sends are lost).
STORY: list[tuple[int, str, list[tuple[str, Any]], list[int]]] = [
    (0, "bridge", [], []),
    (5, "board", [], []),
    (10, "bridge", [], []),
    (15, "board", [], []),
    (20, "bridge", [], []),
    (100, "bridge", [("send_text", "1+1\r")], []),
    (103, "board", [("send_text", "1+1\r\n2\r\n>>> ")], []),
    (120, "bridge", [], []),
    (200, "bridge", [("send_binary", "a binary message of 3 parts... " * 24)], [1]),
    (202, "board", [], []),
    (204, "bridge", [], []),
    (206, "board", [], []),
    (235, "bridge", [("send_text", "x"), ("send_control", "\x03")], []),
    (240, "board", [("consumed", [0x25, 744])], []),
    (255, "bridge", [], []),
    (290, "bridge", [("send_text", "lost")], [0]),
    (300, "board", [("restart", 0x0777)], []),
    (305, "bridge", [], []),
    (310, "board", [], []),
    (315, "bridge", [], []),
    (320, "board", [], []),
]


def play(story: list[tuple[int, str, list[tuple[str, Any]], list[int]]]) -> list[dict[str, Any]]:
    """Return what happens, step by step."""
    links: dict[str, Link] = {
        "bridge": HostLink(NUMBERS["bridge"], text_room_bytes=4096, binary_room_bytes=16384, message_bytes_max=0),
        "board": Link(NUMBERS["board"], 1, 256, 1024),
    }
    steps = []
    for now_ms, side, calls, lost in story:
        link = links[side]
        peer = links["board" if side == "bridge" else "bridge"]
        for name, argument in calls:
            if name == "restart":
                links[side] = link = Link(argument, 1, 256, 1024)
            elif name == "consumed":
                link.consumed(*argument)
            else:
                getattr(link, name)(argument.encode("latin-1"))
        sends = []
        arrived = []
        while data := link.data_to_send(now_ms):
            kind = KINDS[data[1]]
            is_lost = len(sends) in lost
            sends.append({"kind": kind, "hex": data.hex()} | ({"lost": True} if is_lost else {}))
            if not is_lost:
                arrived.append(data)
        for data in arrived:
            peer.receive_data(data, now_ms + 1)
        events = []
        while event := peer.next_event():
            kind_number, value = event
            events.append([kind_number, value.hex() if isinstance(value, bytes) else value])
        steps.append(
            {
                "now_ms": now_ms,
                "side": side,
                "calls": [list(call) for call in calls],
                "sends": sends,
                "peer_is_told": events,
            }
        )
    return steps


def frames() -> list[dict[str, Any]]:
    """Return frames with what they are made of, and bytes from the wire with what is found in them."""
    made = []
    for kind, seq, urgent, bulk, payload, seed in (
        (0x32, 0, 0, 0, bytes.fromhex("31ce0a000000010004ff00"), 0),
        (0x22, 0, 0, 0, b"1", 0x1234567),
        (0x25, 255, 254, 1, b"\xa5" * 255, 0x3FFFFFFF),
        (0x30, 0, 7, 200, b"", 1),
        (0x30, 0, 7, 200, b"\x01\x00\x06\x00", 1),
        (0x20, 3, 7, 200, b"\x25\x00\x02", 99),
    ):
        made.append(
            {
                "kind": kind,
                "seq": seq,
                "ack_urgent": urgent,
                "ack_bulk": bulk,
                "payload": payload.hex(),
                "seed": seed,
                "frame": encode(kind, seq, urgent, bulk, payload, seed).hex(),
            }
        )
    good = encode(0x22, 5, 0, 0, b"good", 99)
    flipped = bytes((good[0], good[1], good[2] ^ 4)) + good[3:]
    for data in (b"\r\n>>> " + good, flipped + good, good[:9] + good + bytes(8), b"\xa5" * 3 + good, good[:-1]):
        skipped_bytes, frame_bytes, frame = decode(data, 99)
        made.append(
            {
                "wire": data.hex(),
                "seed": 99,
                "skipped_bytes": skipped_bytes,
                "frame_bytes": frame_bytes,
                "payload": None if frame is None else frame[4].hex(),
            }
        )
    return made


def _write(name: str, items: list[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(item) for item in items)
    (VECTORS / name).write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    _write("link_session.json", play(STORY))
    _write("link_frames.json", frames())
