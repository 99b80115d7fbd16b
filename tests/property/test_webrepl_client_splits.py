"""The client core takes a board's answers however they are cut, and garbage without raising."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.server_events import (
    ChunkWanted,
    FileComplete,
    FileData,
    GetRequested,
    PasswordGiven,
    PutRequested,
    VersionWanted,
)
from webrepl_bridge.protocol.webrepl_client import ChunkTold, Ended, Opened, OutOfStep, VersionTold, WebReplClient
from webrepl_bridge.protocol.webrepl_server import WebReplServer
from webrepl_link.errors import LocalProtocolError
from webrepl_link.records import encode_reply

CHUNKS = [b"abc", b"", b"\0\0", b"WB\0\0", b"x" * 300]


def cut(data: bytes, ends: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(end for end in ends if end < len(data))})
    return [data[start:end] for start, end in itertools.pairwise(places)]


def ask(client: WebReplClient, what: str) -> None:
    match what:
        case "version":
            client.ask_version()
        case "put":
            client.ask_put(b"name", 3)
        case "get":
            client.ask_get(b"name")


@given(st.lists(st.integers(0, 700)))
def test_every_split_of_the_answers_means_the_same(ends: list[int]) -> None:
    chunks = [chunk for chunk in CHUNKS if chunk]
    get = encode_reply(0) + b"".join(len(c).to_bytes(2, "little") + c for c in (*chunks, b"")) + encode_reply(5)
    client = WebReplClient()
    client.ask_get(b"name")
    for piece in cut(get, ends):
        client.receive_binary(piece)
    events = []
    while (event := client.next_event()) is not None:
        events.append(event)
    assert events == [Opened(), *(ChunkTold(chunk) for chunk in chunks), Ended(5)]
    client.ask_version()
    for piece in cut(b"\x01\x19\x02", ends):
        client.receive_binary(piece)
    assert client.next_event() == VersionTold((1, 25, 2))


@given(st.sampled_from(["nothing", "version", "put", "get"]), st.lists(st.binary(max_size=20)))
def test_garbage_does_not_raise(what: str, messages: list[bytes]) -> None:
    client = WebReplClient()
    ask(client, what)
    outs = 0
    for message in messages:
        client.receive_binary(message)
        while (event := client.next_event()) is not None:
            outs += isinstance(event, OutOfStep)
            if event == Opened() and what == "put":
                try:
                    client.send_data(b"abc")
                except LocalProtocolError:
                    assert isinstance(client.next_event(), OutOfStep)  # an answer came too early
                    outs += 1
        client.abandon()
        client.messages_to_send()
    assert outs <= 1


@given(st.binary(max_size=3000), st.integers(1, 700), st.lists(st.integers(0, 3000)))
def test_the_two_cores_understand_each_other(content: bytes, chunk_bytes: int, ends: list[int]) -> None:
    server, client = WebReplServer(), WebReplClient()
    server.receive_text("x\r")
    assert server.next_event() == PasswordGiven(b"x")
    server.send_connected()
    server.messages_to_send()
    stored = bytearray()
    told = bytearray()
    at = 0

    def exchange() -> object:
        """Pass messages on until the client has something to say; the server's part is played here."""
        nonlocal at
        while True:
            if (event := client.next_event()) is not None:
                return event
            sent = client.messages_to_send()
            for message in sent:
                for piece in cut(message, ends):
                    server.receive_binary(piece)
            while (wanted := server.next_event()) is not None:
                match wanted:
                    case PutRequested() | GetRequested() | FileComplete():
                        server.send_reply(0)
                    case FileData(data):
                        stored.extend(data)
                    case VersionWanted():
                        server.send_version((1, 2, 3))
                    case ChunkWanted():
                        chunk = content[at : at + chunk_bytes]
                        at += len(chunk)
                        if chunk:
                            server.send_chunk(chunk)
                        else:
                            server.send_reply(0)
                    case _:
                        raise AssertionError(wanted)
            answers = b"".join(message for message in server.messages_to_send() if isinstance(message, bytes))
            assert sent or answers
            for piece in cut(answers, ends):
                client.receive_binary(piece)

    client.ask_put(b"name", len(content))
    assert exchange() == Opened()
    for piece in cut(content, ends):
        client.send_data(piece)
    assert exchange() == Ended(0)
    assert bytes(stored) == content
    client.ask_version()
    assert exchange() == VersionTold((1, 2, 3))
    client.ask_get(b"name")
    assert exchange() == Opened()
    # One at a time: this server, as the firmware's, takes a request that comes after the end for garbage.
    client.ask_chunk()
    while isinstance(event := exchange(), ChunkTold):
        told.extend(event.data)
        client.ask_chunk()
    assert event == Ended(0)
    assert bytes(told) == content
