"""What the board contract suite runs on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from board_kinds import KIND_PARAMETERS, KINDS, Kind


@dataclass(frozen=True)
class Rig:
    """A running board that nobody serves yet: `serve(rig.kind, rig.url)`.

    Attributes:
        kind: what it is.
        url: where it is.
        folder: its files, if it is the unix VM.
    """

    kind: Kind
    url: str
    folder: Path


@pytest.fixture(params=KIND_PARAMETERS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A board of the test's own, of every kind."""
    kind = KINDS[request.param]
    with kind.start(tmp_path) as url:
        yield Rig(kind, url, tmp_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a kind of board cannot do: `@pytest.mark.kinds.with_args(lambda kind: kind.has_mounts)`."""
    left_out = [item for item in items if not _is_for_its_kind(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _is_for_its_kind(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("kinds")
    if mark is None or not isinstance(item, pytest.Function):
        return True
    return bool(mark.args[0](KINDS[item.callspec.params["rig"]]))
