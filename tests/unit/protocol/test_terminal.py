"""Typing at a model of a board, in virtual time."""

from __future__ import annotations

import pytest

from model_board import Desk, ModelBoard, desk_at_prompt
from webrepl_bridge.protocol.raw_carrier import State
from webrepl_bridge.protocol.repl_tracker import HELD, Mode
from webrepl_bridge.protocol.terminal import QUIET_MS, STALE_MS, SWITCH_TIMEOUT_MS, WINDOW_BYTES, Terminal

BEFORE = {
    Mode.UNKNOWN: b"",
    Mode.PROMPT: b"",
    Mode.CONTINUATION: b"if 1:\r",
    Mode.PASTE: b"\x05",
    Mode.RUNNING: b"loop()\r",
    Mode.RAW: b"\x01",
    Mode.RAW_RUNNING: b"\x01loop()\x04",
}


def desk_in(mode: Mode, **board: int | bool) -> Desk:
    desk = desk_at_prompt(ModelBoard(**board))  # type: ignore[arg-type]
    if mode is Mode.UNKNOWN:
        desk.terminal = Terminal()
    desk.type(BEFORE[mode])
    desk.wait(2000)
    assert desk.terminal.tracker.mode is mode
    desk.sent = desk.shown = b""
    return desk


@pytest.mark.parametrize("mode", list(BEFORE))
@pytest.mark.parametrize("key", [b"a", b"\x7f", b"\x03", b"\x04", b"\x1b[A", "é".encode(), b"\t"])
def test_a_key_goes_at_once(mode: Mode, key: bytes) -> None:
    desk = desk_in(mode)
    desk.type(key)
    if mode is Mode.RAW and key not in (b"\x03", b"\x04"):
        assert desk.sent == b"\x05A\x01"  # and the key when the board has answered
        desk.wait(10)
        assert desk.sent == b"\x05A\x01" + key
    else:
        assert desk.sent == key


@pytest.mark.parametrize("mode", list(BEFORE))
def test_typing_in_no_hurry_never_waits(mode: Mode) -> None:
    """Three keys in the time between two screen frames, a long time, as auto-repeat does."""
    desk = desk_in(mode)
    for key in [b"a", b"\x1b[D", b"\x7f", b"b", b"\t", b"\x1b[C"] * 10:
        sent = len(desk.sent)
        desk.type(key)
        if mode is not Mode.RAW:
            assert desk.sent[sent:] == key
        desk.wait(33 if mode not in (Mode.UNKNOWN, Mode.RUNNING) else STALE_MS)


@pytest.mark.parametrize(
    "mode", [Mode.UNKNOWN, Mode.PROMPT, Mode.CONTINUATION, Mode.PASTE, Mode.RUNNING, Mode.RAW, Mode.RAW_RUNNING]
)
def test_ctrl_c_empties_the_queue_and_goes_at_once(mode: Mode) -> None:
    desk = desk_in(mode)
    desk.type(b"x" * 20_000)
    assert desk.terminal.waiting_bytes or mode is Mode.RAW_RUNNING
    desk.type(b"\x03")
    assert desk.terminal.waiting_bytes <= 1
    if mode is Mode.RAW:
        desk.wait(20)  # the board has first to answer whether it has raw-paste
    assert desk.sent.endswith(b"\x03")
    assert desk.terminal.waiting_bytes == 0


def test_keys_before_a_ctrl_c_in_one_message_are_typed() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"say('x')\r\x03")
    desk.settle()
    assert desk.board.executed == [b"say('x')"]


def test_a_long_text_before_a_ctrl_c_in_one_message_is_dropped() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"x" * 1000 + b"\x03")
    assert desk.sent == b"\x03"


def test_a_mode_key_waits_until_the_line_is_known() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"ab\x01")
    assert desk.sent == b"ab"
    desk.settle()
    assert desk.terminal.tracker.line.cursor == 0  # it went to the start of the line
    desk.type(b"\x03\x01")
    desk.settle()
    assert desk.terminal.tracker.mode is Mode.RAW


def test_what_follows_a_mode_key_waits_for_the_new_mode() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"\x05text\x04\x01code\x04\x02say('y')\r")
    desk.settle()
    assert desk.board.executed == [b"text", b"code", b"say('y')"]


