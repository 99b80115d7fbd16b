"""What can be asked of a board's files beside put and get: what it is, how it goes into a record, and its answer.

Each request knows the type of its answer, and how both are encoded: clients, servers and boards need no more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from webrepl_link import records
from webrepl_link.errors import BoardError, RemoteProtocolError
from webrepl_link.records import Request

from .errnos import EINVAL, ENOSYS

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Entry:
    """A file or a directory.

    Attributes:
        name: relative to the directory that was listed; of a stat, the name that was asked for.
        is_directory: whether it is one.
        size_bytes: of a file.
        time_s: when it was changed last, in seconds since 1970 by the board's clock; 0: not known.
        crc: the CRC-32 of a file, if it was asked for.
    """

    name: str
    is_directory: bool
    size_bytes: int = 0
    time_s: int = 0
    crc: int = 0


@dataclass(frozen=True)
class Space:
    """How much a file system holds, and how much of it is free."""

    total_bytes: int
    free_bytes: int


class FileRequest(ABC, Generic[Answer]):
    """Something to ask of a board's files.

    Attributes:
        kind: what it is called in a log.
        answer_bytes: how long the encoded answer is that follows a reply of 0; None: it comes in chunks, as a file.
        name: of the file or directory.
    """

    kind: ClassVar[str]
    answer_bytes: ClassVar[int | None] = 0
    name: str

    @abstractmethod
    def record(self) -> Request:
        """Return the request's record."""

    def payload(self) -> bytes:
        """Return what follows the record as what is put does, once the reply is 0; nothing of most requests."""
        return b""

    @abstractmethod
    def encode_answer(self, answer: Answer) -> bytes:
        """Encode an answer as it follows the reply."""

    @abstractmethod
    def decode_answer(self, data: bytes) -> Answer:
        """Decode what follows the reply.

        Raises:
            RemoteProtocolError: it is something else.
        """


class Command(FileRequest[None]):
    """What has no answer but that it is done."""

    def encode_answer(self, answer: None) -> bytes:
        """See FileRequest."""
        return b""

    def decode_answer(self, data: bytes) -> None:
        """See FileRequest."""
        if data:
            raise RemoteProtocolError(f"{len(data)} bytes after a reply that says all")


@dataclass(frozen=True)
class ListDirectory(FileRequest[list[Entry]]):
    """What is in a directory, sorted by name.

    Attributes:
        name: of the directory; empty: the current one.
        deep: all that is below it, too.
        hashed: with the CRC-32 of files.
    """

    kind: ClassVar[str] = "list"
    answer_bytes: ClassVar[int | None] = None

    name: str
    deep: bool = False
    hashed: bool = False

    def record(self) -> Request:
        """See FileRequest."""
        return Request(records.LIST, encode_name(self.name), flags=_flags(deep=self.deep, hashed=self.hashed))

    def encode_answer(self, answer: list[Entry]) -> bytes:
        """See FileRequest."""
        return b"".join(records.encode_listed(_to_record(entry)) for entry in answer)

    def decode_answer(self, data: bytes) -> list[Entry]:
        """See FileRequest."""
        entries = (_from_record(entry, decode_name(entry.name)) for entry in records.decode_list(data))
        return sorted(entries, key=lambda entry: entry.name)


@dataclass(frozen=True)
class GetStat(FileRequest[Entry]):
    """What a file or directory is.

    Attributes:
        name: its name; empty: the current directory.
        hashed: with the CRC-32 of a file.
    """

    kind: ClassVar[str] = "stat"
    answer_bytes: ClassVar[int | None] = records.ENTRY_BYTES

    name: str
    hashed: bool = False

    def record(self) -> Request:
        """See FileRequest."""
        return Request(records.STAT, encode_name(self.name), flags=_flags(hashed=self.hashed))

    def encode_answer(self, answer: Entry) -> bytes:
        """See FileRequest."""
        return records.encode_entry(_to_record(answer))

    def decode_answer(self, data: bytes) -> Entry:
        """See FileRequest."""
        return _from_record(records.decode_entry(data), self.name)


