"""The tracker follows real boards, and is not taken in by what programs print."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from recorded_repl import BOARDS, conversation
from webrepl_bridge.protocol.repl_tracker import AT_PROMPT, Mode, ReplTracker


@dataclass
class At:
    """Where the tracker is; line, cursor and block count at a prompt only."""

    mode: Mode
    line: bytes = b""
    cursor: int | None = None  # None: at the end
    block: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.cursor is None:
            self.cursor = len(self.line)


def at(tracker: ReplTracker) -> At:
    if tracker.mode in AT_PROMPT:
        return At(tracker.mode, tracker.line.text, tracker.line.cursor, list(tracker.block))
    return At(tracker.mode)


PROMPT = At(Mode.PROMPT)
RAW = At(Mode.RAW)
FOR = b"for i in range(2):"
INDENT = b"    "


def half(line: bytes, cursor: int | None = None) -> At:
    return At(Mode.PROMPT, line, cursor)


def more(line: bytes, *block: bytes) -> At:
    return At(Mode.CONTINUATION, line, None, list(block))


EXPECTED: dict[str, At] = {
    "half a line": half(b"pri"),
    "completion of one": half(b"print"),
    "letters to complete": half(b"len(sys.std)", 11),
    "completion of several": half(b"len(sys.std)", 11),
    "going on after the list": half(b"len(sys.stdout)", 14),
    "letters again": half(b"abcd"),
    "cursor left": half(b"abcd", 2),
    "a letter in the middle": half(b"abXcd", 3),
    "rubout in the middle": half(b"abcd", 2),
    "Ctrl-A goes home": half(b"abcd", 0),
    "delete": half(b"bcd", 0),
    "Ctrl-E goes to the end": half(b"bcd"),
    "Ctrl-B goes left or ends": half(b"bcd", 2),
    "history": half(b"import sys"),
    "more history": half(b"1/0"),
    "back in history": half(b"import sys"),
    "a block": more(INDENT, FOR),
    "a blank is rubbed out": more(b"", FOR),
    "its first line": more(INDENT, FOR, b"    print(i)"),
    "letters in the block": more(b"    sys.std", FOR, b"    print(i)"),
    "completion of several in the block": more(b"    sys.std", FOR, b"    print(i)"),
    "Ctrl-U in the block": more(b"", FOR, b"    print(i)"),
    "another block": more(INDENT, b"if 1:"),
    "Ctrl-D in a block": more(INDENT, b"if 1:"),
    "a string over lines": more(b"", b"s='''"),
    "non-ASCII": half(b"''"),
    "paste mode": At(Mode.PASTE),
    "pasted": At(Mode.PASTE),
    "paste mode again": At(Mode.PASTE),
    "pasted again": At(Mode.PASTE),
    "raw": RAW,
    "raw program": RAW,
    "raw error": RAW,
    "raw dropped": RAW,
    "raw again": RAW,
    "raw-paste asked": At(Mode.RAW_PASTE),
    "raw-paste code": At(Mode.RAW_PASTE),
    "raw-paste end": RAW,
    "raw-paste asked again": At(Mode.RAW_PASTE),
    "raw-paste syntax error": At(Mode.RAW_PASTE),
    "raw-paste end of a bad one": RAW,
    "raw soft reset": RAW,
    "raw program that prints prompts": RAW,
    "input() asks": At(Mode.RUNNING),
    "a program": At(Mode.RUNNING),
    "typed at it": At(Mode.RUNNING),
}
"""After each step; where nothing is said, an empty prompt."""

EXPECTED_OF: dict[str, dict[str, At]] = {
    "unix": {},
    "pico": {},
    # Its completion knows other names, and the blank before Tab does not make an indent of it.
    "microbit": {
        "its first line": more(b"", FOR, b"print(i)"),
        "letters in the block": more(b"sys.std", FOR, b"print(i)"),
        "completion of several in the block": more(b"sys.std", FOR, b"print(i)"),
        "Ctrl-U in the block": more(b"", FOR, b"print(i)"),
        "raw-paste asked": RAW,
        "raw-paste code": RAW,
        "raw-paste asked again": RAW,
        "raw-paste syntax error": RAW,
    },
    # Its editor takes UTF-8, and it waits for a key after code.py has ended.
    "circuitpython": {
        "plugged in": At(Mode.UNKNOWN),
        "non-ASCII": half("'é€'".encode(), 4),
        "cursor left": half("'é€'".encode(), 2),
        "rubout in the middle": half("'€'".encode(), 1),
        "title at the prompt": half("'€'".encode(), 1),
        "soft reset": At(Mode.RUNNING),
    },
}


@pytest.mark.parametrize("board", BOARDS)
def test_follows_a_real_board(board: str) -> None:
    tracker = ReplTracker()
    expected = EXPECTED | EXPECTED_OF[board]
    for exchange in conversation(board):
        tracker.data_sent(exchange.sent)
        tracker.receive_data(exchange.received)
        assert at(tracker) == expected.get(exchange.step, PROMPT), exchange


@pytest.mark.parametrize(
    ("board", "version", "banner"),
    [
        ("unix", None, "MicroPython 9458e3a23f on "),  # a build between releases
        ("pico", (1, 25, 0), "MicroPython v1.25.0 on "),
        ("microbit", (1, 9, 2), "MicroPython v1.9.2-34-gd64154c73 on 2017-09-01; micro:bit v1.0.1"),
        ("circuitpython", (9, 2, 8), "Adafruit CircuitPython 9.2.8 on 2025-05-28; Raspberry Pi Pico with rp2040"),
    ],
)
def test_reads_the_version_off_the_banner(board: str, version: tuple[int, int, int] | None, banner: str) -> None:
    tracker = ReplTracker()
    for exchange in conversation(board)[:2]:
        tracker.receive_data(exchange.received)
    assert tracker.version == version
    assert tracker.banner.startswith(banner)


def tracker_at(mode: Mode) -> ReplTracker:
    tracker = ReplTracker()
    tracker.receive_data(b"\r\n>>> ")
    match mode:
        case Mode.RUNNING:
            tracker.data_sent(b"f()\r")
            tracker.receive_data(b"f()\r\n")
        case Mode.CONTINUATION:
            tracker.data_sent(b"if 1:\r")
            tracker.receive_data(b"if 1:\r\n... ")
        case Mode.PASTE:
            tracker.data_sent(b"\x05")
            tracker.receive_data(b"\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ")
        case Mode.RAW | Mode.RAW_RUNNING | Mode.RAW_PASTE:
            tracker.data_sent(b"\x01")
            tracker.receive_data(b"\r\nraw REPL; CTRL-B to exit\r\n>")
            tracker.receive_data({Mode.RAW: b"", Mode.RAW_RUNNING: b"OK", Mode.RAW_PASTE: b"R\x01\x80\x00\x01"}[mode])
    assert tracker.mode is mode
    return tracker


@pytest.mark.parametrize(
    "printed",
    [
        b"... \r\n",
        b"x\r\n... ",
        b"=== ",
        b"x\r\n=== ",
        b"OK",
        b"\x04\x04>",
        b"x>>> ",
        b"raw REPL; CTRL-B to exit\r\n",
        b"MicroPython v1.2.3 on 2020-01-01; board with chip\r\n",
    ],
)
def test_output_of_a_program_is_no_prompt(printed: bytes) -> None:
    tracker = tracker_at(Mode.RUNNING)
    tracker.receive_data(b"first\r\n" + printed)
    assert tracker.mode is Mode.RUNNING
    tracker.receive_data(b"\r\nlast\r\n>>> ")
    assert at(tracker) == PROMPT


@pytest.mark.parametrize("size", range(1, 9))
def test_a_prompt_behind_a_line_that_has_not_ended_is_one_if_nothing_more_comes(size: int) -> None:
    tracker = tracker_at(Mode.RUNNING)
    printed = b"no end>>> "
    for start in range(0, len(printed), size):
        assert not tracker.may_be_at_prompt
        tracker.receive_data(printed[start : start + size])
    assert tracker.may_be_at_prompt
    tracker.receive_data(b"and more")
    assert not tracker.may_be_at_prompt
    tracker.receive_data(b">>> ")
    tracker.take_as_prompt()
    assert at(tracker) == PROMPT
    assert not tracker.may_be_at_prompt
    tracker.receive_data(b"x\r\n")
    assert tracker.mode is Mode.RUNNING


def test_a_program_that_prints_a_prompt_is_believed_until_it_goes_on() -> None:
    tracker = tracker_at(Mode.RUNNING)
    tracker.receive_data(b">>> ")
    assert at(tracker) == PROMPT
    tracker.receive_data(b"\r\nmore\r\n")
    assert tracker.mode is Mode.RUNNING


@pytest.mark.parametrize(
    "printed", [b"\r\n>>> ", b"\r\n... ", b"\r\n=== ", b"OK", b"R\x01\x80\x00", b"\x04>", b"\x04x\x04y"]
)
def test_output_of_a_raw_program_is_no_prompt(printed: bytes) -> None:
    tracker = tracker_at(Mode.RAW_RUNNING)
    tracker.receive_data(printed)
    assert tracker.mode is Mode.RAW_RUNNING
    tracker.receive_data(b"\x04\x04>")
    assert at(tracker) == RAW


@pytest.mark.parametrize("mode", [Mode.PASTE, Mode.RAW, Mode.RAW_RUNNING, Mode.RAW_PASTE])
@pytest.mark.parametrize("rest", [b"\r\n>>> ", b'\r\nType "help()" for more information.\r\n>>> '])
def test_a_reset_ends_every_mode(mode: Mode, rest: bytes) -> None:
    tracker = tracker_at(mode)
    tracker.receive_data(b"\x00ets Jul 29 2019\r\n\x00MicroPython v1.24.1 on 2024-11-29; Board with Chip" + rest)
    assert at(tracker) == PROMPT
    assert tracker.version == (1, 24, 1)


def test_text_pasted_in_paste_mode_is_no_prompt() -> None:
    tracker = tracker_at(Mode.PASTE)
    tracker.data_sent(b"a\n>>> b\n... c\n=== ")
    tracker.receive_data(b"a\n>>> b\n... c\n=== ")
    assert tracker.mode is Mode.PASTE
    tracker.data_sent(b"\x03")
    tracker.receive_data(b"\r\n>>> ")
    assert at(tracker) == PROMPT


def test_after_paste_mode_the_text_runs() -> None:
    tracker = tracker_at(Mode.PASTE)
    tracker.data_sent(b"f()\x04")
    tracker.receive_data(b"f()\r\n")
    assert tracker.mode is Mode.RUNNING


def test_ctrl_e_on_a_line_with_text_starts_no_paste_mode() -> None:
    tracker = tracker_at(Mode.PROMPT)
    tracker.data_sent(b"f()\x05\r")
    tracker.receive_data(b"f()\r\nhere\r\n=== ")
    assert tracker.mode is Mode.RUNNING


def test_output_at_a_prompt_counts_as_a_running_program() -> None:
    tracker = tracker_at(Mode.PROMPT)
    tracker.receive_data(b"abctick\r\n")
    assert tracker.mode is Mode.RUNNING
    tracker.data_sent(b"\x03")
    tracker.receive_data(b"\r\n>>> ")
    assert at(tracker) == PROMPT


def test_completions_are_listed_after_an_answered_input() -> None:
    tracker = tracker_at(Mode.RUNNING)
    tracker.data_sent(b"answer\r")
    tracker.receive_data(b"? answer\r\n>>> ")
    tracker.data_sent(b"if 1:\rsys.\t")
    tracker.receive_data(b"if 1:\r\n...     sys.\r\nargv    path\r\n...     sys.")
    assert at(tracker) == more(b"    sys.", b"if 1:")
    tracker.data_sent(b"x\r")
    tracker.receive_data(b"x\r\n...     ")
    assert at(tracker) == more(b"    ", b"if 1:", b"    sys.x")


def test_every_prompt_counts_as_an_arrival() -> None:
    tracker = ReplTracker()
    for prompts, output in enumerate(
        [b"", b"\r\n>>> ", b"if 1:\r\n... ", b"\r\n>>> ", b"\r\nraw REPL; CTRL-B to exit\r\n>", b"OK\x04\x04>"]
    ):
        tracker.receive_data(output)
        assert tracker.arrivals == prompts
    tracker.data_sent(b"\x01")
    tracker.receive_data(b"raw REPL; CTRL-B to exit\r\n>")  # Ctrl-A again: no line end before it
    assert tracker.arrivals == 6


def test_resumes_with_the_line_as_it_was() -> None:
    tracker = tracker_at(Mode.CONTINUATION)
    tracker.receive_data(b"    x")
    tracker.resume(Mode.CONTINUATION)
    assert at(tracker) == more(b"    x", b"if 1:")
    tracker.receive_data(b"\b")
    assert tracker.line.cursor == 4


@pytest.mark.parametrize(
    ("text", "mode"), [(b">>> ", Mode.PROMPT), (b"raw REPL; CTRL-B to exit\r\n>", Mode.RAW), (b"x>>> ", Mode.UNKNOWN)]
)
def test_resumes_at_the_start_of_a_line_when_nothing_is_known(text: bytes, mode: Mode) -> None:
    tracker = ReplTracker()
    tracker.resume(Mode.UNKNOWN)
    tracker.receive_data(text)
    assert tracker.mode is mode
