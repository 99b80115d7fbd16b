"""Code at a terminal, word for word."""

from __future__ import annotations

import pytest

from playbook import SILENCE, Playbook
from webrepl_bridge.protocol.dialogue import Deliver
from webrepl_bridge.protocol.raw_repl import ProgramError
from webrepl_bridge.protocol.script import Script
from webrepl_link.errors import BoardError

RAW = b"\r\nraw REPL; CTRL-B to exit\r\n>"


def at_raw_prompt(script: Script) -> Playbook:
    return Playbook(script.run()).sends(b"\x03").hears(b"\r\n>>> ", SILENCE).sends(b"\x01").hears(RAW)


def test_what_is_printed_is_delivered_as_it_comes() -> None:
    book = at_raw_prompt(Script(b"code")).sends(b"code\x04").hears(b"O", b"Kone")
    book.does(Deliver(b"one")).hears(b"two").does(Deliver(b"two")).hears(b"three\x04\x04")
    book.does(Deliver(b"three")).hears(b">").sends(b"\x02").hears(b"MicroPython\r\n>>> ").ends()


def test_an_exception_is_raised_when_the_prompt_is_back() -> None:
    book = at_raw_prompt(Script(b"code")).sends(b"code\x04")
    book.hears(b"OK\x04Traceback\r\nOSError: [Errno 28] ENOSPC\r\n\x04>").sends(b"\x02")
    with pytest.raises(ProgramError, match="ENOSPC") as raised:
        book.hears(b"\r\n>>> ")
    assert raised.value.code == 28
    assert raised.value.traceback.startswith("Traceback")


def test_ctrl_b_helps_where_someone_has_left_raw_mode() -> None:
    book = Playbook(Script(b"").run()).sends(b"\x03").hears(SILENCE).sends(b"\x02").hears(b"\r\n>>> ")
    book.hears(SILENCE).sends(b"\x01").hears(RAW).sends(b"pass\x04")


def test_a_program_that_cannot_be_interrupted() -> None:
    book = Playbook(Script(b"1").run())
    for keys in (b"\x03", b"\x02") * 2 + (b"\x03",):
        book.sends(keys).hears(SILENCE)
    book.sends(b"\x02")
    with pytest.raises(BoardError, match="another client has it"):
        book.hears(SILENCE)


def test_keys_of_the_repl_cannot_be_in_code() -> None:
    with pytest.raises(ValueError, match="Ctrl-A"):
        Script(b"print('\x04')")
