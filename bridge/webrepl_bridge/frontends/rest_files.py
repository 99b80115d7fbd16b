"""A board's files over HTTP, at `/fs/…`: one request after another, in the session's queue with everyone else's.

A request is one turn at the board: what it asks first (is it there, is there space) still holds when it does the rest.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from posixpath import dirname
from typing import TYPE_CHECKING, NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from webrepl_link.errors import BoardError, RemoteProtocolError, TransportError

from ..protocol.errnos import (
    EACCES,
    EBUSY,
    EEXIST,
    EINVAL,
    EISDIR,
    ENAMETOOLONG,
    ENODEV,
    ENOENT,
    ENOSPC,
    ENOSYS,
    ENOTDIR,
    ENOTEMPTY,
    EPERM,
    EROFS,
    ETIMEDOUT,
)
from ..protocol.file_requests import Entry, GetSpace, GetStat, ListDirectory, MakeDirectory, Remove, Rename, Space
from ..protocol.web_workflow import (
    Refusal,
    UnsatisfiableRangeError,
    content_type,
    decode_path,
    is_conditional,
    listing,
    refusal,
    validators,
    wanted_range,
)
from .addresses import client_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from starlette.types import Receive, Scope, Send

    from ..boards.base import Board, FileReader
    from ..session import Session

log = logging.getLogger(__name__)

METHODS = ("GET", "HEAD", "PUT", "DELETE", "MOVE")

SILENCE_S = 60.0
"""How long a client may be silent in the middle of a file: the board's terminal waits for it meanwhile."""

PIECE_BYTES = 4096

WAITING_MAX = 100
"""Requests that may wait for a board at once."""


STATUSES = {
    **{EPERM: 403, EACCES: 403, ENOENT: 404, ENOTDIR: 404},
    **{EEXIST: 409, EISDIR: 409, ENOTEMPTY: 409},
    EROFS: 409,  # the drive is mounted at a computer
    **{ENOSPC: 413, EINVAL: 400, ENAMETOOLONG: 400},
    **{ENOSYS: 501, EBUSY: 503, ENODEV: 503, ETIMEDOUT: 504},
}
"""What an errno of the board's is in HTTP; others are 500."""

