"""A line that drops, flips and doubles bytes: a transfer that says it succeeded has the right bytes.

The programs themselves have no check of their own, so the line is good until they run.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from program_board import Line, ProgramBoard
from webrepl_bridge.boards.programs import program
from webrepl_bridge.protocol.deflated_transfers import PutDeflated
from webrepl_bridge.protocol.raw_repl import RawRepl
from webrepl_bridge.protocol.text_transfers import GetText, PutText
from webrepl_bridge.protocol.transfers import Get, Put, Transfer
from webrepl_link.errors import BoardError, RemoteProtocolError

BLOCK_BYTES = 32

contents = st.one_of(
    st.binary(max_size=200),
    st.integers(0, 200).map(bytes),  # zeros
    st.integers(0, 60).map(lambda count: b"\x06\x04\x03" * count),
    st.tuples(st.binary(min_size=BLOCK_BYTES, max_size=BLOCK_BYTES), st.integers(0, 5)).map(
        lambda two: two[0] * two[1]
    ),
)
damages = st.dictionaries(
    st.integers(0, 60),
    st.sampled_from(["drop", "drop 2", "drop 9", "double", "flip 1", "flip 2", "flip 80"]),
    max_size=3,
)


class Damage:
    """Damages the bytes at given places, once each, when `on` says so."""

    def __init__(self, places: dict[int, str], scale: int, on: Callable[[], bool]) -> None:
        self._places = {place * scale: how for place, how in places.items()}
        self._on = on
        self._at = 0

    def __call__(self, data: bytes) -> bytes:
        if not self._on():
            return data
        damaged = bytearray()
        skip = 0
        for byte in data:
            how = self._places.get(self._at, "")
            self._at += 1
            if how.startswith("drop"):
                skip = int(how[4:] or 1)
            if skip:
                skip -= 1
                continue
            damaged += bytes([byte ^ int(how[4:], 16)]) if how.startswith("flip") else bytes([byte])
            if how == "double":
                damaged.append(byte)
        return bytes(damaged)


def drive_put(line: Line, repl: RawRepl, board: ProgramBoard, put: Transfer, content: bytes) -> None:
    """Put the file `f`, which holds `old`: what is said to be there is, and what has failed has left the old."""
    line.drive(repl.enter(line_is_empty=True))
    try:
        line.drive(put.run())
    except (BoardError, RemoteProtocolError):
        assert bytes(board.files.get("f", b"old")) in (b"old", content)
    else:
        assert bytes(board.files["f"]) == content


@given(contents, damages, damages, st.sampled_from([1, 7]), st.sampled_from([0, 8]), st.booleans(), st.booleans())
def test_put(
    content: bytes, there: dict[int, str], back: dict[int, str], scale: int, early: int, renames_over: bool, text: bool
) -> None:
    with ProgramBoard({"f": b"old"}, renames_over=renames_over) as board:
        repl = RawRepl()
        if text:
            put: Transfer = PutText(repl, program("put_text"), "f", len(content))
        else:
            put = Put(repl, program("put"), "f", len(content), BLOCK_BYTES, early)
        line = Line(board, content=content)
        line.to_board = Damage(there, scale, lambda: put.opened and (text or board.program_running))
        line.to_host = Damage(back, 1, lambda: put.opened)
        drive_put(line, repl, board, put, content)


@given(damages, damages, st.sampled_from([1, 7]), st.sampled_from([0, 8]))
def test_deflated_put(there: dict[int, str], back: dict[int, str], scale: int, early: int) -> None:
    content = bytes(100) + bytes(range(256)) + bytes(3000)
    with ProgramBoard({"f": b"old"}) as board:
        repl = RawRepl()
        code, inflate = program("put"), program("inflate")
        put = PutDeflated(repl, code, "f", len(content), len(inflate), early, inflate=inflate, window_bits=9)
        line = Line(board, content=content)
        line.to_board = Damage(there, scale, lambda: put.opened and board.program_running)
        line.to_host = Damage(back, 1, lambda: put.opened)
        drive_put(line, repl, board, put, content)


@given(contents, damages, damages, st.sampled_from([1, 7]), st.booleans())
def test_get(content: bytes, there: dict[int, str], back: dict[int, str], scale: int, text: bool) -> None:
    with ProgramBoard({"f": content}) as board:
        repl = RawRepl()
        get: Transfer = GetText(repl, program("get_text"), "f") if text else Get(repl, program("get"), "f", BLOCK_BYTES)
        line = Line(board)
        line.to_board = Damage(there, 1, lambda: get.opened and (text or board.program_running))
        line.to_host = Damage(back, scale, lambda: get.opened)
        line.drive(repl.enter(line_is_empty=True))
        try:
            line.drive(get.run())
        except (BoardError, RemoteProtocolError):
            assert content.startswith(line.delivered)
        else:
            assert line.delivered == content


@given(damages, st.sampled_from([1, 7]))
def test_damaged_pieces_of_text_are_sent_again(there: dict[int, str], scale: int) -> None:
    content = bytes(range(200))
    with ProgramBoard(raw_paste=False) as board:
        repl = RawRepl()
        put = PutText(repl, program("put_text"), "f", len(content))
        get = GetText(repl, program("get_text"), "f")
        line = Line(board, content=content)
        line.drive(repl.enter(line_is_empty=True))
        for transfer, on in (
            (put, lambda: put.opened and bool(line.content)),
            (get, lambda: get.opened and line.delivered != content),
        ):
            damage = Damage(there, scale if transfer is put else 1, on)
            line.to_board = lambda data, damage=damage: damage(data) if data[0] >= 0x20 else data  # code only
            line.drive(transfer.run())
        assert bytes(board.files["f"]) == content == line.delivered
