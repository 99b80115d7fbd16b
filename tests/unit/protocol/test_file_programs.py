"""What is asked of a stock board's files, word for word; the contract suite has real boards at the other end."""

from __future__ import annotations

from binascii import crc32

import pytest

from playbook import SILENCE, Playbook
from webrepl_bridge.protocol.dialogue import DialogueTimeoutError
from webrepl_bridge.protocol.file_programs import FilePrograms
from webrepl_bridge.protocol.file_requests import (
    Entry,
    GetSpace,
    GetStat,
    ListDirectory,
    MakeDirectory,
    Remove,
    RemoveDirectory,
    Rename,
    Space,
)
from webrepl_bridge.protocol.insist import RESENT_MAX
from webrepl_bridge.protocol.raw_repl import RawRepl
from webrepl_link.errors import BoardError

EPOCH_S = 946_684_800
HASH = b"from binascii import crc32 as _crc32\n"


def programs(*, stay: bool = True) -> FilePrograms:
    return FilePrograms(RawRepl(), lambda name: name.upper().encode(), EPOCH_S, stay=stay)


def runs(play: Playbook, code: bytes, printed: bytes = b"", traceback: bytes = b"") -> Playbook:
    play.sends(b"\x05A\x01").hears(b"R\x01\x00\x10").sends(code).sends(b"\x04")
    return play.hears(b"\x04" + printed + b"\x04" + traceback + b"\x04>")


def said(arguments: bytes, *lines: bytes) -> bytes:
    check = crc32(arguments)
    for line in lines:
        check = crc32(line, check)
    return b"".join(line + b"\r\n" for line in (*lines, b"%d" % check))


def test_a_list() -> None:
    play = Playbook(programs().ask(ListDirectory("lib/", deep=True, hashed=True)))
    lines = [rb"5 7 1f 'it\'s'", b"0 0 0 'a/'", b"'a/'", b"6 0 0 'b'", b"0 0 0 'c/'"]
    runs(play, HASH + b"TREE\n_tree('lib',2,1)", said(b"lib 2 1", *lines))
    a = [Entry("a", True), Entry("a/b", False, 6), Entry("a/c", True)]
    play.ends([*a, Entry("it's", False, 5, EPOCH_S + 7, 31)])


def test_a_stat() -> None:
    play = Playbook(programs().ask(GetStat("/x")))
    runs(play, HASH + b"TREE\n_tree('/x',0,0)", said(b"/x 0 0", b"5 0 0 ''")).ends(Entry("/x", False, 5))


@pytest.mark.parametrize("name", ["", "/", "//"])
def test_the_root_is_known(name: str) -> None:
    Playbook(programs().ask(GetStat(name))).ends(Entry(name, True))


def test_space() -> None:
    play = Playbook(programs().ask(GetSpace("/sd")))
    runs(play, HASH + b"SPACE\n_space('/sd')", b"10 4 %d\r\n" % crc32(b"/sd10 4")).ends(Space(10, 4))


def test_changes() -> None:
    asked = {
        Remove("f"): (b"CHANGE", b"_change", b"'remove','f'", b"remove f"),
        Remove("f/", deep=True): (b"REMOVE_DEEP", b"_remove_deep", b"'f'", b"f"),
        Rename("f", "g"): (b"CHANGE", b"_change", b"'rename','f','g'", b"rename f g"),
        MakeDirectory("f"): (b"CHANGE", b"_change", b"'mkdir','f'", b"mkdir f"),
        MakeDirectory("f", deep=True): (b"MAKE_DEEP", b"_make_deep", b"'f'", b"f"),
        RemoveDirectory("f"): (b"CHANGE", b"_change", b"'rmdir','f'", b"rmdir f"),
    }
    for request, (source, function, arguments, checked) in asked.items():
        check = b"%d" % crc32(checked)
        code = HASH + b"%s\n%s(%s,%s)" % (source, function, check, arguments)
        runs(Playbook(programs().ask(request)), code, check + b"\r\n").ends(None)


GOOD = said(b"x 0 0", b"5 0 0 ''")


@pytest.mark.parametrize(
    ("printed", "traceback"),
    [(GOOD.replace(b"5", b"6"), b""), (b"", b""), (GOOD[3:], b""), (b"\xff" + GOOD, b""), (b"", b"NameError: y\r\n")],
)
def test_what_arrives_damaged_is_asked_again(printed: bytes, traceback: bytes) -> None:
    code = HASH + b"TREE\n_tree('x',0,0)"
    play = Playbook(programs().ask(GetStat("x")))
    for _ in range(RESENT_MAX):
        runs(play, code, printed, traceback)
    runs(play, code, GOOD).ends(Entry("x", False, 5))
    play = Playbook(programs().ask(GetStat("x")))
    for _ in range(RESENT_MAX):
        runs(play, code, printed, traceback)
    with pytest.raises(BoardError):
        runs(play, code, printed, traceback)


def test_a_change_without_an_answer_is_not_made_again() -> None:
    play = Playbook(programs().ask(Remove("f")))
    check = crc32(b"remove f")
    play.sends(b"\x05A\x01").hears(b"R\x01\x00\x10").sends(HASH + b"CHANGE\n_change(%d,'remove','f')" % check)
    play.sends(b"\x04")
    with pytest.raises(DialogueTimeoutError):
        play.hears(SILENCE)


@pytest.mark.parametrize(("traceback", "code"), [(b"OSError: 39\r\n", 39), (b"OSError: [Errno 2] ENOENT\r\n", 2)])
def test_the_boards_own_errors(traceback: bytes, code: int) -> None:
    play = Playbook(programs().ask(GetStat("x")))
    with pytest.raises(BoardError) as caught:
        runs(play, HASH + b"TREE\n_tree('x',0,0)", b"", traceback)
    assert caught.value.code == code


def test_what_the_firmware_cannot_do() -> None:
    play = Playbook(programs().ask(GetSpace()))
    for _ in range(RESENT_MAX):
        runs(play, HASH + b"SPACE\n_space('')", b"", b"AttributeError: no statvfs\r\n")
    with pytest.raises(BoardError) as caught:
        runs(play, HASH + b"SPACE\n_space('')", b"", b"AttributeError: no statvfs\r\n")
    assert caught.value.code == 38


def test_programs_stay_where_there_is_room() -> None:
    whole = b"TREE\n_tree('x',0,0)"
    for stay, first, second in (
        (True, HASH + whole, b"_tree('x',0,0)"),
        (False, b"CRC32\n" + whole, b"CRC32\n" + whole),
    ):
        there = programs(stay=stay)
        runs(Playbook(there.ask(GetStat("x"))), first, GOOD).ends(Entry("x", False, 5))
        play = Playbook(there.ask(GetStat("x")))
        if not stay:
            runs(play, b"_crc32=_tree=0\ndel _crc32,_tree")
        runs(play, second, GOOD).ends(Entry("x", False, 5))
