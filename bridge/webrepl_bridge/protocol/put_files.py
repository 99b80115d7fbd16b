"""Many small files at once: the request, and how they follow it.

A file of its own costs a board more time than its bytes do: the way there and back, a program's call, a temporary file
in a directory that is slow to change because it is full.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from webrepl_link import records
from webrepl_link.errors import BoardError
from webrepl_link.records import Request

from .errnos import EINVAL
from .file_requests import Command, encode_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FILES_BYTES_MAX = 1 << 14
"""How much may follow one request."""

SMALL_BYTES = 4096
"""What is larger goes on its own."""

HEAD_BYTES = 4


@dataclass(frozen=True)
class PutFiles(Command):
    """Store files below a directory, one after the other, each of them whole or not at all.

    What of them is on its way is in the file `name~` meanwhile, beside the directory and not in it. If one cannot be
    stored, those before it are.

    Attributes:
        name: of the directory that they are in; empty: the current one.
        files: the name of each from there on and what is in it; a name that ends in `/` is a directory to make,
            unless it is there. Together FILES_BYTES_MAX when encoded.
    """

    kind: ClassVar[str] = "put_files"

    name: str
    files: tuple[tuple[str, bytes], ...]

    def record(self) -> Request:
        """See FileRequest; `payload` follows when the reply is 0."""
        return Request(records.PUT_FILES, encode_name(self.name), sum(map(len, self.entries())))

    def from_here(self) -> PutFiles:
        """Return the same with names from the current directory on."""
        above = self.name + "/" * (self.name[-1:] not in ("", "/"))
        return PutFiles("", tuple((above + name, content) for name, content in self.files))

    def entries(self) -> list[bytes]:
        """Return the files as they are on the wire: sizes of name and content, 2 bytes each, name, content."""
        named = [(encode_name(name), content) for name, content in self.files]
        return [
            len(name).to_bytes(2, "little") + len(content).to_bytes(2, "little") + name + content
            for name, content in named
        ]

    def payload(self) -> bytes:
        """See FileRequest."""
        return b"".join(self.entries())


def bundles(name: str, files: Iterable[tuple[str, bytes]]) -> Iterator[PutFiles]:
    """Divide files into requests that are not too large; a file that is not small is alone in one."""
    waiting: list[tuple[str, bytes]] = []
    waiting_bytes = 0
    for file in files:
        size_bytes = HEAD_BYTES + len(encode_name(file[0])) + len(file[1])
        size_bytes = size_bytes if size_bytes <= SMALL_BYTES else FILES_BYTES_MAX  # leaves no room for another
        if waiting and waiting_bytes + size_bytes > FILES_BYTES_MAX:
            yield PutFiles(name, tuple(waiting))
            waiting, waiting_bytes = [], 0
        waiting.append(file)
        waiting_bytes += size_bytes
    if waiting:
        yield PutFiles(name, tuple(waiting))


def decode_files(name: str, data: bytes) -> PutFiles:
    """Decode what has followed a request.

    Raises:
        BoardError: EINVAL: it is cut, or a name is none.
    """
    files = []
    while data:
        sizes = (int.from_bytes(data[start : start + 2], "little") for start in (0, 2))
        end_of_name, end = (HEAD_BYTES + size for size in itertools.accumulate(sizes))
        try:
            files.append((data[HEAD_BYTES:end_of_name].decode(), data[end_of_name:end]))
        except UnicodeDecodeError:
            raise BoardError(EINVAL, "a name that is not UTF-8") from None
        if len(data) < end or not files[-1][0].strip("/") or "\0" in files[-1][0]:
            raise BoardError(EINVAL, "files that are cut, or without a name")
        data = data[end:]
    return PutFiles(name, tuple(files))
