"""The host's side of put and get, word for word; property tests have the programs at the other end."""

from __future__ import annotations

from binascii import crc32

import pytest

from playbook import SILENCE, Playbook
from webrepl_bridge.protocol.dialogue import Deliver, DialogueTimeoutError, Fetch, Opened, Pause
from webrepl_bridge.protocol.insist import RESENT_MAX
from webrepl_bridge.protocol.raw_repl import RAW_PROMPT, ProgramError, RawRepl
from webrepl_bridge.protocol.text_transfers import GetText, PutText, checksum
from webrepl_bridge.protocol.transfers import (
    FILE_BYTES_MAX,
    FILLER_BYTES,
    FRAME_BYTES,
    Get,
    Put,
    arguments,
    quote,
    temporary_name,
)
from webrepl_link.errors import BoardError, RemoteProtocolError

BLOCK_BYTES = 4
ACK = b"\x06"
DONE = b"\x04\x04>"
DAMAGED = b"\x04OSError: 74\r\n\x04>"


def sealed(data: bytes) -> bytes:
    return len(data).to_bytes(2, "little") + data + crc32(data, ~len(data)).to_bytes(4, "little")


def starts(play: Playbook, code: bytes, answer: bytes = b"") -> Playbook:
    """The dialogue has the board run `code` by raw-paste; the board then says `answer`."""
    play.sends(b"\x05A\x01").hears(b"R\x01\x00\x10").sends(code).sends(b"\x04")
    return play.hears(b"\x04" + answer)


def runs(play: Playbook, code: bytes, printed: bytes = b"", traceback: bytes = b"") -> Playbook:
    return starts(play, code, printed + b"\x04" + traceback + b"\x04>")


def put_code(size: int, mode: str = "wb") -> bytes:
    return b"PUT\n_put(%s,0)" % arguments(("f", size), mode, BLOCK_BYTES)


def get_code(offset: int = 0) -> bytes:
    return b"GET\n_get(%s)" % arguments(("f", offset, FILE_BYTES_MAX - offset), BLOCK_BYTES)


REMOVE = b"__import__('os').remove('f~')"
SIZE = b"print(__import__('os').stat('f~')[6])"


def put(size: int, early: int = 0) -> tuple[Put, Playbook]:
    transfer = Put(RawRepl(), b"PUT", "f", size, BLOCK_BYTES, early)
    return transfer, Playbook(transfer.run())


def opened_put(size: int, early: int = 0) -> tuple[Put, Playbook]:
    transfer, play = put(size, early)
    starts(play, put_code(size), ACK).does(Opened())
    return transfer, play


def test_names_are_quoted() -> None:
    assert quote("a'b\"\\\n\xe9\u20ac\U0001f600") == rb"""'a\'b"\\\n\xe9\u20ac\U0001f600'"""
    assert temporary_name("/flash/main.py") == "/flash/main.py~"


def test_arguments_begin_with_a_check_of_what_matters() -> None:
    assert arguments(("n", 7), "o", 8) == b"%d,'n',7,'o',8" % crc32(b"n 7")


def test_puts() -> None:
    transfer, play = opened_put(6)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).does(Fetch(2), b"ef").hears(ACK)
    play.sends(sealed(b"ef")).hears(DONE).ends()
    assert transfer.resent_blocks == 0


def test_puts_nothing() -> None:
    transfer, play = put(0)
    starts(play, put_code(0), DONE).does(Opened()).ends()
    assert transfer.opened


def test_sends_a_little_of_the_next_block_ahead() -> None:
    _, play = opened_put(12, early=3)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).does(Fetch(4), b"efgh").sends(sealed(b"efgh")[:3]).hears(ACK)
    play.sends(sealed(b"efgh")[3:]).does(Fetch(4), b"ijkl").sends(sealed(b"ijkl")[:3]).hears(ACK)
    play.sends(sealed(b"ijkl")[3:]).hears(DONE).ends()


def test_sends_a_whole_block_ahead_if_it_is_small() -> None:
    _, play = opened_put(5, early=30)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).does(Fetch(1), b"e").sends(sealed(b"e")).hears(ACK)
    play.sends(b"").hears(DONE).ends()


