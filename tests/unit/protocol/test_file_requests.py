"""What is asked of files, as records and back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.file_requests import (
    EINVAL,
    ENOSYS,
    Entry,
    FileRequest,
    GetSpace,
    GetStat,
    ListDirectory,
    MakeDirectory,
    Remove,
    RemoveDirectory,
    Rename,
    Space,
    decode_request,
)
from webrepl_link import records
from webrepl_link.errors import RemoteProtocolError
from webrepl_link.records import Request

names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=300)
requests = st.one_of(
    st.builds(ListDirectory, names | st.just(""), st.booleans(), st.booleans()),
    st.builds(GetStat, names | st.just(""), st.booleans()),
    st.builds(GetSpace, names | st.just("")),
    st.builds(Remove, names, st.booleans()),
    st.builds(Rename, names, names),
    st.builds(MakeDirectory, names, st.booleans()),
    st.builds(RemoveDirectory, names),
)


@given(requests)
def test_requests_round_trip(request: FileRequest[Any]) -> None:
    record = records.decode_request(records.encode_request(request.record()))
    assert decode_request(record) == request


numbers = st.integers(0, 2**32 - 1)
entries = st.builds(Entry, names, st.booleans(), numbers, numbers, numbers)


@given(st.lists(entries, max_size=5), entries, numbers, numbers)
def test_answers_round_trip(listed: list[Entry], entry: Entry, total: int, free: int) -> None:
    answers: list[tuple[FileRequest[Any], Any]] = [
        (ListDirectory(""), sorted(listed, key=lambda entry: entry.name)),
        (GetStat(entry.name), entry),
        (GetSpace(), Space(total, free)),
        (Remove("x"), None),
    ]
    for request, answer in answers:
        data = request.encode_answer(answer)
        assert request.decode_answer(data) == answer
        assert request.answer_bytes in (None, len(data))


def test_what_does_not_fit_an_entry_is_as_large_as_can_be() -> None:
    data = GetStat("x").encode_answer(Entry("x", False, 2**33, -5))
    assert GetStat("x").decode_answer(data) == Entry("x", False, 2**32 - 1, 0)


@pytest.mark.parametrize("data", [b"x", bytes(16)])
def test_bytes_that_are_no_answer(data: bytes) -> None:
    for request in (ListDirectory(""), GetStat("x"), Remove("x")):
        with pytest.raises(RemoteProtocolError):
            request.decode_answer(data)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (Request(5, b"x"), ENOSYS),
        (Request(13, b"x"), ENOSYS),
        (Request(records.REMOVE, b""), EINVAL),
        (Request(records.REMOVE, b"nul\0"), EINVAL),
        (Request(records.REMOVE, b"\xff"), EINVAL),
        (Request(records.REMOVE, b"x", flags=records.HASHED), EINVAL),
        (Request(records.SPACE, b"x", flags=128), EINVAL),
        (Request(records.RENAME, b"onlyone", 7), EINVAL),
        (Request(records.RENAME, b"onlyone", 0), EINVAL),
        (Request(records.RENAME, "žx".encode(), 1), EINVAL),
    ],
)
def test_what_is_refused(request_: Request, code: int) -> None:
    assert decode_request(request_) == code
