"""Wherever a transfer is left, the board comes back to its prompt, and only whole files are left on it."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from program_board import Abandoned, Line, ProgramBoard
from webrepl_bridge.boards.programs import program
from webrepl_bridge.protocol.deflated_transfers import PutDeflated
from webrepl_bridge.protocol.raw_repl import RawRepl
from webrepl_bridge.protocol.text_transfers import GetText, PutText
from webrepl_bridge.protocol.transfers import FRAME_BYTES, Get, Put, Transfer
from webrepl_link.errors import BoardError, RemoteProtocolError

BLOCK_BYTES = 32
NEW = bytes(range(60)) + bytes(100)
DEFLATED_BLOCK_BYTES = 200
NEW_DEFLATED = bytes(range(100)) + bytes(1000) + random.Random(1).randbytes(250)


def make(kind: type[Transfer], repl: RawRepl) -> Transfer:
    if kind is Put:
        return Put(repl, program("put"), "f", len(NEW), BLOCK_BYTES, early_bytes=8)
    if kind is PutDeflated:
        size, code = len(NEW_DEFLATED), program("put")
        return PutDeflated(repl, code, "f", size, DEFLATED_BLOCK_BYTES, 8, inflate=program("inflate"), window_bits=12)
    if kind is Get:
        return Get(repl, program("get"), "f", BLOCK_BYTES)
    if kind is PutText:
        return PutText(repl, program("put_text"), "f", len(NEW))
    return GetText(repl, program("get_text"), "f")


def bring_back(line: Line, repl: RawRepl, transfer: Transfer) -> None:
    """What a board does with a transfer that was left."""
    if transfer.opened:
        try:
            line.drive(transfer.abandon())
            return
        except (BoardError, RemoteProtocolError):
            pass
    line.drive(repl.recover(DEFLATED_BLOCK_BYTES + FRAME_BYTES))
    line.drive(transfer.clean_up())


@given(
    st.sampled_from([Put, PutDeflated, Get, PutText, GetText]),
    st.integers(0, 80),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 40]),
)
def test_left_at_any_step(kind: type[Transfer], step: int, sent: bool, raw_paste: bool, write_ms: int) -> None:
    with ProgramBoard({"f": b"old"}, raw_paste=raw_paste, write_ms=write_ms) as board:
        repl = RawRepl()
        transfer = make(kind, repl)
        new = NEW_DEFLATED if kind is PutDeflated else NEW
        line = Line(board, content=new)
        line.drive(repl.enter(line_is_empty=True))
        try:
            line.drive(transfer.run(), abandon_at=line.steps + step, but_take_it=sent)
        except Abandoned:
            bring_back(line, repl, transfer)
        assert not board.program_running
        assert line.drive(repl.execute(b"print(6 * 7)")) == b"42\r\n"
        line.drive(repl.leave())
        assert set(board.files) == {"f"}
        assert bytes(board.files["f"]) in (b"old", new)
        assert not {"_put", "_inflate", "_get", "Put", "Get", "put", "get"} & set(board.globals)