def test_a_damaged_block_is_sent_again() -> None:
    transfer, play = opened_put(8, early=3)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).does(Fetch(4), b"efgh").sends(sealed(b"efgh")[:3]).hears(
        DAMAGED
    )
    runs(play, SIZE, b"0\r\n")
    starts(play, put_code(8, "ab"), ACK)
    play.sends(sealed(b"abcd")).hears(ACK).sends(sealed(b"efgh")).hears(DONE).ends()  # and none ahead any more
    assert transfer.resent_blocks == 1


def test_a_block_whose_answer_was_lost_is_not_sent_again() -> None:
    _, play = opened_put(8)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).does(Fetch(4), b"efgh").hears(SILENCE)
    play.sends(bytes(FILLER_BYTES)).hears(DAMAGED)
    runs(play, SIZE, b"4\r\n")
    starts(play, put_code(4, "ab"), ACK).sends(sealed(b"efgh")).hears(DONE).ends()


@pytest.mark.parametrize("size", [b"3\r\n", b"8\r\n", b"\r\n", b"nonsense\r\n"])
def test_a_board_that_has_stored_something_else(size: bytes) -> None:
    _, play = opened_put(8)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).does(Fetch(4), b"efgh").hears(DAMAGED)
    with pytest.raises(RemoteProtocolError):
        runs(play, SIZE, size)


def test_lost_bytes_are_filled_up() -> None:
    _, play = opened_put(4)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).hears(SILENCE)
    play.sends(bytes(FILLER_BYTES)).hears(SILENCE).sends(bytes(2 * FILLER_BYTES)).hears(DAMAGED)
    runs(play, SIZE, b"0\r\n")
    starts(play, put_code(4, "ab"), ACK).sends(sealed(b"abcd")).hears(DONE).ends()


def test_a_board_that_falls_silent() -> None:
    _, play = opened_put(4)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).hears(SILENCE)
    play.sends(bytes(FILLER_BYTES)).hears(SILENCE).sends(bytes(2 * FILLER_BYTES))
    with pytest.raises(DialogueTimeoutError):
        play.hears(SILENCE)


def test_a_line_that_is_too_bad() -> None:
    _, play = opened_put(4)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd"))
    for _ in range(RESENT_MAX):
        play.hears(DAMAGED)
        runs(play, SIZE, b"0\r\n")
        starts(play, put_code(4, "ab"), ACK).sends(sealed(b"abcd"))
    play.hears(DAMAGED)
    with pytest.raises(ProgramError) as caught:
        runs(play, REMOVE)
    assert caught.value.code == 74


def test_no_space_in_the_middle() -> None:
    _, play = opened_put(8)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).does(Fetch(4), b"efgh")
    play.hears(b"\x04Traceback\r\nOSError: [Errno 28] ENOSPC\r\n\x04>")
    with pytest.raises(ProgramError) as caught:
        runs(play, REMOVE)
    assert caught.value.code == 28


@pytest.mark.parametrize("removed", [b"", b"OSError: 2\r\n"])
def test_a_file_that_cannot_be_opened(removed: bytes) -> None:
    transfer, play = put(4)
    starts(play, put_code(4), b"\x04OSError: [Errno 30] EROFS\r\n\x04>")
    with pytest.raises(ProgramError) as caught:
        runs(play, REMOVE, traceback=removed)
    assert caught.value.code == 30
    assert not transfer.opened


def test_a_damaged_call_is_made_again() -> None:
    transfer, play = put(4)
    starts(play, put_code(4), DAMAGED)
    starts(play, put_code(4), ACK).does(Opened()).does(Fetch(4), b"abcd").sends(sealed(b"abcd")).hears(DONE).ends()
    assert transfer.resent_blocks == 1


REPLACE = b"__import__('os').remove('f')\n__import__('os').rename('f~','f')"


def test_a_file_system_that_does_not_rename_over_a_file() -> None:
    _, play = opened_put(4)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).hears(b"\x04OSError: [Errno 17] EEXIST\r\n\x04>")
    runs(play, REPLACE).ends()


def test_nonsense_in_the_middle_of_a_put() -> None:
    _, play = opened_put(4)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd"))
    with pytest.raises(RemoteProtocolError):
        play.hears(b"?")


def test_a_board_that_ends_too_early() -> None:
    _, play = opened_put(8)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).does(Fetch(4), b"efgh")
    with pytest.raises(RemoteProtocolError):
        play.hears(DONE)


