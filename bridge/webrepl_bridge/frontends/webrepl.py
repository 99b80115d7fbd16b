"""One WebREPL client, from `Password: ` until it leaves.

After the password it sees what the board prints, during transfers too (`screen`), and four tasks serve it. The first
that ends ends them all:

    listen   takes messages from the client, one ahead, so that one that leaves is noticed at once
    handle   answers them in order: versions and file transfers; terminal input goes to the typist
    typist   types at the board; handle waits for it before a transfer
    watch    notices when the client does not take what it is shown
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
from websockets.frames import CloseCode

from webrepl_link.errors import BoardError, RemoteProtocolError, TransportError, WebReplError

from ..protocol.errnos import ECANCELED, EIO
from ..protocol.put_files import decode_files
from ..protocol.server_events import (
    Asked,
    ChunkWanted,
    Event,
    FileComplete,
    FileData,
    GetRequested,
    GivenUp,
    PasswordGiven,
    ProtocolFailed,
    PutFilesRequested,
    PutRequested,
    TerminalInput,
    VersionWanted,
)
from ..protocol.webrepl_server import SUBPROTOCOL, WebReplServer
from ..session import Client, ClientEndedError, ClientTooSlowError, Session
from .addresses import client_address
from .screen import showing
from .typist import Typist

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..boards.base import FileReader
    from ..protocol.file_requests import FileRequest
    from .passwords import PasswordGate

log = logging.getLogger(__name__)


SILENCE_S = 60.0
"""How long a client may be silent in the middle of a file: the board's terminal waits for it meanwhile."""

PIECE_BYTES = 4096

CLOSE_REASON_BYTES_MAX = 123
"""RFC 6455 section 5.5: a control frame has at most 125 bytes, and two of a close frame's are its code."""

T = TypeVar("T")


