"""The pure server core, as transcripts of one connection."""

from __future__ import annotations

import pytest

from webrepl_bridge.protocol.file_requests import GetSpace, GetStat, ListDirectory, Remove
from webrepl_bridge.protocol.put_files import FILES_BYTES_MAX, PutFiles
from webrepl_bridge.protocol.server_events import (
    Asked,
    ChunkWanted,
    Event,
    FileComplete,
    FileData,
    GetRequested,
    GivenUp,
    PasswordGiven,
    ProtocolFailed,
    PutFilesRequested,
    PutRequested,
    TerminalInput,
    VersionWanted,
)
from webrepl_bridge.protocol.webrepl_server import WebReplServer
from webrepl_link.errors import LocalProtocolError
from webrepl_link.records import (
    DEEP,
    GET_FILE,
    GET_PART,
    GET_VER,
    HASHED,
    KEEP,
    LIST,
    PACED,
    PUT_FILE,
    PUT_FILES,
    PUT_PART,
    REMOVE,
    SPACE,
    STAT,
    Request,
    encode_request,
)

CONNECTED = "\r\nWebREPL connected\r\n>>> "


def events(server: WebReplServer) -> list[Event]:
    found = []
    while (event := server.next_event()) is not None:
        found.append(event)
    return found


def request(op: int, name: bytes = b"", size: int = 0) -> bytes:
    return encode_request(Request(op, name, size))


@pytest.fixture
def server() -> WebReplServer:
    """Logged in, with nothing left to send."""
    server = WebReplServer()
    server.receive_text("secret\r")
    assert events(server) == [PasswordGiven(b"secret")]
    server.send_connected()
    assert server.messages_to_send() == ["Password: ", CONNECTED]
    return server


class TestPassword:
    def test_the_prompt_comes_first(self) -> None:
        server = WebReplServer()
        assert server.messages_to_send() == ["Password: "]
        assert server.messages_to_send() == []

    @pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n"])
    @pytest.mark.parametrize("binary", [False, True])
    def test_ended_by_cr_or_lf_or_both_in_text_or_binary(self, end: bytes, binary: bool) -> None:
        server = WebReplServer()
        if binary:
            server.receive_binary(b"secret" + end)
        else:
            server.receive_text("secret" + end.decode())
        assert events(server) == [PasswordGiven(b"secret")]
        server.send_connected()
        assert server.messages_to_send() == ["Password: ", CONNECTED]
        assert events(server) == []

    def test_typed_key_by_key(self) -> None:
        server = WebReplServer()
        for key in "pä\r\n1":
            server.receive_text(key)
        assert events(server) == [PasswordGiven("pä".encode())]
        server.send_connected()
        assert events(server) == [TerminalInput(b"1")]

    def test_what_follows_in_the_same_text_is_terminal_input(self) -> None:
        server = WebReplServer()
        server.receive_text("secret\r\n1+1\r")
        assert events(server) == [PasswordGiven(b"secret")]
        server.send_connected()
        assert events(server) == [TerminalInput(b"1+1\r")]

    def test_what_follows_in_the_same_binary_message_is_records(self) -> None:
        server = WebReplServer()
        server.receive_binary(b"secret\r" + request(GET_VER))
        assert events(server) == [PasswordGiven(b"secret")]
        server.send_connected()
        assert events(server) == [VersionWanted()]

    def test_only_one_terminator_belongs_to_it(self) -> None:
        server = WebReplServer()
        server.receive_text("secret\r\n\n")
        events(server)
        server.send_connected()
        assert events(server) == [TerminalInput(b"\n")]

    def test_denied(self) -> None:
        server = WebReplServer()
        server.receive_binary(b"wrong\r" + request(GET_VER))
        assert events(server) == [PasswordGiven(b"wrong")]
        server.send_denied()
        server.receive_text("more")
        server.receive_binary(request(GET_VER))
        assert events(server) == []
        assert server.messages_to_send() == ["Password: ", "\r\nAccess denied\r\n"]

    def test_endless_input_without_an_end(self) -> None:
        server = WebReplServer()
        server.receive_text("x" * 256)
        assert events(server) == []
        server.receive_text("x")
        assert events(server) == [ProtocolFailed("more than 256 bytes before the end of the password")]


