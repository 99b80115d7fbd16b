"""Paths, listings, ranges and conditions of files over HTTP."""

from __future__ import annotations

from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from webrepl_bridge.protocol.file_requests import Entry, Space, encode_name
from webrepl_bridge.protocol.web_workflow import (
    Refusal,
    UnsatisfiableRangeError,
    content_type,
    decode_path,
    disk_info,
    listing,
    refusal,
    validators,
    wanted_range,
)
from webrepl_link.errors import RemoteProtocolError

NEW, OLD = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT"
FILE = Entry("x.py", False, 1000, 784111777, 0xABCDEF)  # changed at NEW
TAG = '"3e8-00abcdef"'


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"/", "/"),
        (b"/lib/", "/lib/"),
        (b"/lib//x.py", "/lib/x.py"),
        (b"/a%20b%2B+%25.txt", "/a b++%.txt"),
        (b"/gr%C3%BCn", "/grün"),
        (b"/%ff", "/\udcff"),
        (b"/...", "/..."),
        (b"/lib%2Fx", "/lib/x"),
    ],
)
def test_paths(raw: bytes, name: str) -> None:
    assert decode_path(raw) == name


@pytest.mark.parametrize("raw", [b"", b"x", b"/..", b"/lib/../x", b"/%2e%2e/x", b"/./x", b"/x%00", b"/..%2Fx"])
def test_what_is_no_path(raw: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_path(raw)


@given(st.lists(st.binary(min_size=1).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b".."))))
def test_every_name_can_be_written(segments: list[bytes]) -> None:
    path = b"/" + b"/".join(segments)
    assert encode_name(decode_path(quote_from_bytes(path).encode())) == path


@given(st.binary())
def test_any_bytes_are_a_path_or_none(raw: bytes) -> None:
    try:
        name = decode_path(raw)
    except RemoteProtocolError:
        return
    assert name.startswith("/")
    assert not {".", ".."} & set(name.split("/"))


def test_a_listing() -> None:
    entries = [Entry("lib", True, 4096, 7), Entry("\udcff.txt", False, 12, 5)]
    assert listing(entries, Space(100, 60)) == {
        **{"free": 60, "total": 100, "block_size": 1, "writable": True},
        "files": [
            {"name": "lib", "directory": True, "modified_ns": 7_000_000_000, "file_size": 0},
            {"name": "\ufffd.txt", "directory": False, "modified_ns": 5_000_000_000, "file_size": 12},
        ],
    }
    assert disk_info(Space(100, 60)) == [{"root": "/", "free": 60, "total": 100, "block_size": 1, "writable": True}]


def test_content_types() -> None:
    names = ("x.py", "X.TXT", "x.js", "x.html", "x.json", "x.mpy", "x")
    assert [content_type(name).partition(";")[0] for name in names] == [
        *("text/plain", "text/plain", "text/javascript", "text/html", "application/json"),
        *("application/octet-stream", "application/octet-stream"),
    ]


def test_validators() -> None:
    assert validators(FILE) == {"ETag": TAG, "Last-Modified": NEW}
    assert validators(Entry("x", False, 0, 0, 0)) == {"ETag": '"0-00000000"'}


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ("", None),
        ("bytes=0-9", range(10)),
        ("bytes=990-", range(990, 1000)),
        ("bytes=-10", range(990, 1000)),
        ("bytes=-2000", range(1000)),
        ("bytes=5-99999", range(5, 1000)),
        ("BYTES= 0-0", range(1)),
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("bytes=x-y", None),
        ("bytes=٣-", None),
        ("lines=0-1", None),
    ],
)
def test_ranges(asked: str, wanted: range | None) -> None:
    assert wanted_range({"Range": asked} if asked else {}, FILE) == wanted


@pytest.mark.parametrize("asked", ["bytes=1000-", "bytes=2000-3000", "bytes=-0"])
def test_ranges_past_the_end(asked: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        wanted_range(Headers({"Range": asked}), FILE)


@pytest.mark.parametrize(("if_range", "wanted"), [(TAG, range(10)), ('"other"', None), (NEW, None), (f"W/{TAG}", None)])
def test_a_range_of_this_file_only(if_range: str, wanted: range | None) -> None:
    assert wanted_range(Headers({"Range": "bytes=0-9", "If-Range": if_range}), FILE) == wanted


@given(st.text(alphabet="bytes=0123456789-, "), st.integers(0, 3000))
def test_no_range_is_outside_the_file(asked: str, size_bytes: int) -> None:
    try:
        wanted = wanted_range({"Range": asked}, Entry("x", False, size_bytes))
    except UnsatisfiableRangeError:
        return
    assert wanted is None or 0 <= wanted.start < wanted.stop <= size_bytes


NO, STALE = Refusal.PRECONDITION_FAILED, Refusal.NOT_MODIFIED


@pytest.mark.parametrize(
    ("headers", "there", "reading", "writing"),
    [
        ({}, True, None, None),
        ({"If-Match": TAG}, True, None, None),
        ({"If-Match": f'"a", {TAG}'}, True, None, None),
        ({"If-Match": f"W/{TAG}"}, True, NO, NO),
        ({"If-Match": '"a"'}, True, NO, NO),
        ({"If-Match": "*"}, True, None, None),
        ({"If-Match": "*"}, False, NO, NO),
        ({"If-None-Match": TAG}, True, STALE, NO),
        ({"If-None-Match": f"W/{TAG}"}, True, STALE, NO),
        ({"If-None-Match": '"a"'}, True, None, None),
        ({"If-None-Match": "*"}, True, STALE, NO),
        ({"If-None-Match": "*"}, False, None, None),
        ({"If-Modified-Since": NEW}, True, STALE, None),
        ({"If-Modified-Since": OLD}, True, None, None),
        ({"If-Modified-Since": "yesterday"}, True, None, None),
        ({"If-Modified-Since": NEW, "If-None-Match": '"a"'}, True, None, None),
        ({"If-Unmodified-Since": NEW}, True, None, None),
        ({"If-Unmodified-Since": OLD}, True, NO, NO),
        ({"If-Unmodified-Since": OLD, "If-Match": TAG}, True, None, None),
        ({"If-Unmodified-Since": OLD}, False, None, None),
    ],
)
def test_conditions(headers: dict[str, str], there: bool, reading: Refusal | None, writing: Refusal | None) -> None:
    entry = FILE if there else None
    assert refusal(Headers(headers), entry, reads=True) is reading
    assert refusal(Headers(headers), entry, reads=False) is writing


def test_a_board_without_a_clock() -> None:
    timeless = Entry("x", False, 1, 0, 2)
    assert refusal(Headers({"If-Modified-Since": NEW}), timeless, reads=True) is None
    assert refusal(Headers({"If-Unmodified-Since": OLD}), timeless, reads=False) is None
