"""The golden conversation at the terminal, byte for byte, through the whole bridge to a real MicroPython."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

from unit.test_vectors_replayed import conversation, frames, split_head

if TYPE_CHECKING:
    from clients.conftest import Bridge

TIMEOUT_S = 30
_BANNER = re.compile(r"MicroPython [^\n]*\n")


def text_in(data: bytes) -> str:
    """The text of the frames after the handshake, without what differs: the board's version, its line ends."""
    text, binary = frames(split_head(data)[2])
    assert not binary
    return _BANNER.sub("MicroPython\n", text.replace("\r\n", "\n"))


def test_the_terminal_conversation(bridge: Bridge) -> None:
    recorded = answered = b""
    with socket.create_connection((bridge.host, bridge.port), TIMEOUT_S) as connection:
        for sender, data in conversation("terminal.json"):
            if sender == "board":
                recorded += data
                continue
            while recorded and (b"\r\n\r\n" not in answered or len(text_in(answered)) < len(text_in(recorded))):
                more = connection.recv(65_536)
                assert more
                answered += more
            connection.sendall(data)
        while len(text_in(answered)) < len(text_in(recorded)):
            answered += connection.recv(65_536)
    assert text_in(answered) == text_in(recorded)
