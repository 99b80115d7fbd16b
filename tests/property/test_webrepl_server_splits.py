"""However a client's bytes are cut into messages, they mean the same; and no bytes at all make the core raise."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.server_events import (
    ChunkWanted,
    FileComplete,
    FileData,
    GetRequested,
    GivenUp,
    PasswordGiven,
    ProtocolFailed,
    PutRequested,
    TerminalInput,
    VersionWanted,
)
from webrepl_bridge.protocol.webrepl_server import WebReplServer
from webrepl_link.records import GET_FILE, GET_VER, PACED, PUT_FILE, PUT_PART, Request, encode_request

Part = tuple[bool, bytes]  # (is text, bytes)


@dataclass
class Peer:
    """Answers every event at once, from fixed files and fixed faults, and keeps what it saw."""

    password: bytes = b"secret"

    def __post_init__(self) -> None:
        self.server = WebReplServer()
        self.seen: list[tuple[str, bytes]] = []
        self.sent: list[str | bytes] = []
        self.file = b""
        self.broken = False

    def note(self, what: str, data: bytes = b"") -> None:
        """Neighbours of one kind are joined: how data was cut is not what we compare."""
        if self.seen and self.seen[-1][0] == what and what in ("typed", "data"):
            self.seen[-1] = (what, self.seen[-1][1] + data)
        else:
            self.seen.append((what, data))

    def feed(self, is_text: bool, data: bytes) -> None:
        if is_text:
            self.server.receive_text(data.decode("utf-8", "surrogateescape"))
        else:
            self.server.receive_binary(data)
        while (event := self.server.next_event()) is not None:
            self.answer(event)
        self.sent += self.server.messages_to_send()

    def answer(self, event: object) -> None:
        server = self.server
        match event:
            case PasswordGiven(password):
                self.note("password", password)
                server.send_connected() if password == self.password else server.send_denied()
            case TerminalInput(data):
                assert data
                self.note("typed", data)
            case VersionWanted():
                self.note("version")
                server.send_version((1, 2, 3))
            case PutRequested(name, size_bytes):
                self.note(f"put {name} {size_bytes}")
                self.broken = name.startswith("full")
                server.send_reply(30 if name.startswith("no") else 0)
            case FileData(data):
                assert data
                if not self.broken:  # a file that fails at its first data
                    self.note("data", data)
                    server.send_taken()
                else:
                    server.send_reply(28)
            case FileComplete():
                self.note("complete")
                server.send_reply(0)
            case GivenUp():
                self.note("given up")
                server.send_reply(125)
            case GetRequested(name):
                self.note(f"get {name}")
                self.file = name.encode() * 2
                server.send_reply(2 if name.startswith("no") else 0)
            case ChunkWanted():
                self.note("chunk")
                chunk, self.file = self.file[:5], self.file[5:]
                server.send_chunk(chunk) if chunk else server.send_reply(0)
            case ProtocolFailed(reason):
                self.note(f"failed {reason}")
            case _:
                raise AssertionError(event)


names = st.sampled_from([b"a", b"no", b"full", "ä.py".encode(), b"", b"x\0", b"\xff", b"b" * 64])


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    op = draw(st.sampled_from([PUT_FILE, PUT_PART, GET_FILE, GET_VER, 9]))
    name = draw(names)
    size = draw(st.integers(0, 30)) if op in (PUT_FILE, PUT_PART) else 0
    record = encode_request(Request(op, name, size, flags=PACED if op == PUT_PART else 0))
    good_name = name not in (b"", b"x\0", b"\xff")
    if op == PUT_PART and good_name and name != b"no":
        for _ in range(draw(st.integers(0, 5))):
            chunk = draw(st.binary(min_size=1, max_size=10))
            record += bytes([len(chunk), 0]) + chunk
        record += b"\0\0"
    if op == PUT_FILE and good_name and name != b"no":
        record += draw(st.binary(min_size=size, max_size=size))
    if op == GET_FILE and good_name and name != b"no":
        record += bytes(draw(st.sampled_from([0, -(-2 * len(name) // 5) + 1]))) + draw(st.sampled_from([b"", b"\1"]))
    return record


logins = st.sampled_from([b"secret\r", b"secret\n", b"secret\r\n", b"wrong\r", b"\r", b"\r\n\n"])


@st.composite
def conversations(draw: st.DrawFn) -> list[Part]:
    """Parts in order; what is cut later must not change the kind of a byte."""
    parts = [(draw(st.booleans()), draw(logins))]
    for _ in range(draw(st.integers(0, 6))):
        if draw(st.booleans()):
            parts.append((True, draw(st.binary(min_size=1, max_size=20))))
        else:
            parts.append((False, draw(st.one_of(requests(), requests(), requests(), st.binary(max_size=8)))))
    return parts


@st.composite
def cuts(draw: st.DrawFn, parts: list[Part]) -> list[Part]:
    """The same bytes, cut anywhere, and neighbours of one kind joined at will."""
    pieces: list[Part] = []
    for is_text, data in parts:
        at = sorted(draw(st.lists(st.integers(0, len(data)), max_size=5)))
        for start, end in zip([0, *at], [*at, len(data)], strict=True):
            piece = data[start:end]
            if pieces and pieces[-1][0] == is_text and draw(st.booleans()):
                pieces[-1] = (is_text, pieces[-1][1] + piece)
            else:
                pieces.append((is_text, piece))
    return pieces


def run(parts: list[Part]) -> tuple[list[tuple[str, bytes]], list[str | bytes]]:
    peer = Peer()
    for is_text, data in parts:
        peer.feed(is_text, data)
    return peer.seen, peer.sent


@given(st.data())
def test_every_cut_means_the_same(data: st.DataObject) -> None:
    parts = data.draw(conversations())
    one_by_one = [(is_text, bytes([byte])) for is_text, part in parts for byte in part]
    expected = run(parts)
    assert run(one_by_one) == expected
    assert run(data.draw(cuts(parts))) == expected


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=200)), max_size=20), st.booleans())
def test_garbage_never_raises(messages: list[Part], logged_in: bool) -> None:
    peer = Peer()
    if logged_in:
        peer.feed(True, b"secret\r")
    for is_text, data in messages:
        peer.feed(is_text, data)


@given(st.lists(st.binary(min_size=82, max_size=200), max_size=10))
def test_garbage_behind_a_good_signature_never_raises(records: list[bytes]) -> None:
    peer = Peer()
    peer.feed(True, b"secret\r")
    for record in records:
        peer.feed(False, b"WA" + bytes([record[2] % 5]) + record[3:])