@dataclass(frozen=True)
class GetSpace(FileRequest[Space]):
    """How much space the file system with `name` has; empty: the one with the current directory."""

    kind: ClassVar[str] = "space"
    answer_bytes: ClassVar[int | None] = records.SPACE_BYTES

    name: str = ""

    def record(self) -> Request:
        """See FileRequest."""
        return Request(records.SPACE, encode_name(self.name))

    def encode_answer(self, answer: Space) -> bytes:
        """See FileRequest."""
        return records.encode_space(answer.total_bytes, answer.free_bytes)

    def decode_answer(self, data: bytes) -> Space:
        """See FileRequest."""
        return Space(*records.decode_space(data))


@dataclass(frozen=True)
class Remove(Command):
    """Remove the file `name`; `deep`: or the directory, with all that is in it."""

    kind: ClassVar[str] = "remove"

    name: str
    deep: bool = False

    def record(self) -> Request:
        """See FileRequest."""
        return Request(records.REMOVE, encode_name(self.name), flags=_flags(deep=self.deep))


@dataclass(frozen=True)
class Rename(Command):
    """Give the file or directory `name` a new name."""

    kind: ClassVar[str] = "rename"

    name: str
    new_name: str

    def record(self) -> Request:
        """See FileRequest."""
        name = encode_name(self.name)
        return Request(records.RENAME, name + encode_name(self.new_name), len(name))


@dataclass(frozen=True)
class MakeDirectory(Command):
    """Make the directory `name`; `deep`: those above it as well, and it is no error if it is there."""

    kind: ClassVar[str] = "make_directory"

    name: str
    deep: bool = False

    def record(self) -> Request:
        """See FileRequest."""
        return Request(records.MAKE_DIRECTORY, encode_name(self.name), flags=_flags(deep=self.deep))


@dataclass(frozen=True)
class RemoveDirectory(Command):
    """Remove the empty directory `name`."""

    kind: ClassVar[str] = "remove_directory"

    name: str

    def record(self) -> Request:
        """See FileRequest."""
        return Request(records.REMOVE_DIRECTORY, encode_name(self.name))


AnyRequest = ListDirectory | GetStat | GetSpace | Remove | Rename | MakeDirectory | RemoveDirectory


def decode_request(request: Request) -> AnyRequest | int:
    """Return what a record asks for, or the errno with which it is refused."""
    if request.op not in range(records.LIST, records.SPACE + 1):
        return ENOSYS
    split = request.size if request.op == records.RENAME else len(request.name)
    try:
        name, new_name = request.name[:split].decode(), request.name[split:].decode()
    except UnicodeDecodeError:
        return EINVAL
    may_be_empty = request.op in (records.LIST, records.STAT, records.SPACE)
    if "\0" in name + new_name or not (name or may_be_empty) or bool(new_name) != (request.op == records.RENAME):
        return EINVAL
    if request.flags & ~records.FLAGS.get(request.op, 0):
        return EINVAL
    deep, hashed = bool(request.flags & records.DEEP), bool(request.flags & records.HASHED)
    match request.op:
        case records.LIST:
            return ListDirectory(name, deep, hashed)
        case records.STAT:
            return GetStat(name, hashed)
        case records.SPACE:
            return GetSpace(name)
        case records.REMOVE:
            return Remove(name, deep)
        case records.RENAME:
            return Rename(name, new_name)
        case records.MAKE_DIRECTORY:
            return MakeDirectory(name, deep)
    return RemoveDirectory(name)


def fail_if_malformed(request: FileRequest[Any]) -> None:
    """Refuse what no board could do.

    Raises:
        BoardError: no name, or one that cannot be.
    """
    if isinstance(code := decode_request(request.record()), int):
        raise BoardError(code, "not a valid name")


def encode_name(name: str) -> bytes:
    """Return a name as it is on the wire; bytes of the board's that are no UTF-8 are as they were."""
    return name.encode("utf-8", "surrogateescape")


def decode_name(name: bytes) -> str:
    """Return a name as Python has it."""
    return name.decode("utf-8", "surrogateescape")


def _flags(*, deep: bool = False, hashed: bool = False) -> int:
    return records.DEEP * deep | records.HASHED * hashed


def _to_record(entry: Entry) -> records.Entry:
    kind = records.DIRECTORY if entry.is_directory else records.FILE
    size, time = (min(max(0, number), 0xFFFFFFFF) for number in (entry.size_bytes, entry.time_s))
    return records.Entry(kind, size, time, entry.crc, encode_name(entry.name))


def _from_record(entry: records.Entry, name: str) -> Entry:
    return Entry(name, entry.kind == records.DIRECTORY, entry.size, entry.time, entry.crc)
