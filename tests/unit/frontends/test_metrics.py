"""What Prometheus reads, with its own parsers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from fake_board import FakeBoard
from webrepl_bridge.frontends.metrics import exposition
from webrepl_bridge.session import Session
from webrepl_link.errors import BoardError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from prometheus_client.metrics_core import Metric

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class LinkedFake(FakeBoard):
    @property
    def link_counters(self) -> dict[str, int]:
        return {"bad_frames": 3, "sessions": 1}


def samples(
    sessions: dict[str, Session], accept: str = "", parse: Callable[[str], Iterable[Metric]] = parse_text
) -> dict[tuple[str, ...], float]:
    """Every sample's value, by its name and its labels' values."""
    body, content_type = exposition(sessions, "1.2.3", accept)
    assert content_type.startswith(accept.partition(";")[0] or "text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parse(body.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(("accept", "parse"), [("", parse_text), (OPENMETRICS, parse_openmetrics)])
def test_a_session(accept: str, parse: Callable[[str], Iterable[Metric]]) -> None:
    async def test() -> None:
        session, away = Session("lab1"), Session("lab 2")
        board = LinkedFake()
        board.files["a"] = b"x"
        with session.serve(board), session.attach("here") as client, session.attach_tool("there"):
            await client.write(b"abc")
            async with client.put("b", 1) as writer:
                await writer.write(b"y")
                await writer.finish()
                under_way = samples({"lab1": session})
            with pytest.raises(BoardError):
                async with client.get("missing"):
                    pass
            found = samples({"lab1": session, "lab 2": away}, accept, parse)
        gone = samples({"lab1": session})
        assert under_way["webrepl_board_file_operations_waiting", "lab1"] == 1
        assert under_way["webrepl_board_failed_file_operations_total", "lab1"] == 0
        assert found == {
            ("webrepl_bridge_info", "1.2.3"): 1,
            ("webrepl_board_connected", "lab1"): 1,
            ("webrepl_board_connected", "lab 2"): 0,
            ("webrepl_board_clients", "lab1", "webrepl"): 1,
            ("webrepl_board_clients", "lab1", "tool"): 1,
            ("webrepl_board_clients", "lab 2", "webrepl"): 0,
            ("webrepl_board_clients", "lab 2", "tool"): 0,
            ("webrepl_board_file_operations_waiting", "lab1"): 0,
            ("webrepl_board_file_operations_waiting", "lab 2"): 0,
            ("webrepl_board_printed_bytes_total", "lab1"): 3,
            ("webrepl_board_printed_bytes_total", "lab 2"): 0,
            ("webrepl_board_typed_bytes_total", "lab1"): 3,
            ("webrepl_board_typed_bytes_total", "lab 2"): 0,
            ("webrepl_board_disconnects_total", "lab1"): 0,
            ("webrepl_board_disconnects_total", "lab 2"): 0,
            ("webrepl_board_attached_clients_total", "lab1"): 2,
            ("webrepl_board_attached_clients_total", "lab 2"): 0,
            ("webrepl_board_file_operations_total", "lab1", "put"): 1,
            ("webrepl_board_file_operations_total", "lab1", "get"): 1,
            ("webrepl_board_failed_file_operations_total", "lab1"): 1,
            ("webrepl_board_failed_file_operations_total", "lab 2"): 0,
            ("webrepl_board_link_total", "lab1", "bad_frames"): 3,
            ("webrepl_board_link_total", "lab1", "sessions"): 1,
        }
        assert gone["webrepl_board_disconnects_total", "lab1"] == 1

    asyncio.run(test())
