"""Code carried by raw-paste, as a transcript of both its sides."""

from __future__ import annotations

import pytest

from webrepl_bridge.protocol.raw_carrier import (
    ANSWER_TIMEOUT_MS,
    PORTION_BYTES,
    PORTION_PAUSE_MS,
    RAW_PASTE_REQUEST,
    RAW_PROMPT,
    RawCarrier,
    State,
)

Transcript = list[tuple[str, bytes]]


class Table:
    """A carrier with a client on one side and a board on the other, both played by the test."""

    def __init__(self) -> None:
        self.carrier = RawCarrier()
        self.queue = bytearray()
        self.now_ms = 0

    def client(self, data: bytes) -> Transcript:
        """The client types; returns what goes where."""
        self.queue += data
        return self.flush()

    def board(self, data: bytes) -> Transcript:
        """The board answers; returns what goes where."""
        shown = self.carrier.receive_data(data)
        return ([("shown", shown)] if shown else []) + self.flush()

    def wait(self, duration_ms: int) -> Transcript:
        self.now_ms += duration_ms
        shown = self.carrier.handle_timeout(self.now_ms)
        return ([("shown", shown)] if shown else []) + self.flush()

    def flush(self) -> Transcript:
        transcript: Transcript = []
        while self.queue:
            sent, shown = self.carrier.take(self.queue, self.now_ms)
            transcript += [(where, data) for where, data in (("sent", sent), ("shown", shown)) if data]
            if not sent or self.carrier.state is State.IDLE:
                break
        return transcript


def streaming(window: int = 4) -> Table:
    table = Table()
    assert table.client(b"x") == [("sent", RAW_PASTE_REQUEST)]
    table.queue.clear()
    assert table.board(b"R\x01" + window.to_bytes(2, "little") + b"\x01") == []
    assert table.carrier.state is State.STREAMING
    return table


def test_code_goes_window_by_window() -> None:
    table = Table()
    assert table.client(b"abcdefghij\x04") == [("sent", RAW_PASTE_REQUEST)]
    assert table.board(b"R\x01\x04\x00") == [("sent", b"abcd")]
    assert table.board(b"\x01") == [("sent", b"efgh")]
    assert table.board(b"\x01") == [("sent", b"ij"), ("sent", b"\x04")]
    assert table.board(b"\x01") == []  # a window that is not needed any more
    assert table.board(b"\x04out\x04\x04>") == [("shown", b"OKout\x04\x04>")]
    assert table.carrier.state is State.IDLE


def test_two_windows_at_the_start_are_used_at_once() -> None:
    table = Table()
    table.client(b"abcdefghij")
    assert table.board(b"R\x01\x04\x00\x01") == [("sent", b"abcdefgh")]


def test_the_answer_comes_byte_by_byte() -> None:
    table = Table()
    table.client(b"abcdefghij\x04")
    transcript: Transcript = []
    for byte in b"R\x01\x04\x00\x01\x01\x04OK":
        transcript += table.board(bytes([byte]))
    assert b"".join(data for where, data in transcript if where == "sent") == b"abcdefghij\x04"
    assert transcript[-3:] == [("shown", b"OK"), ("shown", b"O"), ("shown", b"K")]


def test_a_syntax_error_swallows_the_rest_of_the_code() -> None:
    table = streaming(window=100)
    table.client(b"x==!1\n")
    assert table.board(b"\x04") == []
    assert table.client(b"more code") == []
    assert table.client(b"and more\x04") == [("sent", b"\x04"), ("shown", b"OK")]
    assert table.board(b"\x04SyntaxError\x04>") == [("shown", b"\x04SyntaxError\x04>")]
    assert table.carrier.state is State.IDLE


@pytest.mark.parametrize("key", [b"\x01", b"\x02", b"\x03"])
@pytest.mark.parametrize("given_up", [b"", b"\x04"])
def test_a_control_key_drops_the_code_and_acts_at_the_raw_prompt(key: bytes, given_up: bytes) -> None:
    table = streaming()
    table.client(b"ab")
    table.board(given_up)
    assert table.client(key) == [("sent", b"\x03")]
    assert table.carrier.state is State.CANCELLING
    answer = b"\x04\x04KeyboardInterrupt: \r\n\x04>".removeprefix(given_up)
    for byte in answer[:-1]:
        assert table.board(bytes([byte])) == []
    table.queue.clear()  # the key; it is the terminal's now
    assert table.board(answer[-1:] + b"!") == [("shown", b"!")]
    assert table.carrier.state is State.IDLE


@pytest.mark.parametrize("refusal", [b"R\x00", RAW_PROMPT])
def test_old_firmware_gets_portions(refusal: bytes) -> None:
    table = Table()
    code = bytes(range(0x30, 0x30 + PORTION_BYTES)) + b"rest\x04"
    assert table.client(code) == [("sent", RAW_PASTE_REQUEST)]
    assert table.board(refusal) == [("sent", code[:PORTION_BYTES])]
    assert table.wait(PORTION_PAUSE_MS - 1) == []
    assert table.wait(1) == [("sent", b"rest")]
    assert table.wait(PORTION_PAUSE_MS) == [("sent", b"\x04")]
    assert table.carrier.state is State.IDLE
    assert table.client(b"2\x04") == [("sent", b"2")]  # it is not asked again
    assert table.board(b"OK\x04\x04>") == [("shown", b"OK\x04\x04>")]


def test_no_answer_means_portions_this_time_and_shows_what_came_instead() -> None:
    table = Table()
    table.client(b"code")
    assert table.board(b"tick\r\n") == []
    assert table.wait(ANSWER_TIMEOUT_MS) == [("shown", b"tick\r\n"), ("sent", b"code")]
    assert table.carrier.supported is None


def test_a_board_that_never_drops_the_code_is_given_up() -> None:
    table = streaming()
    table.client(b"ab\x03")
    table.queue.clear()
    table.board(b"boot messages")
    assert table.wait(ANSWER_TIMEOUT_MS) == [("shown", b"boot messages")]
    assert table.carrier.state is State.IDLE


@pytest.mark.parametrize("state", [State.ASKING, State.CANCELLING])
def test_much_instead_of_an_answer_is_shown(state: State) -> None:
    table = streaming() if state is State.CANCELLING else Table()
    table.client(b"ab\x03")
    shown = b""
    for _ in range(100):
        shown += b"".join(data for where, data in table.board(b"0123456789" * 10) if where == "shown")
        assert len(table.carrier._answer) <= 1024
    shown += b"".join(data for where, data in table.wait(ANSWER_TIMEOUT_MS) if where == "shown")
    assert shown == b"0123456789" * 1000


def test_output_of_a_timer_is_shown_meanwhile() -> None:
    table = streaming()
    assert table.board(b"ti\x01ck") == [("shown", b"tick")]
    table.client(b"\x04")
    assert table.board(b"tock\x04") == [("shown", b"tockOK")]
