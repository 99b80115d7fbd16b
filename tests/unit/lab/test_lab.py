"""One plan after the other: which boards are kept, opened anew, or let go."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fake_opening import Opener
from lab_kit import until
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.lab.lab import Lab
from webrepl_bridge.lab.plan import LabPlan
from webrepl_bridge.session import ClientEndedError, Limits

plans = st.dictionaries(
    st.sampled_from(["lab1", "lab2", "lab3"]),
    st.builds(BoardOptions, st.sampled_from(["tcp://a:1", "tcp://b:1", "tcp://c:1"]), st.sampled_from([9600, 115200])),
).filter(lambda boards: len({board.url for board in boards.values()}) == len(boards))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(plans, min_size=1, max_size=5))
def test_only_what_has_changed_is_touched(wanted: list[dict[str, BoardOptions]]) -> None:
    async def test(monkeypatch: pytest.MonkeyPatch) -> None:
        opener, lab = Opener(monkeypatch), Lab()
        async with asyncio.timeout(10), lab.run():
            before: dict[str, BoardOptions] = {}
            for boards in wanted:
                served = {name: session.board for name, session in lab.sessions.items()}
                sessions = dict(lab.sessions)
                await lab.apply(LabPlan(boards, (), "secret"))
                await until(lambda: all(session.board for session in lab.sessions.values()))
                assert lab.sessions.keys() == boards.keys()
                assert opener.is_open.keys() == {board.url for board in boards.values()}
                for name, options in boards.items():
                    if name in before:
                        assert lab.sessions[name] is sessions[name]
                        assert (lab.sessions[name].board is served[name]) == (before[name] == options)
                before = boards
        assert not opener.is_open

    with pytest.MonkeyPatch.context() as monkeypatch:
        asyncio.run(test(monkeypatch))


def test_who_is_at_a_board_that_is_let_go_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        Opener(monkeypatch)
        lab = Lab()
        async with lab.run():
            await lab.apply(LabPlan({"lab1": BoardOptions("tcp://a:1")}, (), "secret"))
            with lab.sessions["lab1"].attach("a") as client:
                await lab.apply(LabPlan({}, (), "secret"))
                with pytest.raises(ClientEndedError, match="no longer served"):
                    await client.fall_behind()

    asyncio.run(test())


def test_limits_count_for_sessions_that_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        Opener(monkeypatch)
        lab = Lab()
        boards = {"lab1": BoardOptions("tcp://a:1")}
        async with lab.run():
            await lab.apply(LabPlan(boards, (), "secret"))
            await lab.apply(LabPlan(boards, (), "secret", limits=Limits(clients_max=1)))
            with lab.sessions["lab1"].attach("a"):
                assert lab.sessions["lab1"].is_full

    asyncio.run(test())


def test_an_error_inside_comes_out_as_it_is() -> None:
    async def test() -> None:
        with pytest.raises(ZeroDivisionError):
            async with Lab().run():
                raise ZeroDivisionError

    asyncio.run(test())