class _Goodbye(Exception):
    """The connection is to be closed, and the client told why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


async def serve_client(websocket: WebSocket, session: Session, gate: PasswordGate) -> None:
    """Serve one client from its handshake to its end; raises nothing for what a client does.

    A browser is shown what was shown before it came; other clients are, if they ask with `?scrollback=yes`: a program
    takes the first prompt after its login for the answer to what it has sent.

    Args:
        websocket: the connection, not yet accepted.
        session: the board's session.
        gate: who is let in.
    """
    is_bridge = SUBPROTOCOL in websocket.scope["subprotocols"]
    await websocket.accept(SUBPROTOCOL if is_bridge else None)
    address = client_address(websocket)
    goodbye: Exception | None = None
    try:
        if session.is_full:  # the firmware does not ask for the password either
            raise _Goodbye(CloseCode.TRY_AGAIN_LATER, f"{session.name} takes no more clients now")
        await _converse(_Connection(websocket), session, gate, address, replay=_wants_replay(websocket))
    except* WebSocketDisconnect:
        pass
    except* (_Goodbye, ClientEndedError) as group:
        goodbye = first_of(group)
    except* Exception:
        log.exception("%s: serving %s failed", session.name, address)
        goodbye = _Goodbye(CloseCode.INTERNAL_ERROR, "the bridge failed; its log says more")
    if goodbye is not None:
        log.info("%s: closing %s: %s", session.name, address, goodbye)
        await close_websocket(websocket, close_code(goodbye), str(goodbye))


def _wants_replay(websocket: WebSocket) -> bool:
    is_browser = websocket.headers.get("User-Agent", "").startswith("Mozilla/")
    return websocket.query_params.get("scrollback", "yes" if is_browser else "no") == "yes"


async def _converse(
    connection: _Connection, session: Session, gate: PasswordGate, address: str, *, replay: bool
) -> None:
    watches_only = await connection.log_in(gate, address)
    client: Client[str] | None = None
    try:
        with session.attach(address, watches_only=watches_only, replay=replay) as client:
            await connection.serve(client)
    finally:
        if client is not None:
            await take_back(session, client)


async def take_back(session: Session, client: Client[str]) -> None:
    """Take back the terminal from a client that has left; where that fails, the log says so."""
    try:
        await session.depart(client)
    except WebReplError as error:
        log.warning("%s: taking the terminal back from %s: %s", session.name, client.name, error)


def close_code(goodbye: Exception) -> int:
    """Return the code that tells a client why it is let go."""
    if isinstance(goodbye, _Goodbye):
        return goodbye.code
    return CloseCode.TRY_AGAIN_LATER if isinstance(goodbye, ClientTooSlowError) else CloseCode.GOING_AWAY


def first_of(group: BaseExceptionGroup[Exception]) -> Exception:
    """Return the first of what came together."""
    error = group.exceptions[0]
    return first_of(error) if isinstance(error, BaseExceptionGroup) else error


async def close_websocket(websocket: WebSocket, code: int, reason: str) -> None:
    """Close a connection that is open, and say why."""
    if websocket.application_state is WebSocketState.CONNECTED:
        short = reason.encode()[:CLOSE_REASON_BYTES_MAX].decode(errors="ignore")
        with contextlib.suppress(WebSocketDisconnect):
            await websocket.close(code, short)


class _Connection:
    """One client's connection: the pure core, and the WebSocket that carries its messages."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._core = WebReplServer()
        self._inbox: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._handling = False

    async def log_in(self, gate: PasswordGate, address: str) -> bool:
        """Ask for the password until it is right or wrong; return whether it is the one for watching.

        Raises:
            _Goodbye: it is wrong.
        """
        await self._flush()
        while (event := self._core.next_event()) is None:
            self._feed(await self._receive())
        if not isinstance(event, PasswordGiven):
            raise _out_of_step(event)
        loop = asyncio.get_running_loop()
        verdict = gate.check(event.password, address, int(loop.time() * 1000))
        await asyncio.sleep(verdict.delay_ms / 1000)
        if not verdict.right:
            self._core.send_denied()
            await self._flush()
            raise _Goodbye(CloseCode.POLICY_VIOLATION, "wrong password")
        self._core.send_connected()
        await self._flush()
        return verdict.watches_only

    async def serve(self, client: Client[str]) -> None:
        """Serve the client until it leaves or must go; either raises, within an exception group."""
        typist = Typist(client)
        with showing(client, self._websocket):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._handle(client, typist))
                tasks.create_task(typist.run())
                await client.fall_behind()  # not a task, as in boards/wire.py

    # Tasks.

    async def _listen(self) -> NoReturn:
        while True:
            message = await self._receive()
            await self._inbox.join()  # one message ahead of `handle`, not more
            self._inbox.put_nowait(message)

    async def _handle(self, client: Client[str], typist: Typist) -> NoReturn:
        while True:
            match await self._next_event():
                case TerminalInput(data):
                    await typist.add_when_there_is_space(data)
                case VersionWanted():
                    self._core.send_version(await self._version(client))
                    await self._flush()
                case PutRequested() as request:
                    await typist.has_typed_all()
                    await self._put(client, typist, request)
                case PutFilesRequested() as request:
                    await typist.has_typed_all()
                    await self._put_files(client, typist, request)
                case GetRequested() as request:
                    await typist.has_typed_all()
                    await self._get(client, typist, request)
                case Asked(request):
                    await typist.has_typed_all()
                    await self._ask(client, typist, request)
                case event:
                    raise _out_of_step(event)

    # Requests.

    async def _version(self, client: Client[str]) -> tuple[int, int, int]:
        try:
            return await client.version()
        except WebReplError as error:
            log.warning("%s: version: %s", client.name, error)
            return (0, 0, 0)

    async def _put(self, client: Client[str], typist: Typist, request: PutRequested) -> None:
        code = 0
        try:
            async with client.put(request.name, request.size_bytes, request.offset_bytes, keep=request.keep) as writer:
                await self._reply(0)
                while isinstance(event := await self._next_of_transfer(typist), FileData):
                    await writer.write(event.data)
                    self._core.send_taken()
                    await self._patiently(self._flush())
                if not isinstance(event, FileComplete):
                    raise _out_of_step(event)
                await writer.finish()
            log.info("%s: put %s, %d bytes", client.name, request.name, request.size_bytes)
        except (BoardError, TransportError, RemoteProtocolError) as error:
            code = _code_of(error, f"{client.name}: put {request.name}")
        await self._reply(code)

    async def _put_files(self, client: Client[str], typist: Typist, request: PutFilesRequested) -> None:
        code = 0
        try:
            await self._reply(0)
            data = b""
            while isinstance(event := await self._next_of_transfer(typist), FileData):
                data += event.data
            if not isinstance(event, FileComplete):
                raise _out_of_step(event)
            asked = decode_files(request.name, data)
            await client.ask(asked)
            log.info("%s: put %d files in %s", client.name, len(asked.files), request.name or "its directory")
        except (BoardError, TransportError, RemoteProtocolError) as error:
            code = _code_of(error, f"{client.name}: put files in {request.name}")
        await self._reply(code)

    async def _get(self, client: Client[str], typist: Typist, request: GetRequested) -> None:
        code = 0
        try:
            async with client.get(request.name, request.offset_bytes, request.size_bytes) as reader:
                sent_bytes = await self._send_file(reader, typist)
            log.info("%s: get %s, %d bytes", client.name, request.name, sent_bytes)
        except (BoardError, TransportError, RemoteProtocolError) as error:
            code = _code_of(error, f"{client.name}: get {request.name}")
        await self._reply(code)

    async def _send_file(self, reader: FileReader, typist: Typist) -> int:
        """Send all but the end of a file, chunk by chunk as they are wanted; return how much it was."""
        await self._reply(0)
        sent_bytes = 0
        while isinstance(event := await self._next_of_transfer(typist), ChunkWanted):
            if not (data := await reader.read()):
                return sent_bytes
            self._core.send_chunk(data)
            await self._patiently(self._flush())
            sent_bytes += len(data)
        raise _out_of_step(event)

    async def _ask(self, client: Client[str], typist: Typist, request: FileRequest[Any]) -> None:
        code = 0
        try:
            data = request.encode_answer(await client.ask(request))
            if request.answer_bytes is not None:
                self._core.send_answer(data)
                return await self._flush()
            await self._send_file(_Pieces(data), typist)
        except (BoardError, TransportError, RemoteProtocolError) as error:
            code = _code_of(error, f"{client.name}: {request}")
        await self._reply(code)

    async def _reply(self, code: int) -> None:
        self._core.send_reply(code)
        await self._patiently(self._flush())

    async def _next_of_transfer(self, typist: Typist) -> Event:
        """Return the next event of a transfer; what is typed meanwhile waits until the board can take it."""
        while isinstance(event := await self._patiently(self._next_event()), TerminalInput):
            if typist.full:
                raise _Goodbye(CloseCode.POLICY_VIOLATION, "too much typed while a file was under way")
            typist.add(event.data)
        if isinstance(event, GivenUp):
            raise BoardError(ECANCELED, "given up by the client")
        return event

    async def _patiently(self, step: Awaitable[T]) -> T:
        """Wait for the client's next step in a transfer, but not forever: the board's terminal waits too."""
        try:
            async with asyncio.timeout(SILENCE_S):
                return await step
        except TimeoutError:
            reason = f"silent for {SILENCE_S:g} s in the middle of a file"
            raise _Goodbye(CloseCode.POLICY_VIOLATION, reason) from None

    # Messages.

    async def _next_event(self) -> Event:
        while (event := self._core.next_event()) is None:
            if self._handling:
                self._inbox.task_done()
                self._handling = False
            self._feed(await self._inbox.get())
            self._handling = True
            await self._flush()
        return event

    def _feed(self, message: str | bytes) -> None:
        if isinstance(message, str):
            self._core.receive_text(message)
        else:
            self._core.receive_binary(message)

    async def _receive(self) -> str | bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005), message.get("reason"))
        text: str | None = message.get("text")
        data: bytes = message.get("bytes") or b""
        return data if text is None else text

    async def _flush(self) -> None:
        for message in self._core.messages_to_send():
            if isinstance(message, str):
                await self._websocket.send_text(message)
            else:
                await self._websocket.send_bytes(message)


class _Pieces:
    """A FileReader of what is known already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self) -> bytes:
        """See FileReader."""
        piece, self._data = self._data[:PIECE_BYTES], self._data[PIECE_BYTES:]
        return piece


def _out_of_step(event: Event) -> _Goodbye:
    reason = event.reason if isinstance(event, ProtocolFailed) else f"{event!r} out of turn"
    return _Goodbye(CloseCode.PROTOCOL_ERROR, reason)


def _code_of(error: WebReplError, what: str) -> int:
    """Log a failed transfer and return the code for the client."""
    log.warning("%s: %s", what, error)
    return error.code if isinstance(error, BoardError) and 0 < error.code < 1 << 16 else EIO
