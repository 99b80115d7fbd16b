"""WebREPL's records, under CPython and MicroPython alike."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import webrepl_link
from webrepl_link.errors import LocalProtocolError, RemoteProtocolError
from webrepl_link.records import (
    DEEP,
    DIRECTORY,
    FILE,
    GET_FILE,
    GET_VER,
    HASHED,
    LIST,
    LONG_NAME_BYTES_MAX,
    NAME_BYTES_MAX,
    PUT_FILE,
    PUT_PART,
    REMOVE,
    REPLY_BYTES,
    REQUEST_BYTES,
    Entry,
    Request,
    decode_entry,
    decode_list,
    decode_reply,
    decode_request,
    decode_space,
    encode_entry,
    encode_listed,
    encode_reply,
    encode_request,
    encode_space,
    request_bytes,
)

# What webrepl_cli.py sends for `put down.bin` of 700 bytes; see tests/vectors/cli_put.json.
PUT_DOWN_BIN = b"WA\x01\x00" + bytes(8) + b"\xbc\x02\x00\x00\x08\x00down.bin" + bytes(56)


def test_the_layout_is_the_standards() -> None:
    assert encode_request(Request(PUT_FILE, b"down.bin", size=700)) == PUT_DOWN_BIN
    request = decode_request(PUT_DOWN_BIN)
    assert (request.op, request.name, request.size, request.offset, request.flags) == (PUT_FILE, b"down.bin", 700, 0, 0)
    assert encode_reply(0) == b"WB\x00\x00"
    assert encode_reply(258) == b"WB\x02\x01"


@given(
    st.integers(0, 255),
    st.binary(max_size=NAME_BYTES_MAX),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.integers(0, 255),
)
def test_requests_round_trip(op: int, name: bytes, size: int, offset: int, flags: int) -> None:
    data = encode_request(Request(op, name, size, offset, flags))
    assert len(data) == REQUEST_BYTES
    request = decode_request(data)
    assert (request.op, request.name, request.size, request.offset, request.flags) == (op, name, size, offset, flags)


@given(st.integers(PUT_PART, 255), st.integers(NAME_BYTES_MAX + 1, LONG_NAME_BYTES_MAX))
def test_what_does_not_fit_of_a_long_name_follows(op: int, name_bytes: int) -> None:
    name = bytes(byte % 255 + 1 for byte in range(name_bytes))
    data = encode_request(Request(op, name, 1, 2, 3))
    assert request_bytes(data[:REQUEST_BYTES]) == len(data) == REQUEST_BYTES + name_bytes - NAME_BYTES_MAX
    assert data[REQUEST_BYTES:] == name[NAME_BYTES_MAX:]
    assert decode_request(data).name == name


def test_the_layout_of_what_is_beyond_the_standard() -> None:
    head = b"WA\x06\x03" + bytes(12) + b"\x41\x00"
    assert encode_request(Request(LIST, b"x" * 65, flags=DEEP | HASHED)) == head + b"x" * 65
    assert encode_listed(Entry(FILE, 258, 772, 1286, b"a")) == b"f\x02\1\0\0\4\3\0\0\6\5\0\0\1\0a"
    assert encode_entry(Entry(DIRECTORY)) == b"d" + bytes(12)
    assert encode_space(258, 1) == b"\2\1" + bytes(6) + b"\1" + bytes(7)


entries = st.builds(
    Entry,
    st.sampled_from([FILE, DIRECTORY]),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=300),
)


@given(st.lists(entries, max_size=5), st.integers(0, 5000))
def test_lists_round_trip(entries: list[Entry], cut: int) -> None:
    data = b"".join(encode_listed(entry) for entry in entries)
    assert [vars(entry) for entry in decode_list(data)] == [vars(entry) for entry in entries]
    for entry in entries:
        assert vars(decode_entry(encode_entry(entry))) == {**vars(entry), "name": b""}
    with contextlib.suppress(RemoteProtocolError):
        assert len(decode_list(data[:cut])) <= len(entries)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_space_round_trips(total: int, free: int) -> None:
    assert decode_space(encode_space(total, free)) == (total, free)


@given(st.integers(0, 65535))
def test_replies_round_trip(code: int) -> None:
    data = encode_reply(code)
    assert len(data) == REPLY_BYTES
    assert decode_reply(data) == code


def test_a_name_that_is_too_long() -> None:
    with pytest.raises(LocalProtocolError):
        encode_request(Request(GET_FILE, b"x" * (NAME_BYTES_MAX + 1)))
    with pytest.raises(LocalProtocolError):
        encode_request(Request(REMOVE, b"x" * (LONG_NAME_BYTES_MAX + 1)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PUT_DOWN_BIN[:-1],
        PUT_DOWN_BIN + b"\0",
        b"WB" + PUT_DOWN_BIN[2:],
        PUT_DOWN_BIN[:16] + b"\x41\x00" + PUT_DOWN_BIN[18:],
        PUT_DOWN_BIN[:16] + b"\xff\xff" + PUT_DOWN_BIN[18:],
        b"WA\x06" + PUT_DOWN_BIN[3:16] + b"\x41\x00" + PUT_DOWN_BIN[18:],  # its name's end is missing
        b"WA\x06" + bytes(13) + b"\x01\x08" + bytes(0x801),
    ],
)
def test_malformed_requests(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_request(data)


@pytest.mark.parametrize("data", [b"", b"WB\x00", b"WB\x00\x00\x00", b"WA\x00\x00"])
def test_malformed_replies(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_reply(data)


@given(st.binary(max_size=100))
def test_garbage_is_an_error_of_the_other_side(data: bytes) -> None:
    for decode in (decode_request, decode_reply, decode_entry, decode_list, decode_space):
        with contextlib.suppress(RemoteProtocolError):
            decode(data)


# The same under MicroPython: encoded and decoded there and here, and compared.

SCRIPT = """
import binascii
from webrepl_link.errors import WebReplError
from webrepl_link.records import *