def test_a_put_is_abandoned_between_two_blocks() -> None:
    transfer, play = opened_put(8, early=3)
    play.does(Fetch(4), b"abcd").sends(sealed(b"abcd")).does(Fetch(4), b"efgh").sends(sealed(b"efgh")[:3])
    play = Playbook(transfer.abandon()).sends(bytes(7)).hears(ACK).sends(bytes(FRAME_BYTES))
    runs(play.hears(b"\x04OSErr", b"or: 74\r\n\x04>"), REMOVE).ends()


def test_a_put_is_abandoned_with_bytes_lost() -> None:
    transfer, _ = opened_put(8)
    play = Playbook(transfer.abandon()).sends(bytes(FRAME_BYTES)).hears(SILENCE)
    play.sends(bytes(FILLER_BYTES)).hears(DAMAGED)
    runs(play, REMOVE).ends()


def test_a_put_that_cannot_be_abandoned() -> None:
    transfer, _ = opened_put(8)
    play = Playbook(transfer.abandon()).sends(bytes(FRAME_BYTES)).hears(SILENCE).sends(bytes(FILLER_BYTES))
    play.hears(SILENCE).sends(bytes(2 * FILLER_BYTES))
    with pytest.raises(DialogueTimeoutError):
        play.hears(SILENCE)


def put_part(offset: int, keep: bool) -> tuple[Put, Playbook]:
    transfer = Put(RawRepl(), b"PUT", "f", 4, BLOCK_BYTES, 0, offset, keep=keep)
    return transfer, Playbook(transfer.run())


def test_a_put_goes_on() -> None:
    _, play = put_part(10, keep=False)
    runs(play, SIZE, b"10\r\n")
    starts(play, put_code(4, "ab"), ACK).does(Opened()).does(Fetch(4), b"abcd").sends(sealed(b"abcd")).hears(DAMAGED)
    runs(play, SIZE, b"10\r\n")
    starts(play, put_code(4, "ab"), ACK).sends(sealed(b"abcd")).hears(DONE).ends()


@pytest.mark.parametrize(("printed", "traceback", "code"), [(b"9\r\n", b"", 22), (b"", b"OSError: 2\r\n", 2)])
def test_a_put_that_cannot_go_on_leaves_what_is_there(printed: bytes, traceback: bytes, code: int) -> None:
    _, play = put_part(10, keep=False)
    with pytest.raises(ProgramError) as caught:
        runs(play, SIZE, printed, traceback)
    assert caught.value.code == code


def test_what_has_come_of_a_put_is_kept() -> None:
    transfer, play = put_part(0, keep=True)
    starts(play, put_code(4), ACK).does(Opened())
    Playbook(transfer.abandon()).sends(bytes(FRAME_BYTES)).hears(DAMAGED).ends()
    Playbook(transfer.clean_up()).ends()


def blocks(start: int, *pieces: bytes) -> bytes:
    """What the program get says: each piece with its length and the check of all before."""
    said, check = b"", start
    for piece in pieces:
        said += len(piece).to_bytes(2, "little") + piece
        check = crc32(len(piece).to_bytes(2, "little") + piece, check)
        said += check.to_bytes(4, "little")
    return said


def opened_get() -> tuple[Get, Playbook]:
    transfer = Get(RawRepl(), b"GET", "f", BLOCK_BYTES)
    play = starts(Playbook(transfer.run()), get_code(), ACK).does(Opened()).sends(ACK * 2)
    return transfer, play


def test_gets() -> None:
    _, play = opened_get()
    whole = blocks(0, b"abcd", b"ef", b"", b"")
    first, second = len(blocks(0, b"abcd")), len(blocks(0, b"abcd", b"ef"))
    play.hears(whole[:3], whole[3:first]).sends(ACK).does(Deliver(b"abcd"))
    play.hears(whole[first:second]).sends(ACK).does(Deliver(b"ef"))
    play.hears(whole[second:]).sends(b"Q").hears(DONE).ends()


def test_gets_nothing() -> None:
    _, play = opened_get()
    play.hears(blocks(0, b"", b"")).sends(b"Q").hears(DONE).ends()


def test_a_missing_file() -> None:
    transfer = Get(RawRepl(), b"GET", "f", BLOCK_BYTES)
    with pytest.raises(ProgramError) as caught:
        starts(Playbook(transfer.run()), get_code(), b"\x04OSError: [Errno 2] ENOENT\r\n\x04>")
    assert caught.value.code == 2
    assert not transfer.opened


