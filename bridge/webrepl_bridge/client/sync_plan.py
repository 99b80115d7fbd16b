"""What it takes to make one directory tree like another. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


@dataclass(frozen=True)
class Item:
    """A file or directory in a tree. Files with the same size and CRC-32 count as the same."""

    is_directory: bool
    size_bytes: int = 0
    crc: int = 0


Tree: TypeAlias = "Mapping[str, Item]"
"""What is below a directory, by its name from there with `/` between its parts; directories have items, too."""


@dataclass(frozen=True)
class Removal:
    """Remove a file, or a directory with all that is in it."""

    name: str


@dataclass(frozen=True)
class Making:
    """Make a directory."""

    name: str


@dataclass(frozen=True)
class Copying:
    """Copy a file over what may be there."""

    name: str
    size_bytes: int


Step: TypeAlias = Removal | Making | Copying


class ConflictError(Exception):
    """A file is where a directory has to be, or the other way round; the message is its name."""


def plan(source: Tree, target: Tree, *, delete: bool, kept: Collection[str] = ()) -> list[Step]:
    """Return the steps that make `target` like `source`, in their order: removals first, they give space.

    Args:
        source: what there should be.
        target: what there is.
        delete: whether what is only in `target` is removed. Beginnings of files that are copied (`name~`) stay.
        kept: names in `target`, and none of `source`, that are not removed, nor are the directories that they are in.

    Raises:
        ConflictError: what has to be removed for it, and `delete` or `kept` does not allow it.
    """
    conflicts = {
        name for name in source.keys() & target.keys() if source[name].is_directory != target[name].is_directory
    }
    stays = {*kept, *(parent for name in kept for parent in _parents(name))}
    if refused := conflicts & stays if delete else conflicts:
        raise ConflictError(min(refused))
    copies = [name for name, item in sorted(source.items()) if not item.is_directory and target.get(name) != item]
    stays |= {f"{name}~" for name in copies}
    gone = conflicts | (target.keys() - source.keys() - stays if delete else set())
    removals = [name for name in sorted(gone) if not _parents(name) & gone]
    directories = [
        name for name, item in sorted(source.items()) if item.is_directory and (name not in target or name in conflicts)
    ]
    return [
        *map(Removal, removals),
        *map(Making, directories),
        *(Copying(name, source[name].size_bytes) for name in copies),
    ]


def _parents(name: str) -> set[str]:
    parts = name.split("/")
    return {"/".join(parts[:count]) for count in range(1, len(parts))}