class TestRecords:
    def test_version_is_three_bytes(self, server: WebReplServer) -> None:
        server.receive_binary(request(GET_VER))
        assert events(server) == [VersionWanted()]
        server.send_version((1, 29, 300))
        assert server.messages_to_send() == [bytes([1, 29, 255])]

    def test_put(self, server: WebReplServer) -> None:
        record = request(PUT_FILE, "ä.txt".encode(), 5)
        server.receive_binary(record[:10])
        server.receive_binary(record[10:])
        assert events(server) == [PutRequested("ä.txt", 5)]
        server.send_reply(0)
        server.receive_binary(b"he")
        server.receive_text("typed")
        server.receive_binary(b"llo")
        assert events(server) == [FileData(b"he"), TerminalInput(b"typed"), FileData(b"llo"), FileComplete()]
        assert server.messages_to_send() == [b"WB\0\0"]
        server.send_reply(0)
        assert server.messages_to_send() == [b"WB\0\0"]

    def test_put_of_nothing(self, server: WebReplServer) -> None:
        server.receive_binary(request(PUT_FILE, b"empty"))
        assert events(server) == [PutRequested("empty", 0)]
        server.send_reply(0)
        assert events(server) == [FileComplete()]
        server.send_reply(0)
        assert server.messages_to_send() == [b"WB\0\0", b"WB\0\0"]

    def test_put_refused_has_no_data(self, server: WebReplServer) -> None:
        server.receive_binary(request(PUT_FILE, b"a", 5))
        events(server)
        server.send_reply(30)
        server.receive_binary(request(GET_VER))
        assert events(server) == [VersionWanted()]
        assert server.messages_to_send() == [b"WB\x1e\0"]

    def test_put_that_fails_half_way_is_answered_after_its_data(self, server: WebReplServer) -> None:
        server.receive_binary(request(PUT_FILE, b"a", 10))
        events(server)
        server.send_reply(0)
        server.receive_binary(b"12345")
        server.receive_binary(b"6")
        server.send_reply(28)
        assert events(server) == []
        assert server.messages_to_send() == [b"WB\0\0"]
        server.receive_binary(b"7890" + request(GET_VER))
        assert server.messages_to_send() == [b"WB\x1c\0"]
        assert events(server) == [VersionWanted()]

    def test_put_that_fails_when_all_its_data_has_come(self, server: WebReplServer) -> None:
        server.receive_binary(request(PUT_FILE, b"a", 3))
        events(server)
        server.send_reply(0)
        server.receive_binary(b"123")
        server.send_reply(28)
        assert events(server) == []
        assert server.messages_to_send() == [b"WB\0\0", b"WB\x1c\0"]

    def test_get(self, server: WebReplServer) -> None:
        server.receive_binary(request(GET_FILE, b"a"))
        assert events(server) == [GetRequested("a")]
        server.send_reply(0)
        server.receive_binary(b"\0")
        assert events(server) == [ChunkWanted()]
        server.send_chunk(bytes(256))
        server.receive_binary(b"\0")
        assert events(server) == [ChunkWanted()]
        server.send_reply(0)
        assert server.messages_to_send() == [b"WB\0\0", b"\0\x01" + bytes(256), b"\0\0", b"WB\0\0"]

    def test_get_that_fails_half_way_ends_with_an_empty_chunk_and_the_code(self, server: WebReplServer) -> None:
        server.receive_binary(request(GET_FILE, b"a"))
        events(server)
        server.send_reply(0)
        server.receive_binary(b"\0")
        server.send_reply(5)
        assert server.messages_to_send() == [b"WB\0\0", b"\0\0", b"WB\x05\0"]

    def test_get_refused_wants_no_chunks(self, server: WebReplServer) -> None:
        server.receive_binary(request(GET_FILE, b"a"))
        events(server)
        server.send_reply(2)
        server.receive_binary(b"\0")
        assert events(server) == [ProtocolFailed("binary data that is no request: a request starts with 'WA'")]

    def test_pipelined_requests_wait_for_the_answers_before_them(self, server: WebReplServer) -> None:
        server.receive_binary(request(GET_VER) + request(PUT_FILE, b"a", 1) + b"!" + request(GET_FILE, b"a") + b"\0")
        assert events(server) == [VersionWanted()]
        server.send_version((1, 2, 3))
        assert events(server) == [PutRequested("a", 1)]
        server.send_reply(0)
        assert events(server) == [FileData(b"!"), FileComplete()]
        server.send_reply(0)
        assert events(server) == [GetRequested("a")]
        server.send_reply(0)
        assert events(server) == [ChunkWanted()]

    def test_unknown_operation(self, server: WebReplServer) -> None:
        server.receive_binary(request(77) + request(GET_VER))
        assert events(server) == [VersionWanted()]
        assert server.messages_to_send() == [b"WB\x26\0"]

    @pytest.mark.parametrize("name", [b"", b"a\0", b"\xff", "ä".encode()[:1]])
    @pytest.mark.parametrize("op", [PUT_FILE, GET_FILE])
    def test_names_that_are_none(self, server: WebReplServer, op: int, name: bytes) -> None:
        server.receive_binary(request(op, name, 4) + request(GET_VER))
        assert events(server) == [VersionWanted()]
        assert server.messages_to_send() == [b"WB\x16\0"]

    def test_a_name_that_is_too_long(self, server: WebReplServer) -> None:
        record = bytearray(request(GET_FILE, b"a" * 64))
        record[16] = 65
        server.receive_binary(bytes(record) + request(GET_VER))
        assert events(server) == [VersionWanted()]
        assert server.messages_to_send() == [b"WB\x16\0"]

    def test_a_bad_signature_is_fatal_and_known_at_once(self, server: WebReplServer) -> None:
        server.receive_binary(b"print(1)\r")
        assert events(server) == [ProtocolFailed("binary data that is no request: a request starts with 'WA'")]
        server.receive_binary(request(GET_VER))
        server.receive_text("x")
        assert events(server) == []

    def test_a_chunk_is_asked_for_with_zero(self, server: WebReplServer) -> None:
        server.receive_binary(request(GET_FILE, b"a"))
        events(server)
        server.send_reply(0)
        server.receive_binary(b"\0")
        server.send_chunk(b"x")
        server.receive_binary(b"W")
        assert events(server) == [
            ChunkWanted(),
            ProtocolFailed("a chunk of the file is asked for with a zero byte, not b'W'"),
        ]


