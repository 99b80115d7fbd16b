"""The golden conversations with webrepl_cli.py, byte for byte over TCP, against the application.

The board behind it is a fake; tests/vectors/README.md says what the recordings are.
"""

from __future__ import annotations

import asyncio
import json
import struct
from pathlib import Path

import pytest

from fake_board import FakeBoard
from serving import serving

VECTORS = Path(__file__).parents[1] / "vectors"
BODY = bytes((i * 73 + i // 256 * 31) & 255 for i in range(700))


def conversation(name: str) -> list[tuple[str, bytes]]:
    steps = json.loads((VECTORS / name).read_text())
    return [(step["from"], bytes.fromhex(step["hex"])) for step in steps]


def split_head(data: bytes) -> tuple[dict[str, str], str, bytes]:
    head, end, rest = data.partition(b"\r\n\r\n")
    assert end, "the head is not complete"
    status, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return headers, status, rest


def frames(data: bytes) -> tuple[str, list[bytes]]:
    """Cut complete frames: text frames joined, binary frames one by one; closes and an incomplete rest left out."""
    text, binary = b"", []
    while len(data) >= 2:
        first_byte, size, head = data[0], data[1], 2
        if size == 126:
            size, head = struct.unpack(">H", data[2:4])[0], 4
        assert size < 65_536, "webrepl_cli.py cannot read a 64-bit length"
        if len(data) < head + size:
            break
        payload, data = data[head : head + size], data[head + size :]
        assert first_byte & 0x80, "webrepl_cli.py cannot read a fragment"
        if first_byte == 0x81:
            text += payload
        elif first_byte == 0x82:
            binary.append(payload)
    return text.decode(), binary


async def replay(name: str, board: FakeBoard) -> tuple[bytes, bytes, bool]:
    """Send the client's bytes as recorded, each when the board's bytes before it have come.

    Returns:
        what the real board sent, what ours sent, and whether ours ended the connection by itself.
    """
    steps = conversation(name)
    recorded, answered = bytearray(), bytearray()

    async with serving(board) as running, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(running.host, running.port)
        try:
            for sender, data in steps:
                if sender == "client":
                    writer.write(data)
                    continue
                recorded += data
                while not covers(bytes(answered), bytes(recorded)):
                    more = await reader.read(65_536)
                    assert more, "the server closed too early"
                    answered += more
            # Whatever else the server has to say, until it has been silent for a while or has closed.
            ended = False
            try:
                async with asyncio.timeout(0.3):
                    while more := await reader.read(65_536):
                        answered += more
                    ended = True
            except TimeoutError:
                pass
        finally:
            writer.transport.abort()
    return bytes(recorded), bytes(answered), ended


def covers(answered: bytes, recorded: bytes) -> bool:
    """Whether the server has said at least as much as the real board had."""
    if b"\r\n\r\n" not in answered:
        return False
    text, binary = frames(split_head(answered)[2])
    recorded_text, recorded_binary = frames(split_head(recorded)[2])
    return text.startswith(recorded_text) and len(binary) >= len(recorded_binary)


def run(name: str, board: FakeBoard) -> tuple[tuple[str, list[bytes]], tuple[str, list[bytes]], bool]:
    recorded, answered, ended = asyncio.run(replay(name, board))
    recorded_headers, recorded_status, recorded_rest = split_head(recorded)
    headers, status, rest = split_head(answered)
    assert status == recorded_status
    for header in ("upgrade", "connection", "sec-websocket-accept"):
        assert headers[header] == recorded_headers[header]
    assert "sec-websocket-extensions" not in headers
    assert "sec-websocket-protocol" not in headers
    return frames(recorded_rest), frames(rest), ended


def fake(files: dict[str, bytes] | None = None) -> FakeBoard:
    board = FakeBoard()
    board.chunk_bytes = 256  # as the firmware's
    board.files = files or {}
    return board


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("cli_put.json", {}),
        ("cli_put_empty.json", {}),
        ("cli_get.json", {"up.bin": BODY}),
        ("cli_get_empty.json", {"empty.bin": b""}),
    ],
)
def test_same_answers_as_a_real_board(name: str, files: dict[str, bytes]) -> None:
    board = fake(files)
    recorded, answered, _ = run(name, board)
    assert answered == recorded
    if name == "cli_put.json":
        assert board.files == {"down.bin": BODY}
    if name == "cli_put_empty.json":
        assert board.files == {"down0.bin": b""}


def test_improvement_a_missing_file_is_answered_with_an_error_code() -> None:
    """A real board raises in its REPL and never answers, and the client hangs."""
    recorded, answered, _ = run("cli_get_missing.json", fake())
    assert answered == (recorded[0], [*recorded[1], b"WB\x02\x00"])


def test_a_wrong_password_is_denied_and_the_connection_ended() -> None:
    recorded, answered, ended = run("cli_bad_password.json", fake())
    assert answered == recorded
    assert ended
