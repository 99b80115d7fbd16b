"""The pure client core, as transcripts of what a board is asked and answers."""

from __future__ import annotations

import pytest

from webrepl_bridge.protocol.file_requests import GetSpace, ListDirectory, Remove
from webrepl_bridge.protocol.put_files import PutFiles
from webrepl_bridge.protocol.webrepl_client import (
    Answered,
    ChunkTold,
    Ended,
    Event,
    Opened,
    OutOfStep,
    VersionTold,
    WebReplClient,
)
from webrepl_link.errors import LocalProtocolError
from webrepl_link.records import (
    DEEP,
    GET_FILE,
    GET_PART,
    GET_VER,
    KEEP,
    LIST,
    PUT_FILE,
    PUT_PART,
    SPACE,
    Request,
    encode_reply,
    encode_request,
)

OK = encode_reply(0)


def events(client: WebReplClient) -> list[Event]:
    found = []
    while (event := client.next_event()) is not None:
        found.append(event)
    return found


@pytest.fixture
def client() -> WebReplClient:
    return WebReplClient()


def test_version(client: WebReplClient) -> None:
    client.ask_version()
    assert client.messages_to_send() == [encode_request(Request(GET_VER))]
    client.receive_binary(b"\x01\x19\x00")
    assert events(client) == [VersionTold((1, 25, 0))]
    assert client.idle


def test_many_files_go_as_one_does(client: WebReplClient) -> None:
    request = PutFiles("lib", (("a", b"1"),))
    client.ask(request)
    assert client.messages_to_send() == [encode_request(request.record())]
    client.receive_binary(OK)
    assert events(client) == [Opened()]
    client.send_data(request.payload())
    assert client.messages_to_send() == [request.payload()]
    client.receive_binary(OK)
    assert events(client) == [Ended(0)]
    assert client.idle


def test_version_refused(client: WebReplClient) -> None:
    client.ask_version()
    client.receive_binary(encode_reply(13))
    assert events(client) == [Ended(13)]
    assert client.idle


def test_put(client: WebReplClient) -> None:
    client.ask_put(b"/a.py", 5)
    assert client.messages_to_send() == [encode_request(Request(PUT_FILE, b"/a.py", 5))]
    client.receive_binary(OK)
    assert events(client) == [Opened()]
    client.send_data(b"abc")
    client.send_data(b"")
    client.send_data(b"de")
    assert client.messages_to_send() == [b"abc", b"de"]
    assert not client.idle
    client.receive_binary(OK)
    assert events(client) == [Ended(0)]
    assert client.idle


def test_put_of_an_empty_file(client: WebReplClient) -> None:
    client.ask_put(b"empty", 0)
    client.receive_binary(OK + OK)
    assert events(client) == [Opened(), Ended(0)]
    assert client.idle


def test_put_that_fails_at_the_end(client: WebReplClient) -> None:
    client.ask_put(b"a", 1)
    client.receive_binary(OK)
    client.send_data(b"x")
    client.receive_binary(encode_reply(28))
    assert events(client) == [Opened(), Ended(28)]
    assert client.idle


@pytest.mark.parametrize("ask", [lambda c: c.ask_put(b"a", 3), lambda c: c.ask_get(b"a")], ids=["put", "get"])
def test_refused(client: WebReplClient, ask: object) -> None:
    assert callable(ask)
    ask(client)
    client.receive_binary(encode_reply(2))
    assert events(client) == [Ended(2)]
    assert client.idle
    client.ask_version()


def test_get(client: WebReplClient) -> None:
    client.ask_get(b"a")
    assert client.messages_to_send() == [encode_request(Request(GET_FILE, b"a"))]
    client.ask_chunk()  # too early
    assert client.messages_to_send() == []
    client.receive_binary(OK)
    client.ask_chunk()
    client.ask_chunk()
    assert client.messages_to_send() == [b"\0", b"\0"]
    client.receive_binary(b"\x03\0abc\x01\0d")
    client.receive_binary(b"\0\0" + OK)
    assert events(client) == [Opened(), ChunkTold(b"abc"), ChunkTold(b"d"), Ended(0)]
    client.ask_chunk()  # too late
    assert client.messages_to_send() == []
    assert client.idle


def test_get_that_fails_in_the_middle(client: WebReplClient) -> None:
    client.ask_get(b"a")
    client.receive_binary(OK + b"\x01\0x\0\0" + encode_reply(5))
    assert events(client) == [Opened(), ChunkTold(b"x"), Ended(5)]


