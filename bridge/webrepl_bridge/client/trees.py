"""Files and whole directories, on this computer or on a board, and copying between them."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from binascii import crc32
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

from webrepl_link.errors import BoardError

from ..protocol.errnos import EINVAL, EIO, ENOENT
from ..protocol.put_files import SMALL_BYTES
from .sync_plan import ConflictError, Copying, Item, Making, Removal, Step, Tree, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from .files import Files


class LocalPlace:
    """A file or directory of this computer, which need not be there yet.

    Args:
        path: its name here.

    Attributes:
        base_name: what it is called in a directory that it is copied to; empty: what is in it goes there.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.base_name = "" if os.path.basename(path) == "." else self.path.resolve().name

    def __str__(self) -> str:
        return str(self.path)

    def below(self, name: str) -> LocalPlace:
        """Return the place of `name` in this directory.

        Raises:
            BoardError: it would be somewhere else, or nowhere: a board's file may be called anything.
        """
        parts = name.split("/")
        is_odd = any(part in ("", ".", "..") or (os.name == "nt" and set(part) & set('\\:*?"<>|')) for part in parts)
        if is_odd or "\0" in name:
            raise BoardError(EINVAL, f"a file called {name!r} cannot be here")
        return LocalPlace(self.path.joinpath(*parts))

    async def item(self) -> Item | None:
        """Return what is there; None if nothing is."""
        if not self.path.exists():
            return None
        return Item(self.path.is_dir(), 0 if self.path.is_dir() else self.path.stat().st_size)

    async def tree(self) -> Tree | None:
        """Return what is in the directory; None if it is not there."""
        return await asyncio.to_thread(self._tree) if self.path.exists() else None

    def _tree(self) -> Tree:
        items: dict[str, Item] = {}
        for folder, folders, files in os.walk(self.path):
            here = Path(folder).relative_to(self.path)
            items |= {(here / name).as_posix(): Item(is_directory=True) for name in folders}
            for name in files:
                content = Path(folder, name).read_bytes()
                items[(here / name).as_posix()] = Item(False, len(content), crc32(content))
        return items

    async def make(self) -> None:
        """Make this directory, and those above it."""
        self.path.mkdir(parents=True, exist_ok=True)

    async def remove(self) -> None:
        """Remove what is here."""
        if self.path.is_dir() and not self.path.is_symlink():
            await asyncio.to_thread(shutil.rmtree, self.path)
        else:
            self.path.unlink()


class BoardPlace:
    """The same on a board.

    Args:
        files: the board's files.
        name: the name there; empty: the current directory.
    """

    def __init__(self, files: Files, name: str) -> None:
        self.files = files
        self.name = name
        self.base_name = name.rstrip("/").rpartition("/")[2]

    def __str__(self) -> str:
        return f":{self.name}"

    def below(self, name: str) -> BoardPlace:
        """Return the place of `name` in this directory."""
        return BoardPlace(self.files, f"{self.name.rstrip('/')}/{name}" if self.name else name)

    async def item(self) -> Item | None:
        """Return what is there; None if nothing is."""
        try:
            entry = await self.files.stat(self.name)
        except BoardError as error:
            if error.code != ENOENT:
                raise
            return None
        return Item(entry.is_directory, entry.size_bytes)

    async def tree(self) -> Tree | None:
        """Return what is in the directory; None if it is not there."""
        try:
            entries = await self.files.list(self.name, recursive=True, hashed=True)
        except BoardError as error:
            if error.code != ENOENT:
                raise
            return None
        return {entry.name: Item(entry.is_directory, entry.size_bytes, entry.crc) for entry in entries}

    async def make(self) -> None:
        """Make this directory, and those above it."""
        if self.name.strip("/"):
            await self.files.mkdir(self.name, parents=True)

    async def remove(self) -> None:
        """Remove what is here."""
        await self.files.remove(self.name, recursive=True)


Place: TypeAlias = LocalPlace | BoardPlace


class Watcher(Protocol):
    """Who is told how far copying has come."""

    def begin(self, steps: list[Step]) -> None:
        """This is what will be done, or would be."""

    def step(self, step: Step) -> None:
        """This is done next."""

    def progress(self, done_bytes: int) -> None:
        """So much of the file that is being copied is there."""


async def copy_file(source: Place, target: Place, on_progress: Callable[[int], None]) -> None:
    """Copy a file from a board to this computer, the other way round, or from board to board.

    Raises:
        BoardError, TransportError, OSError: as Files.
    """
    match source, target:
        case LocalPlace(), BoardPlace():
            await target.files.put(source.path, target.name, on_progress)
        case BoardPlace(), LocalPlace():
            await source.files.get(source.name, target.path, on_progress)
        case BoardPlace(), BoardPlace():
            await target.files.write(target.name, await source.files.read(source.name), on_progress)
        case _:
            raise ValueError("neither of the places is on a board")


async def mirror(
    source: Place,
    target: Place,
    watcher: Watcher,
    *,
    delete: bool = False,
    dry_run: bool = False,
    exclude: Collection[str] = (),
) -> None:
    """Make the directory `target` like `source`; what is the same already is left alone, so a broken one goes on.

    Args:
        source: a directory.
        target: a directory, or nothing yet.
        watcher: who is told.
        delete: whether what is only in `target` is removed.
        dry_run: whether only to tell what would be done.
        exclude: patterns for names that are left alone, on either side, as are directories with all that is in them.

    Raises:
        BoardError, TransportError, OSError: as Files.
    """
    given, found = await asyncio.gather(source.tree(), target.tree())
    wanted = {name: item for name, item in (given or {}).items() if not _matches(name, exclude)}
    there = found or {}
    try:
        steps = plan(wanted, there, delete=delete, kept=[name for name in there if _matches(name, exclude)])
    except ConflictError as conflict:
        raise BoardError(EIO, f"{target.below(str(conflict))}: one is a file, the other a directory") from conflict
    watcher.begin(steps)
    if dry_run:
        return
    if found is None:
        await target.make()
    for are_small, group in itertools.groupby(steps, _is_small):
        if are_small and isinstance(source, LocalPlace) and isinstance(target, BoardPlace):
            await _put_together(source, target, list(group), watcher)
        else:
            for step in group:
                await _take(step, source, target, watcher)


def _is_small(step: Step) -> bool:
    return isinstance(step, Making) or (isinstance(step, Copying) and step.size_bytes <= SMALL_BYTES)


async def _put_together(source: LocalPlace, target: BoardPlace, steps: list[Step], watcher: Watcher) -> None:
    left = iter(steps)

    def stored(name: str) -> None:
        step = next(left)
        watcher.step(step)
        watcher.progress(step.size_bytes if isinstance(step, Copying) else 0)

    files = (
        (step.name, source.below(step.name).path.read_bytes()) if isinstance(step, Copying) else (f"{step.name}/", b"")
        for step in steps
    )
    await target.files.write_all(target.name, files, stored)


async def _take(step: Step, source: Place, target: Place, watcher: Watcher) -> None:
    watcher.step(step)
    place = target.below(step.name)
    match step:
        case Removal():
            await place.remove()
        case Making():
            await place.make()
        case Copying(name):
            await copy_file(source.below(name), place, watcher.progress)


def _matches(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatch(part, pattern) for part in name.split("/") for pattern in patterns)
