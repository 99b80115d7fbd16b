"""Files over HTTP as CircuitPython's web workflow has them: paths, listings, ranges and conditions; no I/O.

Sources: CircuitPython docs/workflows.md, web API version 4; RFC 9110 for ranges (14) and conditions (13).
"""

from __future__ import annotations

import enum
import re
from email.utils import formatdate, parsedate_to_datetime
from posixpath import splitext
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from webrepl_link.errors import RemoteProtocolError

from .file_requests import Entry, Space, decode_name

if TYPE_CHECKING:
    from collections.abc import Mapping

WEB_API_VERSION = 4

BLOCK_BYTES = 1
"""What free and total space are counted in: with 1 they are the same in bytes and in blocks."""

CONTENT_TYPES = {
    ".py": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
}

_RANGE = re.compile(r"bytes=\s*([0-9]{0,19})-([0-9]{0,19})\s*", re.IGNORECASE | re.ASCII)


class Refusal(enum.Enum):
    """Why a file is not sent, or not touched: the HTTP status."""

    NOT_MODIFIED = 304
    PRECONDITION_FAILED = 412


class UnsatisfiableRangeError(Exception):
    """A range that begins past the end of its file."""


def decode_path(raw: bytes) -> str:
    """Return a file's name on the board from what follows `/fs` in a URL; a directory's ends in a slash.

    Args:
        raw: percent-encoded, with a slash in front, without query; bytes that are no UTF-8 are as a board has them.

    Raises:
        RemoteProtocolError: no board could have a file of that name, or it leads elsewhere.
    """
    path = unquote_to_bytes(raw)
    segments = path.split(b"/")
    if not path.startswith(b"/") or b"\0" in path or b"." in segments or b".." in segments:
        raise RemoteProtocolError("not a path on the board")
    name = b"/" + b"/".join(filter(None, segments))
    if path.endswith(b"/") and name != b"/":
        name += b"/"
    return decode_name(name)


def listing(entries: list[Entry], space: Space) -> dict[str, Any]:
    """Return a directory's JSON."""
    return _usage(space) | {
        "files": [
            {
                "name": entry.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"),
                "directory": entry.is_directory,
                "modified_ns": entry.time_s * 10**9,
                "file_size": 0 if entry.is_directory else entry.size_bytes,
            }
            for entry in entries
        ]
    }


def disk_info(space: Space) -> list[dict[str, Any]]:
    """Return the JSON of a board's only disk."""
    return [{"root": "/"} | _usage(space)]


def _usage(space: Space) -> dict[str, Any]:
    free, total = (number // BLOCK_BYTES for number in (space.free_bytes, space.total_bytes))
    return {"free": free, "total": total, "block_size": BLOCK_BYTES, "writable": True}


def content_type(name: str) -> str:
    """Return the media type of a file by its name."""
    return CONTENT_TYPES.get(splitext(name)[1].lower(), "application/octet-stream")


def entity_tag(entry: Entry) -> str:
    """Return a strong validator of a file, from size and CRC-32: a board's clock may say the same after each start."""
    return f'"{entry.size_bytes:x}-{entry.crc:08x}"'


def validators(entry: Entry) -> dict[str, str]:
    """Return the headers by which a client knows a file again."""
    headers = {"ETag": entity_tag(entry)}
    if entry.time_s:
        headers["Last-Modified"] = formatdate(entry.time_s, usegmt=True)
    return headers


def is_conditional(headers: Mapping[str, str]) -> bool:
    """Whether what is asked depends on the file's content."""
    return any(name in headers for name in ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"))


def refusal(headers: Mapping[str, str], entry: Entry | None, *, reads: bool) -> Refusal | None:
    """Judge a request's conditions, in the order of RFC 9110 section 13.2.2.

    Args:
        headers: of the request, found whatever their case.
        entry: the file with its CRC-32; None if there is none.
        reads: whether it is GET or HEAD.
    """
    if (wanted := headers.get("If-Match")) is not None:
        if not _names(wanted, entry, weakly=False):
            return Refusal.PRECONDITION_FAILED
    elif _has_changed_since(headers.get("If-Unmodified-Since"), entry):
        return Refusal.PRECONDITION_FAILED
    if (unwanted := headers.get("If-None-Match")) is not None:
        if _names(unwanted, entry, weakly=True):
            return Refusal.NOT_MODIFIED if reads else Refusal.PRECONDITION_FAILED
    elif reads and _has_changed_since(headers.get("If-Modified-Since"), entry) is False:
        return Refusal.NOT_MODIFIED
    return None


def _names(tags: str, entry: Entry | None, *, weakly: bool) -> bool:
    if entry is None:
        return False
    given = {tag.strip() for tag in tags.split(",")}
    tag = entity_tag(entry)
    return "*" in given or tag in given or (weakly and f"W/{tag}" in given)


def _has_changed_since(date: str | None, entry: Entry | None) -> bool | None:
    """Whether a file is newer than an HTTP date; None if that cannot be known."""
    if date is None or entry is None or not entry.time_s:
        return None
    try:
        return entry.time_s > parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def wanted_range(headers: Mapping[str, str], entry: Entry) -> range | None:
    """Return which bytes of a file are wanted; None: all. Several ranges at once are not, which RFC 9110 permits.

    Raises:
        UnsatisfiableRangeError: there are no such bytes.
    """
    found = _RANGE.fullmatch(headers.get("Range", ""))
    if found is None or not any(found.groups()) or not _is_same(headers.get("If-Range"), entry):
        return None
    first, last = (int(number) if number else None for number in found.groups())
    size = entry.size_bytes
    if first is None:
        assert last is not None
        wanted = range(max(0, size - last), size)
    else:
        if last is not None and last < first:
            return None  # RFC 9110 section 14.1.1: invalid, as if it were not there
        wanted = range(first, size if last is None else min(last + 1, size))
    if not wanted:
        raise UnsatisfiableRangeError
    return wanted


def _is_same(if_range: str | None, entry: Entry) -> bool:
    # A date is no proof: a board's clock has seconds at best, and RFC 9110 section 13.1.5 wants a strong validator.
    return if_range is None or if_range.strip() == entity_tag(entry)
