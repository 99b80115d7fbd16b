"""Whatever is typed, in whatever chunks, at whatever board: all of it arrives, in order, and nothing hangs."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_board import Desk, ModelBoard, desk_at_prompt
from webrepl_bridge.protocol.terminal import PROGRAM_WINDOW_BYTES

Chunks = list[tuple[bytes, int]]  # what is typed, and the milliseconds after it


def desks_with(*bytes_per_s: int) -> st.SearchStrategy[Desk]:
    boards = st.builds(ModelBoard, st.sampled_from([64, 256]), st.sampled_from(bytes_per_s), st.booleans())
    return st.builds(desk_at_prompt, boards, st.integers(0, 40), st.sampled_from([0, 0, 1, 7]))


desks = desks_with(2_000, 10_000, 100_000)

words = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters="()'\\"), max_size=60)
lines = st.one_of(
    words,
    st.just(""),
    st.sampled_from(
        ["sleep(40)", "sleep(500)", "say('tick')", "say('some text')", "input()", "if 1:", "x = '''", "'''"]
    ),
    st.just("x" * 300),
)
texts = st.tuples(st.lists(lines, max_size=30), st.sampled_from([1, 1, 1, 40])).map(
    lambda drawn: "".join(line + "\r" for line in drawn[0] * drawn[1]).encode()
)


@st.composite
def chunks_of(draw: st.DrawFn, data: bytes, pause_ms: int) -> Chunks:
    """`data` in chunks of one size or of several, with pauses after them."""
    size = draw(st.sampled_from([1, 3, 64, 1024, 100_000]))
    pauses = draw(st.lists(st.sampled_from([0, 0, 0, 1, 10, pause_ms]), min_size=1, max_size=10))
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    return [(piece, pauses[number % len(pauses)]) for number, piece in enumerate(pieces)]


def type_all(desk: Desk, chunks: Chunks) -> None:
    typed = 0
    for chunk, pause_ms in chunks:
        typed += len(chunk)
        desk.type(chunk)
        assert desk.terminal.waiting_bytes <= typed
        if pause_ms:
            desk.wait(pause_ms)
    desk.settle(limit_ms=10_000_000)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(desks, texts, st.data())
def test_text_at_the_prompt(desk: Desk, text: bytes, data: st.DataObject) -> None:
    type_all(desk, data.draw(chunks_of(text, pause_ms=300)))
    assert desk.board.lost == 0
    assert desk.board.taken == text


@given(desks, st.lists(st.sampled_from(["sleep(9000)", "say('x')", "a" * 20, "input()", ""])), st.data())
def test_text_typed_at_once_outlasts_any_program(desk: Desk, rows: list[str], data: st.DataObject) -> None:
    text = "".join(row + "\r" for row in rows * 10).encode()
    type_all(desk, [(text, 0)])
    assert desk.board.lost == 0
    assert desk.board.taken == text


@given(desks, texts, st.binary(max_size=300), st.data())
def test_text_in_paste_mode(desk: Desk, text: bytes, more: bytes, data: st.DataObject) -> None:
    text = (text + more.translate(None, b"\x03\x04")).replace(b"input()", b"")
    type_all(desk, [(b"\x05", 0), *data.draw(chunks_of(text, pause_ms=300)), (b"\x04", 0)])
    assert desk.board.lost == 0
    assert desk.board.executed == [text]
    assert desk.shown.endswith(b"\r\n>>> ")


@given(desks_with(5_000, 100_000), st.one_of(texts, st.binary(max_size=2000)), st.integers(1, 20), st.data())
def test_code_in_raw_mode(desk: Desk, code: bytes, repeats: int, data: st.DataObject) -> None:
    """Without raw-paste, which is firmware before 1.14, it needs a board that keeps up with 2,700 bytes a second."""
    code = (code * repeats).translate(None, b"\x01\x02\x03\x04\x05").replace(b"==!", b"") or b"1"
    type_all(desk, [(b"\x01", 0), *data.draw(chunks_of(code + b"\x04", pause_ms=300))])
    assert desk.board.lost == 0
    assert desk.board.executed == [code]


CODE = st.sampled_from([b"a=1", b"say('x')", b"sleep(200)", b"x==!y", b"z" * 300, b"\n", b"\x05", b"\xff"])
CONTROLS = st.sampled_from([b"\x01", b"\x02", b"\x03", b"\x04", b"\x04", b"\x04"])


@given(
    st.sampled_from([64, 256]),
    st.booleans(),
    st.lists(st.tuples(st.lists(CODE, max_size=4).map(b"".join), CONTROLS), max_size=8),
    st.data(),
)
def test_raw_mode_answers_as_without_us(
    ring_bytes: int, raw_paste: bool, script: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    """Against the same board with room for everything and nothing between it and the client."""
    desk = desk_at_prompt(ModelBoard(ring_bytes, raw_paste=raw_paste))
    bare = ModelBoard(1_000_000, raw_paste=False)
    bare.advance(1000)
    bare_said = bare.output()
    for keys in [b"\x01", *(key for code, control in script for key in (code, control)), b"\x02\x03"]:
        for chunk, pause_ms in data.draw(chunks_of(keys, pause_ms=5)):
            desk.type(chunk)
            desk.wait(pause_ms)
        desk.wait(3000)
        bare.receive(keys)
        while (event_us := bare.next_event_us()) is not None:
            bare.advance(event_us)
        bare_said += bare.output()
        assert desk.shown == bare_said
    assert desk.board.lost == 0
    assert desk.board.executed == bare.executed


KEYS = st.one_of(
    st.sampled_from([bytes([key]) for key in range(0x20)]),
    st.sampled_from([b"\x1b[A", b"\x1b[C", b"\x1b[D", b"\x7f", b"loop()\r", b"input()\r", b"\x05A\x01"]),
    st.binary(max_size=40),
    texts,
)


@given(desks, st.lists(st.tuples(KEYS, st.sampled_from([0, 0, 1, 50, 1000])), max_size=15), st.data())
def test_a_ctrl_c_always_brings_the_board_back(desk: Desk, script: Chunks, data: st.DataObject) -> None:
    for keys, pause_ms in script:
        desk.type(keys)
        desk.wait(pause_ms)
        if data.draw(st.integers(0, 20)) == 0:
            desk.board.reset()
    for _ in range(20):  # what the board has taken already will run, and a piece of it is one window
        desk.type(b"\x03")
        desk.wait(2_000)
    desk.type(b"\x02")
    desk.settle()
    assert desk.shown.endswith(b">>> ")
    assert desk.terminal.tracker.line_is_empty
    desk.type(b"1 + 1\r")
    desk.settle()
    assert desk.board.executed[-1:] == [b"1 + 1"]


@given(desks, st.lists(st.tuples(KEYS, st.sampled_from([0, 1, 50])), max_size=15))
def test_a_board_that_does_not_answer_gets_it_all_the_same(desk: Desk, script: Chunks) -> None:
    desk.cut = True
    typed = 0
    for keys, pause_ms in script:
        desk.type(keys)
        typed += len(keys)
        assert desk.terminal.waiting_bytes <= typed
        assert len(desk.terminal._unread) <= PROGRAM_WINDOW_BYTES + 1
        desk.wait(pause_ms)
    desk.wait(60_000 + 1000 * typed)
    assert desk.terminal.next_deadline_ms() is None


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20), st.integers(0, 300))))
def test_garbage_never_raises(script: list[tuple[bytes, bytes, int]]) -> None:
    desk = desk_at_prompt(ModelBoard())
    for typed, printed, pause_ms in script:
        desk.type(typed)
        desk.board.print_in_background(printed)
        desk.wait(pause_ms)
