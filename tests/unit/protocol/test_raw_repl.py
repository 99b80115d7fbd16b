"""Dialogues with the raw REPL, word for word."""

from __future__ import annotations

import pytest

from playbook import SILENCE, Playbook
from webrepl_bridge.protocol.dialogue import Dialogue, DialogueTimeoutError, Pause
from webrepl_bridge.protocol.raw_repl import (
    PORTION_BYTES,
    PORTION_PAUSE_MS,
    RAW_PROMPT,
    REPLY_BYTES_MAX,
    ProgramError,
    RawRepl,
)
from webrepl_link.errors import BoardError, RemoteProtocolError

BANNER = b"\r\nMicroPython v1.25.0 on 2025-04-15; x\r\n>>> "


def test_enters_from_an_empty_line() -> None:
    repl = RawRepl()
    Playbook(repl.enter(line_is_empty=True)).sends(b"\x01").hears(b"\r\nraw REPL; CTRL-B", b" to exit\r\n>").ends()
    assert repl.at_prompt


def test_enters_from_a_half_typed_line() -> None:
    play = Playbook(RawRepl().enter(line_is_empty=False))
    play.sends(b"\x03").hears(b"\r\n>>> ").sends(b"\x01").hears(b"\r\n" + RAW_PROMPT).ends()


def test_enter_times_out() -> None:
    repl = RawRepl()
    with pytest.raises(DialogueTimeoutError):
        Playbook(repl.enter(line_is_empty=True)).sends(b"\x01").hears(b"\r\nraw", SILENCE)
    assert not repl.at_prompt


def test_leaves() -> None:
    Playbook(RawRepl().leave()).sends(b"\x02").hears(BANNER).ends()


def test_executes_by_raw_paste() -> None:
    repl = RawRepl()
    play = Playbook(repl.execute(b"print('hello')"))
    play.sends(b"\x05A\x01").hears(b"R\x01\x05", b"\x00\x01").sends(b"print").hears().sends(b"('hel")
    play.hears(b"\x01").sends(b"lo')").sends(b"\x04").hears(b"\x01\x04hel", b"lo\r\n\x04\x04>").ends(b"hello\r\n")
    assert repl.raw_paste
    assert repl.at_prompt


def test_executes_as_the_window_of_one_byte_opens() -> None:
    play = Playbook(RawRepl().execute(b"1"))
    play.sends(b"\x05A\x01").hears(b"R", b"\x01", b"\x01", b"\x00").sends(b"1").sends(b"\x04")
    play.hears(b"\x04", b"\x04", b"\x04", b">").ends(b"")


@pytest.mark.parametrize("refusal", [[b"R\x00"], [RAW_PROMPT], [b"r", b"aw REPL; CTRL-B to exit\r\n", b">"]])
def test_executes_in_portions_on_old_firmware(refusal: list[bytes]) -> None:
    repl = RawRepl()
    code = b"x" * PORTION_BYTES + b"y"
    for asked in (True, False):
        play = Playbook(repl.execute(code))
        if asked:
            play.sends(b"\x05A\x01").hears(*refusal)
        play.sends(b"x" * PORTION_BYTES).does(Pause(PORTION_PAUSE_MS)).sends(b"y").does(Pause(PORTION_PAUSE_MS))
        play.sends(b"\x04").hears(b"OK42\r\n\x04\x04>").ends(b"42\r\n")


def test_a_syntax_error_that_the_board_finds_before_the_end() -> None:
    repl = RawRepl()
    play = Playbook(repl.execute(b"x==!y z"))
    play.sends(b"\x05A\x01").hears(b"R\x01\x05\x00").sends(b"x==!y").hears(b"\x04").sends(b"\x04")
    with pytest.raises(ProgramError, match="SyntaxError"):
        play.hears(b"\x04Traceback:\r\nSyntaxError: invalid syntax\r\n\x04>")
    assert repl.at_prompt


@pytest.mark.parametrize(
    ("traceback", "code", "message"),
    [
        (b"Traceback\r\n  File\r\nOSError: [Errno 28] ENOSPC\r\n", 28, "OSError: [Errno 28] ENOSPC"),
        (b"Traceback\r\nOSError: 2\r\n", 2, "OSError: 2"),
        (b"OSError: 0\r\n", 5, "OSError: 0"),
        (b"MemoryError: memory allocation failed, allocating 9 bytes\r\n", 12, "MemoryError: memory allocation failed"),
        (b"OSError: file not found\r\n", 2, "OSError: file not found"),
        (b"OSError: no more storage space\r\n", 28, "OSError: no more storage space"),
        (b"ValueError: \xff\r\n", 5, "ValueError: \ufffd"),
        (b"\r\n", 5, "the program on the board failed"),
    ],
)
def test_exceptions(traceback: bytes, code: int, message: str) -> None:
    with pytest.raises(ProgramError) as caught:
        Playbook(RawRepl().finish()).hears(b"out\x04" + traceback + b"\x04>")
    assert caught.value.code == code
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    "heard",
    [
        [],
        [b"R"],
        [b"R\x01\x10"],
        [b"R\x01\x10\x00"],
        [b"R\x01\x10\x00", b"\x04out"],
        [b"R\x01\x10\x00", b"\x04out\x04Trace"],
    ],
)
def test_silence_at_any_point_is_a_timeout(heard: list[bytes]) -> None:
    repl = RawRepl()
    play = Playbook(repl.execute(b"code"))
    for piece in heard:
        play.sends_something().hears(piece)
    with pytest.raises(DialogueTimeoutError) as caught:
        play.sends_something().hears(SILENCE)
    assert isinstance(caught.value, BoardError)
    assert not repl.at_prompt