def test_a_mode_key_that_is_not_answered_holds_up_for_a_while_only() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.cut = True
    desk.type(b"\x01abc")
    desk.wait(SWITCH_TIMEOUT_MS - 1)
    assert desk.sent == b"\x01"
    desk.wait(1)
    assert desk.sent == b"\x01abc"


def test_input_is_answered_by_what_was_pasted_behind() -> None:
    desk = desk_in(Mode.PROMPT)
    answers = [b"Bob", b"x" * 100, b"", b"last"]
    desk.type(b"input()input()input()input()\r" + b"".join(answer + b"\r" for answer in answers) + b"say('y')\r")
    desk.settle()
    assert desk.board.answers == answers
    assert desk.board.executed[-1] == b"say('y')"


def test_no_more_than_a_window_goes_ahead_of_a_program() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"sleep(60000)\r" + b"say('x')\r" * 1000)
    desk.wait(QUIET_MS + 20)
    assert len(desk.sent) == len(b"sleep(60000)\r") + WINDOW_BYTES
    desk.wait(50_000)
    assert len(desk.sent) == len(b"sleep(60000)\r") + WINDOW_BYTES
    desk.settle()
    assert desk.board.executed.count(b"say('x')") == 1000


def test_a_mode_key_behind_enter_waits_for_the_prompt() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"sleep(5000)\r\x04")
    desk.wait(4000)
    assert desk.board.resets == 0
    assert desk.sent == b"sleep(5000)\r"
    desk.settle()
    assert desk.board.resets == 1


def test_what_is_typed_at_a_program_goes_on_without_echo() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"read(100)\r")
    desk.wait(QUIET_MS)
    desk.type(b"z" * 100)
    desk.settle(limit_ms=6 * STALE_MS)
    assert desk.board.answers == [b"z" * 100]


def test_output_of_a_program_is_not_taken_for_echo() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"say('ab a b ba')sleep(300)" * 30 + b"\r" + b"abab\r" * 100)
    desk.settle()
    assert desk.board.lost == 0
    assert desk.board.executed.count(b"abab") == 100


def test_a_raw_program_gets_its_input_at_once() -> None:
    desk = desk_in(Mode.RAW, ring_bytes=3000)
    desk.type(b"read(2000)\x04")
    desk.wait(100)
    sent = len(desk.sent)
    desk.type(bytes(range(0x20, 0x70)) * 25)
    assert len(desk.sent) == sent + 2000
    desk.settle()
    assert desk.board.answers == [bytes(range(0x20, 0x70)) * 25]


def test_ctrl_c_is_data_for_a_raw_program() -> None:
    desk = desk_in(Mode.RAW)
    desk.type(b"read(6)\x04")
    desk.wait(100)
    desk.type(b"\x03ab\x03\x03")
    desk.type(b"\x03")
    assert desk.sent.endswith(b"\x03ab\x03\x03\x03")
    desk.settle()
    assert desk.board.answers == [b"\x03ab\x03\x03\x03"]


def test_code_behind_raw_code_is_the_next_code() -> None:
    desk = desk_in(Mode.RAW)
    desk.type(b"say('x')\x04say('y')\x04")
    desk.settle()
    assert desk.board.executed == [b"say('x')", b"say('y')"]
    assert desk.shown == b"OKx\r\n\x04\x04>OKy\r\n\x04\x04>"


def test_input_behind_raw_code_goes_once_the_program_is_quiet() -> None:
    desk = desk_in(Mode.RAW)
    desk.type(b"read(5)\x04hello")
    desk.settle()
    assert desk.board.answers == [b"hello"]


def test_code_behind_a_raw_soft_reset_waits_for_the_prompt() -> None:
    desk = desk_in(Mode.RAW)
    desk.type(b"\x04" + b"x" * 100 + b"\x04")
    desk.settle()
    assert desk.board.resets == 1
    assert desk.board.executed == [b"x" * 100]


@pytest.mark.parametrize("cut", [(0, 3), (1, 3), (2, 3)])
def test_a_clients_raw_paste_is_refused(cut: tuple[int, int]) -> None:
    desk = desk_in(Mode.RAW)
    for start, end in ((0, cut[0]), cut):
        desk.type(b"\x05A\x01"[start:end])
    assert desk.shown == b"R\x00"
    assert desk.sent == b""
    desk.type(b"1\x04")
    desk.settle()
    assert desk.board.executed == [b"1"]