class TestAbandon:
    def test_a_put(self, client: WebReplClient) -> None:
        client.ask_put(b"a", 300)
        assert client.abandon() == b""  # not before it is open
        client.receive_binary(OK)
        client.send_data(bytes(258))
        assert client.abandon() == b"A\x02\x01\0\0"
        assert client.abandon() == b""
        with pytest.raises(LocalProtocolError):
            client.send_data(b"more")
        client.receive_binary(encode_reply(125))
        assert events(client) == [Opened(), Ended(125)]
        assert client.idle

    def test_a_put_that_is_all_sent_ends_by_itself(self, client: WebReplClient) -> None:
        client.ask_put(b"a", 1)
        client.receive_binary(OK)
        client.send_data(b"x")
        assert client.abandon() == b""

    def test_a_get(self, client: WebReplClient) -> None:
        client.ask_get(b"a")
        client.receive_binary(OK)
        client.messages_to_send()
        assert client.abandon() == b"A\0\0\0\0"
        assert client.messages_to_send() == [b"\0"]
        client.receive_binary(b"\x01\0x\0\0" + encode_reply(125))
        assert events(client) == [Opened(), ChunkTold(b"x"), Ended(125)]

    def test_nothing(self, client: WebReplClient) -> None:
        assert client.abandon() == b""

    def test_each_transfer_anew(self, client: WebReplClient) -> None:
        for _ in range(2):
            client.ask_put(b"a", 2)
            client.receive_binary(OK)
            assert client.abandon() == b"A\0\0\0\0"
            client.receive_binary(encode_reply(125))


class TestBeyondTheStandard:
    def test_an_answer(self, client: WebReplClient) -> None:
        client.ask(GetSpace("x"))
        assert client.messages_to_send() == [encode_request(Request(SPACE, b"x"))]
        client.receive_binary(OK + b"7 bytes")
        assert events(client) == []
        assert not client.idle
        client.receive_binary(b"9 bytes..")
        assert events(client) == [Answered(b"7 bytes9 bytes..")]
        assert client.idle

    def test_an_answer_that_is_only_a_reply(self, client: WebReplClient) -> None:
        for code, event in ((0, Answered(b"")), (2, Ended(2))):
            client.ask(Remove("x"))
            client.receive_binary(encode_reply(code))
            assert events(client) == [event]
            assert client.idle

    def test_a_list(self, client: WebReplClient) -> None:
        client.ask(ListDirectory("x", deep=True))
        client.receive_binary(OK)
        client.ask_chunk()
        client.receive_binary(b"\1\0x\0\0" + OK)
        assert events(client) == [Opened(), ChunkTold(b"x"), Ended(0)]
        assert client.messages_to_send() == [encode_request(Request(LIST, b"x", flags=DEEP)), b"\0"]

    def test_parts(self, client: WebReplClient) -> None:
        client.ask_put(b"x", 3, 10, keep=True)
        client.receive_binary(encode_reply(22))
        client.ask_get(b"x", 10, 3)
        client.receive_binary(encode_reply(22))
        client.ask_get(b"y" * 65)
        assert client.messages_to_send() == [
            encode_request(Request(PUT_PART, b"x", 3, 10, KEEP)),
            encode_request(Request(GET_PART, b"x", 3, 10)),
            encode_request(Request(GET_PART, b"y" * 65, 0xFFFFFFFF)),
        ]


class TestOurOwnMistakes:
    def test_one_thing_at_a_time(self, client: WebReplClient) -> None:
        client.ask_version()
        with pytest.raises(LocalProtocolError):
            client.ask_get(b"a")

    def test_more_than_announced(self, client: WebReplClient) -> None:
        client.ask_put(b"a", 2)
        client.receive_binary(OK)
        with pytest.raises(LocalProtocolError):
            client.send_data(b"abc")

    def test_a_name_that_does_not_fit(self, client: WebReplClient) -> None:
        with pytest.raises(LocalProtocolError):
            client.ask_get(b"x" * 2049)
        assert client.idle


class TestOutOfStep:
    @pytest.mark.parametrize("data", [b"?", b"W?", b"WC\0\0"])
    def test_no_reply(self, client: WebReplClient, data: bytes) -> None:
        client.ask_get(b"a")
        client.receive_binary(data)
        [event] = events(client)
        assert isinstance(event, OutOfStep)
        client.receive_binary(OK)
        assert events(client) == []
        assert not client.idle

    def test_a_reply_in_the_middle_of_a_file(self, client: WebReplClient) -> None:
        client.ask_put(b"a", 3)
        client.receive_binary(OK + OK)
        assert [type(event) for event in events(client)] == [Opened, OutOfStep]

    def test_what_nobody_asked_for(self, client: WebReplClient) -> None:
        client.receive_binary(b"\0")
        assert [type(event) for event in events(client)] == [OutOfStep]
