"""Tools that expect a serial port (mpremote, rshell, esptool, a terminal program), over TCP or RFC 2217.

They share the session with everyone else: what they send is typed as a person's keys are, without loss, and what they
get is the board's output, byte for byte. Nobody asks them for a password, as no such tool could give one. When the
board goes, so do they, as from a port that is unplugged: nothing in their bytes could tell them.

A tool that asks for a reset by DTR and RTS gets the wire itself, for the boot loader that it means to speak to; for
everyone else the board is gone until the tool has left.

Three tasks serve a tool, and the first that ends ends them all: `listen` takes its bytes and acts on its requests,
`show` sends it the board's, the typist types; with the wire, `pass_on` sends it what comes from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import deque
from typing import TYPE_CHECKING, NoReturn, Protocol

from webrepl_link.errors import TransportError, WebReplError
from webrepl_transports.telnet import DataReceived

from ..boards.lending import LendableStream
from ..lab.plan import Door
from ..protocol.rfc2217 import BaudRequested, Event, LinesRequested, PurgeRequested, Rfc2217Server
from ..protocol.tool_lines import Lines, ToolLines
from .addresses import without_port
from .typist import Typist

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from webrepl_transports import ByteStream

    from ..session import Client, Session

log = logging.getLogger(__name__)

RECEIVE_BYTES = 65536

LAST_WORDS_S = 5.0
"""How long what a tool has sent may take to be typed once it has left."""

BAUD = 115200
"""What a tool believes the speed to be, as long as it asks for no other."""

ACCEPT_PAUSE_S = 1.0
"""After a connection could not be accepted: there are no more descriptors, and asking again at once gives none."""


_A_BROWSERS = re.compile(rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) |\x16\x03")
"""How a request of HTTP begins, or a TLS connection: any web page can have the browser send one to this computer."""


class _Core(Protocol):
    def receive_data(self, data: bytes) -> None: ...
    def next_event(self) -> Event | None: ...
    def send_data(self, data: bytes) -> None: ...
    def data_to_send(self) -> bytes: ...


class _PlainTcp:
    """Bytes as they are, with the verbs of `Rfc2217Server`."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._out = bytearray()

    def receive_data(self, data: bytes) -> None:
        self._events.append(DataReceived(data))

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    def send_data(self, data: bytes) -> None:
        self._out += data

    def data_to_send(self) -> bytes:
        out = bytes(self._out)
        self._out.clear()
        return out


