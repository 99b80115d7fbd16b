"""What a WebREPL client does and asks for, as the server's core tells it; and what each is owed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .file_requests import FileRequest


@dataclass(frozen=True)
class PasswordGiven:
    """A password; owed: `send_connected` or `send_denied`."""

    password: bytes


@dataclass(frozen=True)
class TerminalInput:
    """Bytes for the board's terminal."""

    data: bytes


@dataclass(frozen=True)
class PutRequested:
    """The client wants to store a file; owed: `send_reply`.

    Attributes:
        name: of the file.
        size_bytes: how much will come.
        offset_bytes: how much is there of it, from a put that broke.
        keep: whether what has come is to stay if this put breaks.
    """

    name: str
    size_bytes: int
    offset_bytes: int = 0
    keep: bool = False


@dataclass(frozen=True)
class PutFilesRequested:
    """The client wants to store files below the directory `name`, `size_bytes` of them; owed as of PutRequested."""

    name: str
    size_bytes: int


@dataclass(frozen=True)
class FileData:
    """The next bytes of the file that is being put; owed, when there is room for more: `send_taken`."""

    data: bytes


@dataclass(frozen=True)
class FileComplete:
    """All bytes of the file that is being put have come; owed: `send_reply`."""


@dataclass(frozen=True)
class GetRequested:
    """The client wants a file, or `size_bytes` of it from `offset_bytes` on; owed: `send_reply`."""

    name: str
    offset_bytes: int = 0
    size_bytes: int | None = None


@dataclass(frozen=True)
class Asked:
    """The client asks something else of the files; owed: `send_answer`, or `send_reply` with an errno.

    An answer that comes in chunks is owed as a file is: `send_reply`, then as after ChunkWanted.
    """

    request: FileRequest[Any]


@dataclass(frozen=True)
class ChunkWanted:
    """The client wants the next part of the file; owed: `send_chunk`, or `send_reply` after the last one."""


@dataclass(frozen=True)
class GivenUp:
    """The client wants no more of the put or get that is under way; owed: `send_reply` with an errno."""


@dataclass(frozen=True)
class VersionWanted:
    """The client wants the firmware's version; owed: `send_version`."""


@dataclass(frozen=True)
class ProtocolFailed:
    """The client is out of step for good: nothing that it sends means anything any more."""

    reason: str


Event = (
    PasswordGiven
    | TerminalInput
    | PutRequested
    | PutFilesRequested
    | FileData
    | FileComplete
    | GetRequested
    | Asked
    | ChunkWanted
    | GivenUp
    | VersionWanted
    | ProtocolFailed
)