for op, name, size, offset, flags in {requests}:
    data = encode_request(Request(op, name, size, offset, flags))
    request = decode_request(data)
    print(binascii.hexlify(data), binascii.hexlify(request.name))
    print(request.op, request.size, request.offset, request.flags)
for code in {codes}:
    print(binascii.hexlify(encode_reply(code)), decode_reply(encode_reply(code)))
for decode, data in [(decode_request, data) for data in {bad}] + [(decode_reply, data) for data in {bad}]:
    try:
        decode(data)
    except WebReplError as error:
        print(type(error).__name__, error)
"""

REQUESTS = [
    (LIST, b"long/" * 60, 0, 0, 3),
    (PUT_FILE, b"down.bin", 700, 0, 0),
    (GET_FILE, b"x" * NAME_BYTES_MAX, 0, 2**40 + 5, 255),
    (GET_VER, b"", 2**32 - 1, 2**64 - 1, 1),
    (200, "ä/€".encode(), 1, 2, 3),
]
BAD = [b"", PUT_DOWN_BIN[:-1], b"WB" + PUT_DOWN_BIN[2:], PUT_DOWN_BIN[:16] + b"\xff\xff" + PUT_DOWN_BIN[18:], b"WA\0\0"]


def test_micropython_does_the_same(tmp_path: Path) -> None:
    pytest.importorskip("micropython_unix")
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(requests=REQUESTS, codes=[0, 2, 258, 65535], bad=BAD))
    root = str(Path(webrepl_link.__file__).parents[1])
    outputs = [
        subprocess.run(
            [sys.executable, *command, str(script)],
            env={"PYTHONPATH": root, "MICROPYPATH": root},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for command in (["-B"], ["-m", "micropython_unix"])
    ]
    assert outputs[1] == outputs[0]
    assert len(outputs[0].splitlines()) == 2 * len(REQUESTS) + 4 + 2 * len(BAD)