def test_nonsense_before_a_file() -> None:
    with pytest.raises(RemoteProtocolError):
        starts(Playbook(Get(RawRepl(), b"GET", "f", BLOCK_BYTES).run()), get_code(), b"?")


@pytest.mark.parametrize(
    "damaged",
    [
        [blocks(0, b"abcd", b"efgh")[10:-1] + b"?"],
        [blocks(0, b"abcd", b"efgh")[10:-1], SILENCE],  # a byte was lost
        [blocks(0, b"abcd", b"efgh")[11:]],
        [b"\xff\xff", b"efgh"],  # a length that cannot be
        [blocks(0, b"efgh")],  # its check is not of what came before
        [bytes(6)],  # zeros look like an end
        [SILENCE],
    ],
)
def test_a_damaged_block_is_got_again(damaged: list[bytes | Exception]) -> None:
    _, play = opened_get()
    play.hears(blocks(0, b"abcd")).sends(ACK).does(Deliver(b"abcd"))
    play.hears(*damaged).hears(SILENCE).sends(b"Q").hears(DONE, SILENCE)
    starts(play, get_code(4), ACK).sends(ACK * 2)
    play.hears(blocks(4, b"efgh")).sends(ACK).does(Deliver(b"efgh"))
    play.hears(blocks(4, b"efgh", b"", b"")[10:]).sends(b"Q").hears(DONE).ends()


def test_a_program_that_fails_in_the_middle_of_a_get() -> None:
    _, play = opened_get()
    play.hears(blocks(0, b"abcd")).sends(ACK).does(Deliver(b"abcd"))
    play.hears(b"\x04Traceback\r\nOSError: [Errno 5] EIO\r\n\x04>").hears(SILENCE)
    with pytest.raises(ProgramError) as caught:
        play.sends(b"\x03")
    assert caught.value.code == 5


def test_a_get_on_a_line_that_is_too_bad() -> None:
    _, play = opened_get()
    for _ in range(RESENT_MAX):
        play.hears(bytes(6)).hears(SILENCE).sends(b"Q").hears(DONE, SILENCE)
        starts(play, get_code(), ACK).sends(ACK * 2)
    with pytest.raises(BoardError):
        play.hears(bytes(6))


def test_a_get_is_abandoned() -> None:
    transfer, _ = opened_get()
    Playbook(transfer.abandon()).hears(b"data", SILENCE).sends(b"Q").hears(b"more" + DONE, SILENCE).ends()
    Playbook(transfer.clean_up()).ends()


def test_a_get_that_cannot_be_abandoned() -> None:
    transfer, _ = opened_get()
    play = Playbook(transfer.abandon()).hears(SILENCE).sends(b"Q")
    with pytest.raises(DialogueTimeoutError):
        play.hears(SILENCE)


# As text.


def put_text(size: int) -> tuple[PutText, Playbook, bytes]:
    transfer = PutText(RawRepl(), b"PUT", "f", size)
    return transfer, Playbook(transfer.run()), b"PUT\ntry:_put=Put('f','f~')\nfinally:del Put\n"


def test_puts_text() -> None:
    _, play, code = put_text(66)
    data = b"x" * 64 + b"\x00\xff"
    first, second = checksum(data[:64], checksum(b"ff~")), checksum(data, checksum(b"ff~"))
    runs(play, code).does(Opened()).does(Fetch(64), data[:64])
    runs(play, b"_put.add(0,b'%s',%d)" % (data[:64], first), b"%d\r\n" % first).does(Fetch(2), data[64:])
    runs(play, rb"_put.add(64,b'\x00\xff',%d)" % second, b"%d\r\n" % second)
    runs(play, b"_put.end(66,%d)" % second, b"%d\r\n" % second)
    runs(play, b"del _put").ends()


DAMAGES = {
    "SyntaxError: invalid syntax\r\n": b"",
    "OSError: 74\r\n": b"",
    "": b"what it should not print\r\n",
}


@pytest.mark.parametrize("traceback", DAMAGES)
def test_a_damaged_piece_is_put_again(traceback: str) -> None:
    _, play, code = put_text(2)
    runs(play, code).does(Opened()).does(Fetch(2), b"ab")
    check = checksum(b"ff~ab")
    for _ in range(RESENT_MAX):
        runs(play, b"_put.add(0,b'ab',%d)" % check, DAMAGES[traceback], traceback.encode())
    runs(play, b"_put.add(0,b'ab',%d)" % check, b"%d\r\n" % check)
    runs(play, b"_put.end(2,%d)" % check, b"%d\r\n" % check)
    runs(play, b"del _put").ends()