def test_a_stray_ctrl_e_is_code() -> None:
    desk = desk_in(Mode.RAW)
    desk.type(b"\x05a\x04")
    desk.settle()
    assert desk.board.executed == [b"\x05a"]
    assert desk.terminal.carrier.supported


def test_a_board_reset_in_the_middle_of_code_drops_the_rest() -> None:
    desk = desk_in(Mode.RAW, ring_bytes=64)
    desk.type(b"x" * 20_000)
    desk.wait(100)
    assert desk.terminal.carrier.state is State.STREAMING
    desk.board.reset()
    desk.settle()
    assert b"POWERON" in desk.shown
    assert desk.terminal.tracker.mode is Mode.PROMPT
    assert len(desk.terminal.tracker.line.text) <= 64  # what was on the wire
    assert desk.terminal.carrier.state is State.IDLE


def test_a_board_reset_at_the_prompt_is_noticed() -> None:
    desk = desk_in(Mode.CONTINUATION)
    desk.board.reset()
    desk.settle()
    assert desk.terminal.tracker.line_is_empty


def test_settled_means_that_nothing_is_under_way() -> None:
    desk = desk_in(Mode.PROMPT)
    terminal = desk.terminal
    assert terminal.settled
    for keys in (b"a", b"\x1b[D", b"\x03", b"\x01", b"\x04", b"1\x04", b"\x03", b"\x02", b"\t"):
        desk.type(keys)
        assert not terminal.settled
        desk.settle(limit_ms=4000)
        assert terminal.next_deadline_ms() is None


def test_a_mode_key_that_went_ahead_of_a_program_leaves_nothing_unsettled() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"sleep(300)\r")
    desk.wait(100)
    desk.type(b"\r\x01")
    desk.settle(limit_ms=5000)
    assert desk.terminal.tracker.mode is Mode.RAW


def test_each_byte_is_shown_once() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"say('x')\r")
    desk.settle()
    assert desk.shown == b"say('x')\r\nx\r\n>>> "


def is_held(desk: Desk) -> bool:
    return desk.terminal.entering or desk.terminal.tracker.mode in HELD


@pytest.mark.parametrize(("key", "mode"), [(b"\x01", Mode.RAW), (b"\x05", Mode.PASTE)])
def test_the_repl_is_held_from_the_key_to_the_prompt_after_it(key: bytes, mode: Mode) -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"1\r" + key)  # the key waits for the prompt
    while desk.terminal.tracker.mode is not mode:
        assert is_held(desk) == (desk.terminal.tracker.mode is not Mode.RUNNING or key in desk.sent)
        desk.wait(1)
    assert is_held(desk)
    desk.type(b"\x02" if mode is Mode.RAW else b"\x03")
    while desk.terminal.tracker.mode is not Mode.PROMPT:
        assert is_held(desk) or mode is Mode.PASTE
        desk.wait(1)
    desk.wait(SWITCH_TIMEOUT_MS)
    assert not is_held(desk)


def test_a_key_that_only_moves_the_cursor_holds_nothing_for_long() -> None:
    desk = desk_in(Mode.PROMPT)
    desk.type(b"abc\x01")
    desk.wait(SWITCH_TIMEOUT_MS)
    assert not is_held(desk)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_the_answers_to_a_program_that_has_a_folder_mounted_go_at_once(cut: int) -> None:
    terminal = Terminal()
    terminal.receive_data(b"\r\n>>> ", 0)
    terminal.type(b"import use\rpasted\r")
    assert terminal.data_to_send(0) == b"import use\r"
    terminal.receive_data(b"import use\r\n", 10)
    assert terminal.data_to_send(10) == b""  # the rest waits for the next prompt
    request = b"x\x18\x03"
    terminal.receive_data(request[:cut], 20)
    terminal.receive_data(request[cut:], 20)
    answer = b"\x18" + bytes(range(256)) * 4
    for piece in (answer[:1], answer[1:300], answer[300:]):
        terminal.type(piece)
        assert terminal.data_to_send(30) == piece
    terminal.receive_data(b"\r\n>>> ", 40)
    assert terminal.data_to_send(50) == b"pasted\r"
    terminal.receive_data(b"\x18\x03", 60)
    terminal.type(b"a\x03")
    assert not terminal._asking
