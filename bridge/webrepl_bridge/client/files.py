"""A board's files."""

from __future__ import annotations

import asyncio
from binascii import crc32
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from webrepl_link.errors import BoardError

from ..boards.room import refuse_without_room
from ..protocol.errnos import ENOENT, ENOSYS, WORDS
from ..protocol.file_requests import (
    Answer,
    Entry,
    FileRequest,
    GetSpace,
    GetStat,
    ListDirectory,
    MakeDirectory,
    Remove,
    RemoveDirectory,
    Rename,
    Space,
)
from ..protocol.put_files import PutFiles, bundles

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator

    from ..boards.base import Board

RESUMABLE_BYTES = 16_384
"""From which size on a broken transfer is worth going on with: asking what is there takes longer than a small file."""

PIECE_BYTES = 4096


def _nobody(done: object) -> None:
    pass


class Files:
    """The files of a board. Names are relative to the board's current directory, unless they begin with `/`.

    Every operation raises BoardError, with the errno as `code`, if the board refuses, and TransportError if the
    connection fails.

    Args:
        board: the board, being run.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._takes_bundles = True

    async def _ask(self, request: FileRequest[Answer]) -> Answer:
        with _told_of(request.name):
            return await self._board.ask(request)

    # What is there.

    async def list(self, name: str = "", *, recursive: bool = False, hashed: bool = False) -> list[Entry]:
        """Return what is in a directory, by name; `recursive`: and in those below; `hashed`: with files' CRC-32."""
        return await self._ask(ListDirectory(name, recursive, hashed))

    async def stat(self, name: str, *, hashed: bool = False) -> Entry:
        """Return what a file or directory is; `hashed`: with a file's CRC-32."""
        return await self._ask(GetStat(name, hashed))

    async def exists(self, name: str) -> bool:
        """Return whether there is a file or directory of this name."""
        try:
            await self.stat(name)
        except BoardError as error:
            if error.code != ENOENT:
                raise
            return False
        return True

    async def space(self, name: str = "/") -> Space:
        """Return how much the file system with `name` holds, and how much of it is free."""
        return await self._ask(GetSpace(name))

    # Changing it.

    async def remove(self, name: str, *, recursive: bool = False) -> None:
        """Remove a file; `recursive`: or a directory with all that is in it."""
        await self._ask(Remove(name, recursive))

    async def rename(self, name: str, new_name: str) -> None:
        """Give a file or directory another name."""
        await self._ask(Rename(name, new_name))

    async def mkdir(self, name: str, *, parents: bool = False) -> None:
        """Make a directory; `parents`: and those above it, and it may be there already."""
        await self._ask(MakeDirectory(name, parents))

    async def rmdir(self, name: str) -> None:
        """Remove an empty directory."""
        await self._ask(RemoveDirectory(name))

    # Contents.

    async def read(self, name: str) -> bytes:
        """Return what is in a file."""
        return b"".join([piece async for piece in self.iterate(name)])

    async def iterate(self, name: str, offset_bytes: int = 0) -> AsyncIterator[bytes]:
        """Yield what is in a file from an offset on, piece by piece as it comes."""
        with _told_of(name):
            async with self._board.get(name, offset_bytes) as reader:
                while piece := await reader.read():
                    yield piece

    async def write(self, name: str, content: bytes, on_progress: Callable[[int], None] = _nobody) -> None:
        """Store a file: all of it, or what was there before stays.

        If the same was broken off before, it goes on there.

        Args:
            name: of the file on the board.
            content: what to put in it.
            on_progress: called with how many bytes are there.
        """
        keep = len(content) >= RESUMABLE_BYTES
        there_bytes = await self._bytes_there(name, content) if keep else 0
        rest = memoryview(content)[there_bytes:]
        with _told_of(name):
            await refuse_without_room(self._board, name, len(rest))
            await self._store(name, rest, there_bytes, on_progress, keep=keep)

    async def write_all(
        self, directory: str, files: Iterable[tuple[str, bytes]], on_stored: Callable[[str], None] = _nobody
    ) -> None:
        """Store files in a directory: each of them whole, or what was there before stays.

        Small ones go there together, where the board can take them so, in a fraction of the time.

        Args:
            directory: what they are in.
            files: the name of each from there on, and what to put in it. A name that ends in `/` is a directory.
            on_stored: called with the name of each when it is there.
        """
        for request in bundles(directory, files):
            if len(request.files) == 1 or not await self._takes(request):
                for name, content in request.from_here().files:
                    await self._write_one(name, content)
            for name, _ in request.files:
                on_stored(name)

    async def _takes(self, request: PutFiles) -> bool:
        """Store files together, and return whether that went well; if one cannot be stored, it is not said which."""
        if self._takes_bundles:
            try:
                await self._board.ask(request)
            except BoardError as error:
                self._takes_bundles = error.code != ENOSYS
                return False
        return self._takes_bundles

    async def _write_one(self, name: str, content: bytes) -> None:
        if name.endswith("/"):
            await self.mkdir(name, parents=True)
        else:
            await self.write(name, content)

    async def _store(
        self, name: str, rest: memoryview, there_bytes: int, on_progress: Callable[[int], None], *, keep: bool
    ) -> None:
        async with self._board.put(name, len(rest), there_bytes, keep=keep) as writer:
            on_progress(there_bytes)
            for start in range(0, len(rest), PIECE_BYTES):
                piece = bytes(rest[start : start + PIECE_BYTES])
                await writer.write(piece)
                on_progress(there_bytes + start + len(piece))
            await writer.finish()

    async def _bytes_there(self, name: str, content: bytes) -> int:
        """Return how much of `content` a put that broke has left on the board."""
        try:
            left = await self.stat(f"{name}~", hashed=True)
        except BoardError as error:
            if error.code in (ENOENT, ENOSYS):
                return 0
            raise
        is_beginning = not left.is_directory and crc32(content[: left.size_bytes]) == left.crc
        return left.size_bytes if is_beginning and left.size_bytes <= len(content) else 0

    async def put(
        self, source: str | os.PathLike[str], name: str, on_progress: Callable[[int], None] = _nobody
    ) -> None:
        """Copy a file of this computer to the board, as `write` does.

        Raises:
            OSError: it cannot be read.
        """
        await self.write(name, await asyncio.to_thread(Path(source).read_bytes), on_progress)

    async def get(
        self, name: str, target: str | os.PathLike[str], on_progress: Callable[[int], None] = _nobody
    ) -> None:
        """Copy a file of the board to this computer: all of it, or what was there before stays.

        What comes is kept as `target~`, and if that is broken off the next get goes on there.

        Args:
            name: of the file on the board.
            target: its name here.
            on_progress: called with how many bytes are here.

        Raises:
            OSError: it cannot be written.
        """
        partial = Path(f"{target}~")
        there_bytes = await asyncio.to_thread(_size, partial)
        if there_bytes:
            whole = await self.stat(name, hashed=True)
            there_bytes = there_bytes if there_bytes <= whole.size_bytes else 0
        crc = await self._fetch(name, partial, there_bytes, on_progress)
        if there_bytes and crc != whole.crc:  # what was here was of another file
            await self._fetch(name, partial, 0, on_progress)
        await asyncio.to_thread(partial.replace, target)

    async def _fetch(self, name: str, partial: Path, there_bytes: int, on_progress: Callable[[int], None]) -> int:
        """Get the rest of a file, behind what is here; return the CRC-32 of all of it."""
        with _told_of(name):
            async with self._board.get(name, there_bytes) as reader:
                file, crc = await asyncio.to_thread(_open_behind, partial, there_bytes)
                with file:
                    on_progress(there_bytes)
                    while piece := await reader.read():
                        file.write(piece)
                        crc = crc32(piece, crc)
                        there_bytes += len(piece)
                        on_progress(there_bytes)
        return crc


@contextmanager
def _told_of(name: str) -> Iterator[None]:
    """Have errors of the board say what they are about, in the same words whatever it runs."""
    try:
        yield
    except BoardError as error:
        raise BoardError(error.code, f"{name or 'the current directory'}: {WORDS.get(error.code, error)}") from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _open_behind(path: Path, there_bytes: int) -> tuple[BinaryIO, int]:
    """Open a file to write behind its first bytes; return the CRC-32 of these, too."""
    file = path.open("r+b" if there_bytes else "wb")
    crc = 0
    while there_bytes and (piece := file.read(min(there_bytes, 1 << 16))):
        crc = crc32(piece, crc)
        there_bytes -= len(piece)
    file.truncate()
    return file, crc
