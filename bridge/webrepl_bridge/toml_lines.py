"""Where in a TOML text a value is."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def line_of(text: str, keys: Sequence[str | int]) -> int:
    """Return the number of the line where a value of a TOML text ends, or where the innermost table around it begins.

    Args:
        text: well-formed TOML.
        keys: the way to the value: names in tables, numbers in arrays.
    """
    lines = text.splitlines(keepends=True)
    best, best_depth = 1, 0
    for number in range(1, len(lines) + 1):
        try:
            table: Any = tomllib.loads("".join(lines[:number]))
        except tomllib.TOMLDecodeError:
            continue  # in the middle of a value of several lines
        depth = _depth(table, keys)
        if depth > best_depth:
            best, best_depth = number, depth
    return best


def _depth(table: Any, keys: Sequence[str | int]) -> int:
    for depth, key in enumerate(keys):
        try:
            table = table[key]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(keys)