FROM_A_BOARD = {"Content-Security-Policy": "sandbox", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
"""What a board holds may be a page: it is not to run as if it were the bridge's."""


async def answer(request: Request, session: Session) -> Response:
    """Answer a request whose password is right.

    Args:
        request: at `/fs/…` or `/NAME/fs/…`.
        session: of its board.

    Raises:
        HTTPException: it is refused, or failed.
    """
    if len(session.files.operations) >= WAITING_MAX:
        raise HTTPException(503, "too many wait for this board", {"Retry-After": "1"})
    name = board_path(request.scope["raw_path"])
    match request.method:
        case "GET" | "HEAD" if name.endswith("/"):
            return await _list(request, session, name)
        case "GET" | "HEAD":
            return _Download(request, session, name)
        case "PUT" if name.endswith("/"):
            return await _make_directory(request, session, name)
        case "PUT":
            return await _store(request, session, name)
        case "DELETE":
            return await _remove(request, session, name)
    return await _move(request, session, name)


def board_path(raw: bytes) -> str:
    """Return the name on the board that a URL's path stands for, in `/fs/…` or `/NAME/fs/…`.

    Raises:
        HTTPException: it stands for none.
    """
    _, found, path = raw.partition(b"/fs/")
    try:
        return decode_path(b"/" + path if found else b"")
    except RemoteProtocolError as error:
        raise HTTPException(400, str(error)) from None


@asynccontextmanager
async def _turn(request: Request, session: Session, kind: str, name: str) -> AsyncIterator[Board]:
    """Wait for a request's turn at the board; what fails there becomes an answer."""
    visitor = session.visitor(client_address(request))
    try:
        async with session.file_turn(visitor, kind, name) as board:
            yield board
    except BoardError as error:
        log.warning("%s: %s %s: %s", visitor.name, kind, name, error)
        raise HTTPException(STATUSES.get(error.code, 500), str(error)) from error
    except TransportError as error:
        log.warning("%s: %s %s: %s", visitor.name, kind, name, error)
        raise HTTPException(502, str(error)) from error


async def _stat(board: Board, name: str, *, hashed: bool = False) -> Entry | None:
    try:
        return await board.ask(GetStat(name, hashed))
    except BoardError as error:
        if error.code != ENOENT:
            raise
    return None


async def _there(board: Board, name: str, *, hashed: bool = False) -> Entry:
    """Return what is there; a name that ends in a slash is a directory's, another one a file's."""
    entry = await _stat(board, name, hashed=hashed)
    if entry is None or entry.is_directory != name.endswith("/"):
        raise HTTPException(404, f"there is no {'directory' if name.endswith('/') else 'file'} {name}")
    return entry


async def _space(board: Board, folder: str) -> Space:
    """Return the space of the file system that has a directory; 0 in all where that is not known.

    The root of a board that has its files in `/flash` has none of its own, and not every file system can say.
    """
    try:
        return await board.ask(GetSpace(folder))
    except BoardError as error:
        if error.code in (EBUSY, ENODEV, ETIMEDOUT):
            raise
    return Space(0, 0)


async def board_space(request: Request, session: Session) -> Space:
    """Return how much space a board has, 0 where that is not known.

    Raises:
        HTTPException: it failed.
    """
    async with _turn(request, session, GetSpace.kind, "/") as board:
        return await _space(board, "/")


async def _list(request: Request, session: Session, name: str) -> Response:
    async with _turn(request, session, ListDirectory.kind, name) as board:
        entries = await board.ask(ListDirectory(name))
        return JSONResponse(listing(entries, await _space(board, name)), headers={"Cache-Control": "no-store"})


async def _make_directory(request: Request, session: Session, name: str) -> Response:
    async with _turn(request, session, MakeDirectory.kind, name) as board:
        entry = await _stat(board, name)
        if entry is None:
            await board.ask(MakeDirectory(name))
        elif not entry.is_directory:
            raise HTTPException(409, f"{name.rstrip('/')} is a file")
    return Response(status_code=201 if entry is None else 204)


async def _store(request: Request, session: Session, name: str) -> Response:
    if "Transfer-Encoding" in request.headers:
        raise HTTPException(411, "say the file's size in Content-Length")
    if "Content-Range" in request.headers:
        raise HTTPException(400, "a file can only be put as a whole")
    size_bytes = int(request.headers.get("Content-Length", "0"))
    async with _turn(request, session, "put", name) as board:
        entry = await _stat(board, name, hashed=is_conditional(request.headers))
        if entry is not None and entry.is_directory:
            raise HTTPException(409, f"{name} is a directory")
        _check_conditions(request, entry)
        space = await _space(board, dirname(name))
        if space.total_bytes and size_bytes > space.free_bytes:
            expected = "100-continue" in request.headers.get("Expect", "").lower()
            raise HTTPException(417 if expected else 413, f"{space.free_bytes} bytes are free on the board")
        await _receive(request, board, name, size_bytes)
    log.info("%s: put %s, %d bytes", client_address(request), name, size_bytes)
    return Response(status_code=201 if entry is None else 204)


async def _receive(request: Request, board: Board, name: str, size_bytes: int) -> None:
    async with board.put(name, size_bytes) as writer:
        body = request.stream()
        try:
            while data := await _patiently(anext(body)):
                for at in range(0, len(data), PIECE_BYTES):
                    await writer.write(data[at : at + PIECE_BYTES])
        except ClientDisconnect:
            raise HTTPException(400, "the client left in the middle of the file") from None
        await writer.finish()


async def _patiently(data: Awaitable[bytes]) -> bytes:
    try:
        async with asyncio.timeout(SILENCE_S):
            return await data
    except TimeoutError:
        raise HTTPException(408, f"silent for {SILENCE_S:g} s", {"Connection": "close"}) from None


async def _remove(request: Request, session: Session, name: str) -> Response:
    if name == "/":
        raise HTTPException(403, "the root stays")
    async with _turn(request, session, Remove.kind, name) as board:
        entry = await _there(board, name, hashed=is_conditional(request.headers))
        if not entry.is_directory:
            _check_conditions(request, entry)
        await board.ask(Remove(name, deep=entry.is_directory))
    return Response(status_code=204)


async def _move(request: Request, session: Session, name: str) -> Response:
    """Rename, never onto something that is there; the new name may lack a directory's slash."""
    destination = request.headers.get("X-Destination", "").encode("latin-1")
    if not destination.startswith((b"/fs/", b"/%s/fs/" % session.name.encode())):
        raise HTTPException(400, "say the new name in X-Destination, as in /fs/lib/new.py")
    new_name = board_path(destination)
    async with _turn(request, session, Rename.kind, name) as board:
        await _there(board, name)
        if await _stat(board, new_name) is not None:
            raise HTTPException(412, f"{new_name} is there already")
        await board.ask(Rename(name, new_name))
    return Response(status_code=201)


def _check_conditions(request: Request, entry: Entry | None) -> None:
    if refusal(request.headers, entry, reads=False):
        raise HTTPException(412, "a condition of the request does not hold")


class _Download(Response):
    """A file, or what is wanted of it, straight from the board: the turn lasts until the client has it."""

    def __init__(self, request: Request, session: Session, name: str) -> None:
        super().__init__(headers=FROM_A_BOARD, media_type=content_type(name))
        self._request = request
        self._session = session
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        async with _turn(self._request, self._session, "get", self._name) as board:
            wanted = self._describe(await _there(board, self._name, hashed=True))
            if not wanted or self._request.method == "HEAD":
                await self._start(send)
                await send({"type": "http.response.body"})
            else:
                async with board.get(self._name, wanted.start, len(wanted)) as reader:
                    await self._stream(reader, len(wanted), receive, send)

    def _describe(self, entry: Entry) -> range | None:
        """Set the status and the headers; return which bytes go with them, None for none."""
        self.headers.update(validators(entry) | {"Accept-Ranges": "bytes"})
        if refused := refusal(self._request.headers, entry, reads=True):
            self.status_code = refused.value
            if refused is Refusal.NOT_MODIFIED:
                del self.headers["Content-Length"]
            return None
        try:
            part = wanted_range(self._request.headers, entry) if self._request.method == "GET" else None
        except UnsatisfiableRangeError:
            raise HTTPException(
                416, f"the file has {entry.size_bytes} bytes", {"Content-Range": f"bytes */{entry.size_bytes}"}
            ) from None
        wanted = range(entry.size_bytes) if part is None else part
        if part is not None:
            self.status_code = 206
            self.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{entry.size_bytes}"
        self.headers["Content-Length"] = str(len(wanted))
        return wanted

    async def _start(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})

    async def _stream(self, reader: FileReader, size_bytes: int, receive: Receive, send: Send) -> None:
        """Send the body; one that ends early shows the client that it is not the whole file.

        The last piece waits until the board has ended the file: who has all of it leaves, and must not cut that short.
        """
        sent_bytes = 0
        try:
            async with asyncio.TaskGroup() as tasks:
                leaving = tasks.create_task(_left(receive))
                await self._start(send)
                try:
                    data = await reader.read()
                    while data:
                        following = await reader.read()
                        sent_bytes += len(data)
                        async with asyncio.timeout(SILENCE_S):
                            more = sent_bytes < size_bytes
                            await send({"type": "http.response.body", "body": data, "more_body": more})
                        data = following
                except (BoardError, TransportError, TimeoutError) as error:
                    log.warning("get %s: %s", self._name, error or f"silent for {SILENCE_S:g} s")
                leaving.cancel()
        except* ClientDisconnect:
            log.info("get %s: the client left after %d of %d bytes", self._name, sent_bytes, size_bytes)


async def _left(receive: Receive) -> NoReturn:
    """Wait until the client leaves.

    Raises:
        ClientDisconnect: it has.
    """
    while (await receive())["type"] != "http.disconnect":
        pass
    raise ClientDisconnect