async def serve_tools(
    session_of: Callable[[], Session | None], door: Door, sockets: Sequence[socket.socket], *, stop: asyncio.Event
) -> None:
    """Serve tools on listening sockets until `stop` is set or the task is cancelled; closes the sockets.

    Args:
        session_of: finds the board's session; without one a tool is turned away.
        door: what the tools speak.
        sockets: listening sockets, as of `open_listeners`.
        stop: set it to stop.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(_accept_all(session_of, door, sockets))
            await stop.wait()
            serving.cancel()
    finally:
        for sock in sockets:
            sock.close()


async def _accept_all(session_of: Callable[[], Session | None], door: Door, sockets: Sequence[socket.socket]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for sock in sockets:
            tasks.create_task(_accept(session_of, door, sock, tasks))


async def _accept(
    session_of: Callable[[], Session | None], door: Door, listening: socket.socket, tasks: asyncio.TaskGroup
) -> NoReturn:
    loop = asyncio.get_running_loop()
    listening.setblocking(False)
    while True:
        try:
            sock, address = await loop.sock_accept(listening)
        except OSError as error:
            log.error("a tool could not connect: %s", error)
            await asyncio.sleep(ACCEPT_PAUSE_S)
            continue
        if (session := session_of()) is None:
            sock.close()
        else:
            tasks.create_task(_serve(session, door, sock, without_port(address[0])))


async def _serve(session: Session, door: Door, sock: socket.socket, address: str) -> None:
    """Serve one tool to its end; raises nothing for what a tool does."""
    tool: Client[bytes] | None = None
    try:
        reader, writer = await asyncio.open_connection(sock=sock)
        try:
            with session.attach_tool(f"{door.value}:{address}") as tool:
                await _Connection(reader, writer, door, tool, session).serve()
        finally:
            writer.transport.abort()
            if tool is not None:
                await session.depart(tool)
    except* (OSError, _LeftError):
        pass
    except* WebReplError as group:
        log.warning("%s: closing %s: %s", session.name, address, group.exceptions[0])
    except* Exception:
        log.exception("%s: serving %s failed", session.name, address)


class _LeftError(Exception):
    """The tool has closed its connection, or the board is gone."""


class _Connection:
    """One tool's connection."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        door: Door,
        tool: Client[bytes],
        session: Session,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._tool = tool
        self._typist = Typist(tool)
        self._session = session
        self._core: _Core = Rfc2217Server(BAUD) if door is Door.RFC2217 else _PlainTcp()
        self._baud = BAUD
        self._lines = ToolLines()
        self._wire: ByteStream | None = None
        self._borrowed = contextlib.ExitStack()

    async def serve(self) -> None:
        with self._borrowed:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._listen())
                self._tasks.create_task(self._show())
                self._tasks.create_task(self._typist.run())
                self._tasks.create_task(self._leave_after(self._session.departure))
                await self._tool.fall_behind()  # not a task, as in boards/wire.py

    async def _listen(self) -> NoReturn:
        await self._flush()
        first = True
        while data := await self._reader.read(RECEIVE_BYTES):
            if first and _A_BROWSERS.match(data):
                log.warning("%s: closed: a web page has sent it", self._tool.name)
                raise _LeftError
            first = False
            self._core.receive_data(data)
            while (event := self._core.next_event()) is not None:
                await self._act_on(event)
            await self._flush()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._typist.has_typed_all()
        raise _LeftError

    async def _act_on(self, event: Event) -> None:
        match event:
            case DataReceived(data) if self._wire is not None:
                await self._set_lines(self._lines.data_follows())
                await self._wire.send(data)
            case DataReceived(data):
                await self._typist.add_when_there_is_space(data)
            case PurgeRequested(to_client, to_board):
                if to_client:
                    self._tool.forget()
                if to_board:
                    self._typist.forget()
            case BaudRequested(baud):
                self._baud = baud
                if self._wire is not None and self._wire.control is not None:
                    await self._wire.control.set_baud(baud)
            case LinesRequested(dtr, rts):
                await self._set_lines(self._lines.request(dtr, rts))

    async def _set_lines(self, changes: list[Lines]) -> None:
        """Do what `ToolLines` has decided; the first time, the wire is this tool's from then on."""
        board = self._session.board
        wire = self._wire or (board.wire if board is not None else None)
        if not changes or wire is None or wire.control is None:
            return
        try:
            for lines in changes:
                await wire.control.set_lines(dtr=lines.dtr, rts=lines.rts)
        except TransportError as error:
            log.warning("%s cannot reset the board: %s", self._tool.name, error)
            return
        if isinstance(wire, LendableStream) and board is not None:
            board.on_notice(f"{self._tool.name} resets the board and has it alone until it leaves")
            self._wire = self._borrowed.enter_context(wire.lend(self._tool.name))
            await wire.control.set_baud(self._baud)
            self._tasks.create_task(self._pass_on(self._wire))

    async def _pass_on(self, wire: ByteStream) -> NoReturn:
        while True:
            self._core.send_data(await wire.receive())
            await self._flush()

    async def _show(self) -> NoReturn:
        while True:
            self._core.send_data(await self._tool.receive())
            await self._flush()

    async def _leave_after(self, departure: asyncio.Event) -> None:
        await departure.wait()
        if self._wire is None:
            raise _LeftError

    async def _flush(self) -> None:
        if data := self._core.data_to_send():
            self._writer.write(data)
            await self._writer.drain()