def test_nonsense_instead_of_an_answer() -> None:
    with pytest.raises(RemoteProtocolError):
        Playbook(RawRepl().execute(b"1")).sends(b"\x05A\x01").hears(b">>> ")


def test_a_flood_is_no_answer() -> None:
    play = Playbook(RawRepl().finish()).hears(bytes(REPLY_BYTES_MAX))
    with pytest.raises(RemoteProtocolError):
        play.hears(b"x")


def recovery(repl: RawRepl) -> Playbook:
    return Playbook(repl.recover(3))


def at_friendly_prompt(play: Playbook) -> None:
    play.hears(BANNER).hears(SILENCE, timeout_ms=100).sends(b"\x01").hears(b"\r\n" + RAW_PROMPT)
    play.sends(b"\x05A\x01").hears(b"R\x01\x80\x00").sends(b"0").sends(b"\x04")


def test_recovers_from_a_program() -> None:
    repl = RawRepl()
    play = recovery(repl).sends(b"\x03\x03").does(Pause(100)).hears(b"\x04Trace\x04>").sends(b"\x02")
    at_friendly_prompt(play)
    play.hears(b"\x04\x04\x04>").ends()
    assert repl.at_prompt


def test_recovers_though_an_interrupt_was_pending() -> None:
    play = recovery(RawRepl()).sends(b"\x03\x03").does(Pause(100)).hears(SILENCE).sends(b"\x02")
    at_friendly_prompt(play)
    play.hears(b"\x04\x04KeyboardInterrupt\r\n\x04>").ends()


def test_recovers_from_a_program_that_takes_ctrl_c_as_data() -> None:
    play = recovery(RawRepl()).sends(b"\x03\x03").does(Pause(100)).hears(SILENCE).sends(b"\x02").hears(SILENCE)
    play.sends(b"\x03\x03\x03").does(Pause(100)).hears(SILENCE).sends(b"\x02")
    at_friendly_prompt(play)
    play.hears(b"\x04\x04\x04>").ends()


def test_what_came_before_is_no_prompt() -> None:
    play = recovery(RawRepl()).sends(b"\x03\x03").does(Pause(100)).hears(b"a file with a\r\n>>> in it").sends(b"\x02")
    with pytest.raises(AssertionError):
        play.ends()
    play.hears(SILENCE).sends(b"\x03\x03\x03")


def test_recovery_gives_up() -> None:
    play = recovery(RawRepl())
    for attempt in range(4):
        play.sends(b"\x03\x03" if attempt % 2 == 0 else b"\x03\x03\x03").does(Pause(100)).hears(SILENCE).sends(b"\x02")
        if attempt < 3:
            play.hears(SILENCE)
    with pytest.raises(DialogueTimeoutError):
        play.hears(SILENCE)


def test_exactly_keeps_what_came_before_a_timeout() -> None:
    repl = RawRepl()

    def both() -> Dialogue[bytes]:
        try:
            yield from repl.exactly(4, 100)
        except DialogueTimeoutError:
            return (yield from repl.exactly(2, 100))
        return b""

    Playbook(both()).hears(b"ab", SILENCE).ends(b"ab")


def raw_pastes(play: Playbook, code: bytes, traceback: bytes = b"") -> Playbook:
    play.sends(b"\x05A\x01").hears(b"R\x01\x00\x10").sends(code).sends(b"\x04")
    return play.hears(b"\x04\x04" + traceback + b"\x04>")


def called(repl: RawRepl, function: bytes) -> Playbook:
    def call() -> Dialogue[None]:
        yield from repl.call(b"1,2", (function, b"SOURCE"))
        yield from repl.finish()

    return Playbook(call())


def test_a_function_goes_to_the_board_once() -> None:
    repl = RawRepl()
    raw_pastes(called(repl, b"_f"), b"SOURCE\n_f(1,2)").ends()
    raw_pastes(called(repl, b"_f"), b"_f(1,2)").ends()
    raw_pastes(called(repl, b"_g"), b"SOURCE\n_g(1,2)").ends()
    raw_pastes(called(repl, b"_f"), b"_f(1,2)").ends()


def test_functions_go_to_the_board_again_after_a_failure() -> None:
    repl = RawRepl()
    raw_pastes(called(repl, b"_f"), b"SOURCE\n_f(1,2)").ends()
    with pytest.raises(ProgramError):
        raw_pastes(called(repl, b"_f"), b"_f(1,2)", b"NameError: no f\r\n")
    raw_pastes(called(repl, b"_f"), b"SOURCE\n_f(1,2)").ends()


def test_no_function_stays_on_the_board() -> None:
    repl = RawRepl()
    for function in (b"_g", b"_f"):
        raw_pastes(called(repl, function), b"SOURCE\n" + function + b"(1,2)").ends()
    raw_pastes(Playbook(repl.leave()), b"_f=_g=0\ndel _f,_g").sends(b"\x02").hears(BANNER).ends()
    Playbook(repl.leave()).sends(b"\x02").hears(BANNER).ends()
    raw_pastes(called(repl, b"_f"), b"SOURCE\n_f(1,2)").ends()


def test_leaves_even_if_a_function_cannot_be_removed() -> None:
    repl = RawRepl()
    raw_pastes(called(repl, b"_f"), b"SOURCE\n_f(1,2)").ends()
    raw_pastes(Playbook(repl.leave()), b"_f=0\ndel _f", b"MemoryError\r\n").sends(b"\x02").hears(BANNER).ends()
