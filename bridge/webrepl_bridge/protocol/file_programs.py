"""What is asked of a stock board's files, by programs in the raw REPL: the host's side of tree, change and the like.

Code and what it prints cross the wire without a check of their own. So each program is called with a check of its
arguments, or prints one of all that it says; what arrived damaged is done again.
"""

from __future__ import annotations

import ast
import functools
from binascii import crc32
from typing import TYPE_CHECKING, Any, cast

from webrepl_link.errors import BoardError

from .errnos import ENOSYS
from .file_requests import (
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
    fail_if_malformed,
)
from .insist import expect, insist
from .raw_repl import PROGRAM_TIMEOUT_MS, REPLY_BYTES_MAX, ProgramError, RawRepl
from .transfers import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from .dialogue import Dialogue

FROM_FIRMWARE = b"from binascii import crc32 as _crc32"
"""What firmware that has what the binary transfers need has as well."""

LIST_BYTES_MAX = 1 << 24
HASH_TIMEOUT_MS = 120_000
"""How long a board may be silent over one file whose CRC-32 is wanted."""


class FilePrograms:
    """Does what is asked, at the raw prompt.

    Args:
        repl: the board's raw REPL.
        source: gives the source of a program.
        epoch_s: what the board's clock calls 0, in seconds since 1970.
        stay: whether the board has room for programs that wait for their next call.
    """

    def __init__(self, repl: RawRepl, source: Callable[[str], bytes], epoch_s: int, *, stay: bool) -> None:
        self._repl = repl
        self._source = source
        self._epoch_s = epoch_s
        self._stay = stay

    def ask(self, request: FileRequest[Answer]) -> Dialogue[Answer]:
        """Do what is asked.

        Raises:
            BoardError: the board refused, or the line is too bad.
        """
        fail_if_malformed(request)
        if not self._stay:
            yield from self._repl.forget()
        try:
            return cast("Answer", (yield from self._do(request)))
        except ProgramError as error:
            if any(name in error.traceback for name in ("AttributeError", "ImportError", "TypeError")):
                raise BoardError(ENOSYS, "the firmware cannot do that") from error
            raise

    def _do(self, request: FileRequest[Any]) -> Generator[Any, bytes, Any]:
        match request:
            case ListDirectory(name, deep, hashed):
                entries = yield from self._tree(_trim(name), 2 if deep else 1, hashed)
                return sorted(entries, key=lambda entry: entry.name)
            case GetStat(name, _) if not name.strip("/"):
                return Entry(name, is_directory=True)  # what file systems say of their root differs
            case GetStat(name, hashed):
                (entry,) = yield from self._tree(_trim(name), 0, hashed)
                return Entry(name, entry.is_directory, entry.size_bytes, entry.time_s, entry.crc)
            case GetSpace(name):
                return (yield from self._space(_trim(name)))
            case Remove(name, deep):
                yield from self._command("remove_deep" if deep else "change", "remove", _trim(name))
            case Rename(name, new_name):
                yield from self._command("change", "rename", _trim(name), _trim(new_name))
            case MakeDirectory(name, deep):
                yield from self._command("make_deep" if deep else "change", "mkdir", _trim(name))
            case RemoveDirectory(name):
                yield from self._command("change", "rmdir", _trim(name))
        return None

    def _call(
        self,
        program: str,
        *arguments: str | int,
        timeout_ms: int = PROGRAM_TIMEOUT_MS,
        limit_bytes: int = REPLY_BYTES_MAX,
    ) -> Dialogue[bytes]:
        literals = b",".join(quote(value) if isinstance(value, str) else b"%d" % value for value in arguments)
        crc32 = FROM_FIRMWARE if self._stay else self._source("crc32")
        yield from self._repl.call(literals, (b"_crc32", crc32), (b"_" + program.encode(), self._source(program)))
        return (yield from self._repl.finish(timeout_ms, limit_bytes))

    def _command(self, program: str, what: str, *names: str) -> Dialogue[None]:
        words = (what, *names) if program == "change" else names
        check = crc32(" ".join(words).encode())
        answer = expect(b"%d" % check)
        yield from insist(self._repl, lambda: self._call(program, check, *words), answer, harmless=False)

    def _space(self, path: str) -> Dialogue[Space]:
        def answer(printed: bytes) -> Space:
            line, _, check = printed.strip().rpartition(b" ")
            if crc32(path.encode() + line) != int(check):
                raise ValueError(printed)
            total, free = line.split()
            return Space(int(total), int(free))

        return (yield from insist(self._repl, lambda: self._call("space", path), answer))

    def _tree(self, where: str, depth: int, hashed: bool) -> Dialogue[list[Entry]]:
        def answer(printed: bytes) -> list[Entry]:
            *lines, last = printed.replace(b"\r\n", b"\n").split(b"\n")[:-1] or [b""]
            check = crc32(b"%s %d %d" % (where.encode(), depth, hashed))
            for line in lines:
                check = crc32(line, check)
            if check != int(last):
                raise ValueError(last)
            return list(self._entries(line.decode() for line in lines))

        timeout_ms = HASH_TIMEOUT_MS if hashed else PROGRAM_TIMEOUT_MS
        execute = functools.partial(
            self._call, "tree", where, depth, int(hashed), timeout_ms=timeout_ms, limit_bytes=LIST_BYTES_MAX
        )
        return (yield from insist(self._repl, execute, answer))

    def _entries(self, lines: Iterable[str]) -> Iterator[Entry]:
        folder = ""
        for line in lines:
            if line[0] in "'\"":
                folder = ast.literal_eval(line)
                continue
            size, time, crc, quoted = line.split(" ", 3)
            name = folder + ast.literal_eval(quoted)
            time_s = int(time) + self._epoch_s if int(time) else 0
            is_directory = name.endswith("/")
            yield Entry(name.removesuffix("/"), is_directory, 0 if is_directory else int(size), time_s, int(crc, 16))


def _trim(name: str) -> str:
    return name.rstrip("/") or name[:1]
