"""The link's vectors, and the examples in docs/protocol.md, are what the link does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import link_vectors

DOCS = Path(__file__).parents[3] / "docs" / "protocol.md"


def test_the_session_is_played_byte_for_byte() -> None:
    recorded = json.loads((link_vectors.VECTORS / "link_session.json").read_text())
    played = json.loads(json.dumps(link_vectors.play(link_vectors.STORY)))
    assert played == recorded


def test_the_frames_are_made_and_found_byte_for_byte() -> None:
    recorded = json.loads((link_vectors.VECTORS / "link_frames.json").read_text())
    assert json.loads(json.dumps(link_vectors.frames())) == recorded


def test_the_examples_in_the_documentation_are_from_the_session() -> None:
    sent = [
        (step["side"], frame["kind"], frame["hex"])
        for step in link_vectors.play(link_vectors.STORY)
        for frame in step["sends"]
    ]
    section = DOCS.read_text().split("## The link", 1)[1].split("\n## ", 1)[0]
    examples = re.findall(r"^\| (bridge|board) \| `([0-9a-f ]+)` \| (\w+)", section, re.MULTILINE)
    assert len(examples) == 12
    for side, hexed, kind in examples:
        assert (side, kind, hexed.replace(" ", "")) in sent
