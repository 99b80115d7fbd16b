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
    GET_FILE,
    GET_VER,
    NAME_BYTES_MAX,
    PUT_FILE,
    REPLY_BYTES,
    REQUEST_BYTES,
    Request,
    decode_reply,
    decode_request,
    encode_reply,
    encode_request,
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


@given(st.integers(0, 65535))
def test_replies_round_trip(code: int) -> None:
    data = encode_reply(code)
    assert len(data) == REPLY_BYTES
    assert decode_reply(data) == code


def test_a_name_that_is_too_long() -> None:
    with pytest.raises(LocalProtocolError):
        encode_request(Request(GET_FILE, b"x" * (NAME_BYTES_MAX + 1)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        PUT_DOWN_BIN[:-1],
        PUT_DOWN_BIN + b"\0",
        b"WB" + PUT_DOWN_BIN[2:],
        PUT_DOWN_BIN[:16] + b"\x41\x00" + PUT_DOWN_BIN[18:],
        PUT_DOWN_BIN[:16] + b"\xff\xff" + PUT_DOWN_BIN[18:],
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
    for decode in (decode_request, decode_reply):
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
