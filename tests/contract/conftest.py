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