def test_a_piece_without_an_answer_is_put_again() -> None:
    _, play, code = put_text(2)
    runs(play, code).does(Opened()).does(Fetch(2), b"ab")
    check = checksum(b"ff~ab")
    play.sends(b"\x05A\x01").hears(b"R\x01\x00\x10").sends(b"_put.add(0,b'ab',%d)" % check).sends(b"\x04")
    play.hears(SILENCE).sends(b"\x03\x03").does(Pause(100)).hears(SILENCE).sends(b"\x02").hears(b"\r\n>>> ", SILENCE)
    runs(play.sends(b"\x01").hears(RAW_PROMPT), b"0")
    runs(play, b"_put.add(0,b'ab',%d)" % check, b"%d\r\n" % check)
    runs(play, b"_put.end(2,%d)" % check, b"%d\r\n" % check)
    runs(play, b"del _put").ends()


def test_a_line_that_is_too_bad_for_text() -> None:
    _, play, code = put_text(2)
    runs(play, code).does(Opened()).does(Fetch(2), b"ab")
    for _ in range(RESENT_MAX + 1):
        runs(play, b"_put.add(0,b'ab',%d)" % checksum(b"ff~ab"), traceback=b"NameError: x\r\n")
    with pytest.raises(BoardError):
        runs(play, GIVE_UP)


def test_put_text_does_not_believe_a_silent_end() -> None:
    _, play, code = put_text(0)
    runs(play, code).does(Opened())
    with pytest.raises(RemoteProtocolError):
        runs(play, b"_put.end(0,%d)" % checksum(b"ff~"), b"")


GIVE_UP = b"_put.give_up()\ndel _put"


def test_put_text_gives_up_when_there_is_no_space() -> None:
    _, play, code = put_text(2)
    runs(play, code).does(Opened()).does(Fetch(2), b"ab")
    runs(play, b"_put.add(0,b'ab',%d)" % checksum(b"ff~ab"), traceback=b"OSError: 28\r\n")
    with pytest.raises(ProgramError) as caught:
        runs(play, GIVE_UP)
    assert caught.value.code == 28


def test_put_text_is_abandoned() -> None:
    transfer, play, code = put_text(2)
    runs(play, code).does(Opened())
    runs(Playbook(transfer.abandon()), GIVE_UP).ends()


def get_text() -> tuple[GetText, Playbook]:
    transfer = GetText(RawRepl(), b"GET", "f")
    return transfer, runs(Playbook(transfer.run()), b"GET\ntry:_get=Get('f')\nfinally:del Get\n")


CLOSE = b"_get.f.close()\ndel _get"


def told(data: bytes, start: int) -> bytes:
    return b"%a %d\r\n" % (data, checksum(data, start + 1))


def test_gets_text() -> None:
    _, play = get_text()
    play.does(Opened())
    runs(play, b"_get.more(0,64)", told(b"a\x00\n", 0)).does(Deliver(b"a\x00\n"))
    runs(play, b"_get.more(3,64)", told(b"", 3))
    runs(play, CLOSE).ends()


@pytest.mark.parametrize(
    "printed", [b"b'ab' 17\r\n", b"b'ab' x\r\n", b"\r\n", b"[] 1\r\n", b"b'a 1\r\n", b"b'\xff' 1", told(b"ab", 1)]
)
def test_a_damaged_piece_of_text(printed: bytes) -> None:
    _, play = get_text()
    play.does(Opened())
    for _ in range(RESENT_MAX):
        runs(play, b"_get.more(0,64)", printed)
    with pytest.raises(BoardError):
        runs(play, b"_get.more(0,64)", printed)


def test_a_damaged_piece_of_text_is_told_again() -> None:
    _, play = get_text()
    play.does(Opened())
    runs(play, b"_get.more(0,64)", told(b"ab", 0).replace(b"a", b"b"))
    runs(play, b"_get.more(0,64)", told(b"ab", 0)).does(Deliver(b"ab"))
    runs(play, b"_get.more(2,64)", told(b"", 2))
    runs(play, CLOSE).ends()


def test_get_text_is_abandoned() -> None:
    transfer, _ = get_text()
    runs(Playbook(transfer.abandon()), CLOSE).ends()
