"""What a browser has to load."""

from __future__ import annotations

import gzip
from pathlib import Path

COMPRESSED_BYTES_MAX = 400_000


def test_the_page_is_small(built_page: Path) -> None:
    files = [file for file in built_page.rglob("*") if file.is_file()]
    assert sum(len(gzip.compress(file.read_bytes())) for file in files) < COMPRESSED_BYTES_MAX


def test_the_page_names_no_other_host(built_page: Path) -> None:
    assert b"http" not in (built_page / "index.html").read_bytes()
