"""Many small files in one request: how they are divided and encoded, and the host's side of their program."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbook import Playbook
from program_board import Abandoned, Line, ProgramBoard
from property.test_transfers_on_a_bad_line import Damage, damages
from webrepl_bridge.boards.programs import program
from webrepl_bridge.protocol.bundled_transfers import WINDOW_BITS, PutBundled
from webrepl_bridge.protocol.deflated_transfers import TO_BE_INFLATED, deflate
from webrepl_bridge.protocol.dialogue import Opened
from webrepl_bridge.protocol.put_files import FILES_BYTES_MAX, SMALL_BYTES, PutFiles, bundles, decode_files
from webrepl_bridge.protocol.raw_repl import RawRepl
from webrepl_bridge.protocol.transfers import arguments, make_block
from webrepl_link.errors import BoardError, RemoteProtocolError

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).filter(
    lambda name: bool(name.strip("/"))
)
some_files = st.lists(st.tuples(names, st.binary(max_size=100)), max_size=8).map(tuple)


@given(names, some_files)
def test_what_is_encoded_is_decoded(name: str, files: tuple[tuple[str, bytes], ...]) -> None:
    request = PutFiles(name, files)
    payload = request.payload()
    assert decode_files(name, payload) == request
    assert request.record().size == len(payload)


@given(st.binary(min_size=1, max_size=40))
def test_what_is_cut_is_refused(data: bytes) -> None:
    with contextlib.suppress(BoardError):
        assert decode_files("lib", data).payload() == data


@given(st.lists(st.integers(0, 3 * SMALL_BYTES), max_size=30))
def test_none_is_too_large(sizes: list[int]) -> None:
    files = [(f"{number}", bytes(size)) for number, size in enumerate(sizes)]
    requests = list(bundles("lib", files))
    assert [file for request in requests for file in request.files] == files
    for request in requests:
        assert len(request.files) == 1 or len(request.payload()) <= FILES_BYTES_MAX
        assert len(request.files) == 1 or all(len(content) <= SMALL_BYTES for _, content in request.files)


@pytest.mark.parametrize(
    ("folder", "temporary", "name"),
    [("", "~", "a"), ("/", "/~", "/a"), ("lib/", "lib~", "lib/a"), ("/l", "/l~", "/l/a")],
)
def test_names(folder: str, temporary: str, name: str) -> None:
    with ProgramBoard(watched_name=temporary) as board:
        repl = RawRepl()
        line = Line(board)
        line.drive(repl.enter(line_is_empty=True))
        line.drive(PutBundled(repl, program("put_files"), PutFiles(folder, (("a", b"1"),)), 100, deflates=True).run())
        assert board.files == {name: b"1"}
        assert board.has_seen


def test_word_for_word() -> None:
    request = PutFiles("lib", (("d/", b""), ("a", bytes(60)), ("b", b"b" * 30)))
    here = request.from_here()
    assert here.entries()[1] == b"\x05\0\x3c\0lib/a" + bytes(60)
    transfer = PutBundled(RawRepl(), b"PUT", request, 80, deflates=True)
    size = len(here.payload())
    play = Playbook(transfer.run()).sends(b"\x05A\x01").hears(b"R\x01\x00\x10")
    play.sends(b"PUT\n_put_files(%s)" % arguments(("lib", size), "wb", 80)).sends(b"\x04").hears(b"\x04\x06")
    play.does(Opened()).sends(make_block(deflate(here.payload(), WINDOW_BITS), size, TO_BE_INFLATED).wire).hears(
        b".."
    ).hears(b".\x04\x04>").ends()
    plain = PutBundled(RawRepl(), b"PUT", request, 80, deflates=False)
    play = Playbook(plain.run()).sends(b"\x05A\x01").hears(b"R\x01\x00\x10")
    play.sends(b"PUT\n_put_files(%s)" % arguments(("lib", size), "wb", 80)).sends(b"\x04").hears(b"\x04\x06")
    first, second, third = here.entries()
    play.does(Opened()).sends(make_block(first, len(first)).wire).hears(b".\x06")
    play.sends(make_block(second, len(second)).wire).hears(b".\x06")
    play.sends(make_block(third, len(third)).wire).hears(b".\x04\x04>").ends()
    with pytest.raises(BoardError) as refused:
        PutBundled(RawRepl(), b"PUT", request, 60, deflates=False)
    assert refused.value.code == 38


@given(some_files, damages, damages, st.sampled_from([1, 7]), st.booleans())
def test_on_a_line_that_damages(
    files: tuple[tuple[str, bytes], ...], there: dict[int, str], back: dict[int, str], scale: int, deflates: bool
) -> None:
    new = {f"lib/{name}": content for name, content in files if not name.endswith("/")}
    old = {name: b"old" for name in new}
    with ProgramBoard(dict(old)) as board:
        repl = RawRepl()
        put = PutBundled(repl, program("put_files"), PutFiles("lib", files), 200, deflates=deflates)
        line = Line(board)
        line.to_board = Damage(there, scale, lambda: put.opened and board.program_running)
        line.to_host = Damage(back, 1, lambda: put.opened)
        line.drive(repl.enter(line_is_empty=True))
        try:
            line.drive(put.run())
        except (BoardError, RemoteProtocolError):
            contents = dict(_contents(files))
            for name in new:
                assert bytes(board.files[name]) in (b"old", *contents[name])
        else:
            assert {name: bytes(content) for name, content in board.files.items()} == new


def _contents(files: tuple[tuple[str, bytes], ...]) -> dict[str, list[bytes]]:
    """Return what may be in each file: a name can come twice."""
    found: dict[str, list[bytes]] = {}
    for name, content in files:
        found.setdefault(f"lib/{name}", []).append(content)
    return found


@given(st.integers(0, 40), st.booleans())
def test_given_up_at_any_step(step: int, but_take_it: bool) -> None:
    files = tuple((f"{number}", bytes([number]) * 90) for number in range(6))
    with ProgramBoard({"lib/3": b"old"}) as board:
        repl = RawRepl()
        put = PutBundled(repl, program("put_files"), PutFiles("lib", files), 200, deflates=False)
        line = Line(board)
        line.drive(repl.enter(line_is_empty=True))
        line.steps = 0
        try:
            line.drive(put.run(), abandon_at=step, but_take_it=but_take_it)
        except Abandoned:
            if put.opened:
                line.drive(put.abandon())
            else:
                line.drive(repl.recover(300))
                line.drive(put.clean_up())
        whole = {f"lib/{name}": content for name, content in files}
        for name, content in board.files.items():
            assert bytes(content) == whole[name] or (name == "lib/3" and content == b"old")
        assert not board.program_running