class TestOurOwnMistakes:
    def test_answers_that_are_not_owed(self, server: WebReplServer) -> None:
        for answer in (
            server.send_connected,
            server.send_denied,
            lambda: server.send_version((1, 2, 3)),
            lambda: server.send_reply(0),
            lambda: server.send_chunk(b"x"),
        ):
            with pytest.raises(LocalProtocolError):
                answer()

    def test_a_put_cannot_succeed_before_its_data(self, server: WebReplServer) -> None:
        server.receive_binary(request(PUT_FILE, b"a", 2))
        server.send_reply(0)
        with pytest.raises(LocalProtocolError):
            server.send_reply(0)

    @pytest.mark.parametrize("size", [0, 65_534])
    def test_chunks_that_clients_cannot_read(self, server: WebReplServer, size: int) -> None:
        server.receive_binary(request(GET_FILE, b"a"))
        server.send_reply(0)
        server.receive_binary(b"\0")
        with pytest.raises(LocalProtocolError):
            server.send_chunk(bytes(size))


class TestBeyondTheStandard:
    def test_many_files_go_as_one_does(self, server: WebReplServer) -> None:
        asked = PutFiles("lib", (("a", b"1"), ("b", b"22")))
        server.receive_binary(encode_request(asked.record()) + asked.payload())
        assert server.next_event() == PutFilesRequested("lib", len(asked.payload()))
        server.send_reply(0)
        assert server.next_event() == FileData(asked.payload())
        assert server.next_event() == FileComplete()
        server.send_reply(0)
        assert server.messages_to_send() == [b"WB\0\0", b"WB\0\0"]
        for refused in (
            Request(PUT_FILES, b"lib", 0),
            Request(PUT_FILES, b"lib", FILES_BYTES_MAX + 1),
            Request(PUT_FILES, b"lib", 1, 1),
            Request(PUT_FILES, b"lib", 1, 0, 1),
            Request(PUT_FILES, b"\xff", 1),
        ):
            server.receive_binary(encode_request(refused))
            assert server.messages_to_send() == [b"WB\x16\0"]

    def test_a_long_name_is_all_of_it(self, server: WebReplServer) -> None:
        data = encode_request(Request(STAT, b"x" * 100, flags=HASHED))
        for byte in data[:-1]:
            server.receive_binary(bytes([byte]))
        assert events(server) == []
        server.receive_binary(data[-1:])
        assert events(server) == [Asked(GetStat("x" * 100, hashed=True))]

    def test_an_answer_follows_its_reply(self, server: WebReplServer) -> None:
        server.receive_binary(encode_request(Request(SPACE)) + encode_request(Request(REMOVE, b"f")))
        assert events(server) == [Asked(GetSpace())]
        server.send_answer(b"answer")
        assert server.messages_to_send() == [b"WB\0\0answer"]
        assert events(server) == [Asked(Remove("f"))]
        with pytest.raises(LocalProtocolError):
            server.send_reply(0)
        server.send_reply(2)
        assert server.messages_to_send() == [b"WB\2\0"]

    def test_a_list_goes_as_a_file_does(self, server: WebReplServer) -> None:
        server.receive_binary(encode_request(Request(LIST)) + b"\0\0")
        assert events(server) == [Asked(ListDirectory(""))]
        server.send_reply(0)
        assert events(server) == [ChunkWanted()]
        server.send_chunk(b"entries")
        assert events(server) == [ChunkWanted()]
        server.send_reply(0)
        assert server.messages_to_send() == [b"WB\0\0", b"\7\0entries", b"\0\0", b"WB\0\0"]

    def test_parts_of_files(self, server: WebReplServer) -> None:
        server.receive_binary(encode_request(Request(PUT_PART, b"f", 3, 10, KEEP)) + b"abc")
        assert events(server) == [PutRequested("f", 3, 10, keep=True)]
        server.send_reply(0)
        assert events(server) == [FileData(b"abc"), FileComplete()]
        server.send_reply(0)
        server.receive_binary(encode_request(Request(GET_PART, b"f", 3, 10)))
        assert events(server) == [GetRequested("f", 10, 3)]

    @pytest.mark.parametrize("op", [GET_FILE, GET_PART, LIST])
    def test_a_get_that_is_given_up(self, server: WebReplServer, op: int) -> None:
        server.receive_binary(request(op, b"f", 9) + b"\0\1")
        server.send_reply(0)
        server.send_chunk(b"data")
        assert events(server)[1:] == [ChunkWanted(), GivenUp()]
        server.send_reply(125)
        assert server.messages_to_send() == [b"WB\0\0", b"\4\0data", b"\0\0", b"WB\x7d\0"]
        server.receive_binary(request(GET_VER))
        assert events(server) == [VersionWanted()]

    @pytest.mark.parametrize(
        ("refused", "code"),
        [
            (Request(200, b"x" * 100), 38),
            (Request(PUT_PART, b"f", flags=DEEP), 22),
            (Request(PUT_PART, b""), 22),
            (Request(GET_PART, b"\xff"), 22),
            (Request(REMOVE), 22),
        ],
    )
    def test_what_is_refused(self, server: WebReplServer, refused: Request, code: int) -> None:
        server.receive_binary(encode_request(refused) + encode_request(Request(GET_VER)))
        assert events(server) == [VersionWanted()]
        assert server.messages_to_send() == [b"WB" + code.to_bytes(2, "little")]

    def test_a_name_that_is_too_long_passes_by(self, server: WebReplServer) -> None:
        head = b"WA\x07" + bytes(13) + (3000).to_bytes(2, "little") + bytes(64)
        server.receive_binary(head + bytes(3000 - 64) + encode_request(Request(GET_VER)))
        assert events(server) == [VersionWanted()]
        assert server.messages_to_send() == [b"WB\x16\0"]

    def test_the_standards_ops_have_no_flags_and_no_offset(self, server: WebReplServer) -> None:
        server.receive_binary(encode_request(Request(GET_FILE, b"f", 1, 2, 255)))
        assert events(server) == [GetRequested("f")]


