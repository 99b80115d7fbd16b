"""However a board's output is cut, the tracker comes to the same; and nothing makes it raise or grow."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from recorded_repl import BOARDS, Exchange, conversation
from webrepl_bridge.protocol.edit_line import LINE_CHARACTERS_MAX
from webrepl_bridge.protocol.repl_tracker import ANNOUNCEMENT_BYTES_MAX, BLOCK_LINES_MAX, Mode, ReplTracker


def state(tracker: ReplTracker) -> tuple[object, ...]:
    line = tracker.line
    return tracker.mode, line.text, line.cursor, tuple(tracker.block), tracker.arrivals, tracker.version, tracker.banner


CONVERSATIONS = {board: conversation(board) for board in BOARDS}


def byte_by_byte(exchanges: list[Exchange]) -> list[list[tuple[object, ...]]]:
    """The state after each byte of each exchange."""
    tracker = ReplTracker()
    states = []
    for exchange in exchanges:
        tracker.data_sent(exchange.sent)
        here = [state(tracker)]
        for byte in exchange.received:
            tracker.receive_data(bytes([byte]))
            here.append(state(tracker))
        states.append(here)
    return states


STATES = {board: byte_by_byte(exchanges) for board, exchanges in CONVERSATIONS.items()}


def feed_in_pieces(tracker: ReplTracker, data: bytes, cuts: list[int]) -> list[int]:
    """Feed `data` cut at `cuts`; return the cuts, the end of `data` among them, in order."""
    at = sorted({cut for cut in cuts if 0 < cut < len(data)} | {len(data)})
    start = 0
    for cut in at:
        tracker.receive_data(data[start:cut])
        start = cut
    return at


@given(st.sampled_from(BOARDS), st.data())
def test_every_cut_of_a_conversation_means_the_same(board: str, data: st.DataObject) -> None:
    tracker = ReplTracker()
    for exchange, states in zip(CONVERSATIONS[board], STATES[board], strict=True):
        tracker.data_sent(exchange.sent)
        start = 0
        cuts = data.draw(st.lists(st.integers(1, max(1, len(exchange.received))), max_size=6, unique=True))
        for cut in sorted({*(cut for cut in cuts if cut < len(exchange.received)), len(exchange.received)}):
            tracker.receive_data(exchange.received[start:cut])
            assert state(tracker) == states[cut], (exchange, cut)
            start = cut


PIECES = st.one_of(
    st.sampled_from(
        [
            *(b"\n", b"\r\n", b">>> ", b"... ", b"=== ", b"OK", b"\x04", b">", b"R\x01", b"\x80\x00", b"\x01", b"\b"),
            *(b"raw REPL; CTRL-B to exit\r\n>", b"paste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ", b"abc"),
            *(b"MicroPython v1.2.3 on 2020-01-01; x\r\n", b'Type "help()" for more information.\r\n'),
            *(
                b"\x1b[3D",
                b"\x1b[K",
                b"\x1b[9999C",
                b"\x1b]0;title\x1b\\",
                b"\x1b]",
                b"\x1b[",
                b"\xe2\x82\xac",
                b"\xbf",
            ),
        ]
    ),
    st.binary(max_size=8),
    st.sampled_from([b"x" * 700, b"\x1b]0" + b"y" * 300]),
)
KEYS = st.one_of(st.sampled_from([b"\x01", b"\x02", b"\x03", b"\x04", b"\x05", b"\t", b"\r"]), st.binary(max_size=3))


@given(st.lists(st.tuples(KEYS, st.lists(PIECES, max_size=6).map(b"".join)), max_size=8), st.data())
@example([(b"", b"\nraw REPL; CTRL-B to exit\r\n>OK\x04\x04>")], None)
def test_every_cut_of_garbage_means_the_same(exchanges: list[tuple[bytes, bytes]], data: st.DataObject | None) -> None:
    whole, pieces, bytewise = ReplTracker(), ReplTracker(), ReplTracker()
    for sent, received in exchanges:
        for tracker in (whole, pieces, bytewise):
            tracker.data_sent(sent)
        whole.receive_data(received)
        if data is not None:
            feed_in_pieces(pieces, received, data.draw(st.lists(st.integers(1, 200), max_size=4)))
            assert state(pieces) == state(whole)
        for byte in received:
            bytewise.receive_data(bytes([byte]))
        assert state(bytewise) == state(whole)


@given(st.lists(st.tuples(PIECES, st.sampled_from([1, 2, 500])), max_size=12), st.sampled_from(list(Mode)))
def test_memory_stays_bounded(received: list[tuple[bytes, int]], mode: Mode) -> None:
    tracker = ReplTracker()
    tracker.resume(mode)
    for data, repeats in received:
        tracker.receive_data(data * repeats)
        assert len(tracker._unread) <= ANNOUNCEMENT_BYTES_MAX
        assert len(tracker._recent) <= ANNOUNCEMENT_BYTES_MAX
        assert len(tracker.block) <= BLOCK_LINES_MAX
        assert len(tracker.line.text) <= 4 * LINE_CHARACTERS_MAX
        assert len(tracker.line._cells) <= LINE_CHARACTERS_MAX
        assert len(tracker.line._escape) <= 300
        assert len(tracker.banner) <= 256
