from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.asciicast import Asciicast


@given(st.lists(st.tuples(st.text(), st.integers(0, 5000), st.booleans())))
def test_whole_lines_whenever_it_is_written(outputs: list[tuple[str, int, bool]]) -> None:
    now_ms = 1000
    cast = Asciicast("lab1", 1_700_000_000, now_ms)
    written = b""
    for text, later_ms, write in outputs:
        now_ms += later_ms
        cast.add(text, now_ms)
        if write:
            written += cast.data_to_write()
            assert cast.waiting_bytes == 0
            assert written.endswith(b"\n")
    written += cast.data_to_write()
    assert len(written) == cast.size_bytes
    header, *events = [json.loads(line) for line in written.split(b"\n")[:-1]]
    assert header["version"] == 2
    assert header["timestamp"] == 1_700_000_000
    assert [event[1:] for event in events] == [["o", text] for text, _, _ in outputs]
    assert [event[0] for event in events] == sorted(event[0] for event in events)
    assert not events or events[-1][0] == (now_ms - 1000) / 1000


def test_what_is_no_text_does_not_end_the_recording() -> None:
    cast = Asciicast("lab1", 0, 0)
    cast.data_to_write()
    cast.add("a\udcffb", 5)
    assert json.loads(cast.data_to_write()) == [0.005, "o", "a?b"]