class TestPacedPut:
    @pytest.fixture
    def opened(self, server: WebReplServer) -> WebReplServer:
        server.receive_binary(encode_request(Request(PUT_PART, b"f", 7, flags=PACED)))
        assert events(server) == [PutRequested("f", 7)]
        server.send_reply(0)
        assert server.messages_to_send() == [b"WB\0\0" + bytes(4)]
        return server

    def test_each_chunk_that_is_taken_makes_room_for_one(self, opened: WebReplServer) -> None:
        opened.receive_binary(b"\3\0ab")
        assert events(opened) == []
        opened.receive_binary(b"c\4\0defg\0\0")
        assert events(opened) == [FileData(b"abc")]
        assert opened.messages_to_send() == []
        opened.send_taken()
        assert events(opened) == [FileData(b"defg")]
        assert opened.messages_to_send() == [b"\0"]
        opened.send_taken()
        assert events(opened) == [FileComplete()]
        opened.send_reply(0)
        assert opened.messages_to_send() == [b"\0", b"WB\0\0"]

    def test_given_up(self, opened: WebReplServer) -> None:
        opened.receive_binary(b"\3\0abc\0\0" + request(GET_VER))
        assert events(opened) == [FileData(b"abc")]
        opened.send_taken()
        assert events(opened) == [GivenUp()]
        opened.send_reply(125)
        assert opened.messages_to_send() == [b"\0", b"WB\x7d\0"]
        assert events(opened) == [VersionWanted()]

    def test_what_was_on_its_way_when_it_failed_passes_by(self, opened: WebReplServer) -> None:
        opened.receive_binary(b"\3\0abc\1\0d")
        opened.send_reply(28)
        assert opened.messages_to_send() == [b"WB\x1c\0"]
        opened.receive_binary(b"\1\0e\0\0" + request(GET_VER))
        assert events(opened) == [VersionWanted()]

    def test_refused(self, server: WebReplServer) -> None:
        server.receive_binary(encode_request(Request(PUT_PART, b"f", 7, flags=PACED)))
        server.send_reply(30)
        server.receive_binary(request(GET_VER))
        assert events(server) == [PutRequested("f", 7), VersionWanted()]
        assert server.messages_to_send() == [b"WB\x1e\0"]

    def test_an_empty_file(self, server: WebReplServer) -> None:
        server.receive_binary(encode_request(Request(PUT_PART, b"f", flags=PACED | KEEP)) + b"\0\0")
        assert events(server) == [PutRequested("f", 0, keep=True)]
        server.send_reply(0)
        assert events(server) == [FileComplete()]

    def test_what_is_wrong_behind_a_chunk_is_said_when_the_chunk_is_taken(self, opened: WebReplServer) -> None:
        opened.receive_binary(b"\3\0abc\5\0defgh")
        assert events(opened) == [FileData(b"abc")]
        opened.send_taken()
        assert isinstance(events(opened)[-1], ProtocolFailed)

    @pytest.mark.parametrize("chunk", [b"\x08\0abcdefgh", b"\x01\x10"])
    def test_more_than_there_may_be(self, opened: WebReplServer, chunk: bytes) -> None:
        opened.receive_binary(chunk)
        assert isinstance(events(opened)[-1], ProtocolFailed)
