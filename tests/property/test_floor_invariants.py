"""Several clients, a board that goes in and out of raw mode, and time: nobody's keys end up in someone's code."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.floor import STALL_MS, WAIT_MS, Drop, Floor, TakeBack, Type, WaitFor

clients = st.sampled_from("abc")
steps = st.one_of(
    st.tuples(st.just("type"), clients),
    st.tuples(st.just("mode"), st.tuples(st.booleans(), st.booleans())),
    st.tuples(st.just("heard"), st.none()),
    st.tuples(st.just("leave"), clients),
    st.tuples(st.just("pass"), st.integers(0, 2 * WAIT_MS)),
)


@given(st.lists(steps, max_size=60), st.integers(0, WAIT_MS))
def test_while_the_repl_is_held_only_its_holder_types(script: list[tuple[str, object]], waited_ms: int) -> None:
    floor: Floor[str] = Floor()
    now_ms, active_ms, held, running = 0, 0, False, False
    typist: str | None = None
    for step, argument in script:
        match step, argument:
            case "type", str(client):
                verdict = floor.judge(client, held=held, running=running, since_ms=now_ms - waited_ms, now_ms=now_ms)
                if held and typist not in (None, client):
                    assert not isinstance(verdict, Type)
                    if isinstance(verdict, WaitFor):
                        assert now_ms < verdict.until_ms <= now_ms - waited_ms + WAIT_MS
                    elif isinstance(verdict, TakeBack):
                        assert now_ms - active_ms >= STALL_MS
                        assert not running
                        assert floor.lose() == typist
                        assert floor.strip(str(typist), b"code") == b""
                        typist = None
                    else:
                        assert isinstance(verdict, Drop)
                        assert waited_ms >= WAIT_MS
                else:
                    assert verdict == Type()
                    floor.typed(client, now_ms)
                    typist, active_ms = client, now_ms
            case "mode", (bool(now_held), bool(now_running)):
                held, running = now_held, now_held and now_running
            case "heard", _:
                floor.heard(now_ms)
                active_ms = now_ms
            case "leave", str(client):
                assert floor.leave(client) == (client == typist)
                typist = None if client == typist else typist
            case "pass", int(passed_ms):
                now_ms += passed_ms
