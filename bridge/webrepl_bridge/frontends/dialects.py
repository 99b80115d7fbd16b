"""WebSocket as real WebREPL clients speak it, on uvicorn's WebSocket protocol.

webrepl_cli.py and its descendants greet with `Sec-WebSocket-Key: foo` and no version, send unmasked frames,
answer no ping and no close, and cannot read fragments, 64-bit lengths or compressed frames.
belay and mpfshell cut text into frames wherever a byte stands. None of this matters to the firmware's server,
so none of it matters here. Everything else is as RFC 6455 has it.

Sources: micropython/webrepl webrepl_cli.py and websocket_helper.py; micropython extmod/modwebsocket.c.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import hashlib
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import MultipleValuesError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from webrepl_transports.keepalive import notice_vanished_peer

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn._types import ASGISendEvent
    from websockets.http11 import Request

MESSAGE_BYTES_MAX = 1 << 20
"""The longest message taken from a client; clients send 1 KiB at a time, the official page a file's chunk."""

SOCKET = "webrepl.socket"
"""Where the scope's state has the WebReplWebSocket itself, for what boards print: `send` takes three times as long."""

SAME_TEXTS = 8
"""How many encoded texts are kept: the clients of a board are sent the same, one after the other."""

GOODBYE_S = 2.0
"""How long a client may take for what was sent to it, once the connection is being closed."""

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_ANY_KEY = base64.b64encode(bytes(16)).decode()


def accept_value(key: str) -> str:
    """Compute Sec-WebSocket-Accept from a key as it was sent, whether or not it is base64 of 16 bytes.

    Source: RFC 6455 section 4.2.2; micropython-lib webrepl.py, server_handshake.
    """
    return base64.b64encode(hashlib.sha1(key.encode("latin-1", "surrogateescape") + _GUID).digest()).decode()


class ZeroMask:
    """A filter for a client's stream of frames: gives each unmasked frame a mask of zeros.

    RFC 6455 section 5.1 has a server refuse unmasked frames; a mask of zeros changes nothing else in them.
    """

    def __init__(self) -> None:
        self._head = bytearray()
        self._to_pass_bytes = 0

    def filter(self, data: bytes) -> bytes:
        """Return the stream's next bytes, every frame masked; the stream may be cut anywhere."""
        out = bytearray()
        at = 0
        while at < len(data):
            if self._to_pass_bytes:
                part = data[at : at + self._to_pass_bytes]
                out += part
                at += len(part)
                self._to_pass_bytes -= len(part)
                continue
            self._head.append(data[at])
            at += 1
            if len(self._head) >= 2 and len(self._head) == _head_bytes(self._head[1]):
                out += self._whole_head()
        return bytes(out)

    def _whole_head(self) -> bytes:
        masked, length = self._head[1] & 0x80, self._head[1] & 0x7F
        if length > 125:
            length = int.from_bytes(self._head[2:], "big")
        self._to_pass_bytes = length + 4 if masked else length
        self._head[1] |= 0x80
        head = bytes(self._head) + (b"" if masked else bytes(4))
        self._head.clear()
        return head


def _head_bytes(second_byte: int) -> int:
    """Length of a frame's head without its mask, from its second byte; RFC 6455 section 5.2."""
    return {126: 4, 127: 10}.get(second_byte & 0x7F, 2)


class TolerantServerProtocol(ServerProtocol):
    """The websockets library's server core, for every WebREPL client."""

    _frames: ZeroMask | None = None

    def process_request(self, request: Request) -> tuple[str, str | None, str | None]:
        """Check a handshake; any key will do, and a version that is not given is 13."""
        self._frames = ZeroMask()  # what follows the request is frames
        headers = request.headers.copy()
        try:
            key = headers.get("Sec-WebSocket-Key")
        except MultipleValuesError:
            key = None  # the library says what is wrong
        if key:
            del headers["Sec-WebSocket-Key"]
            headers["Sec-WebSocket-Key"] = _ANY_KEY
        if "Sec-WebSocket-Version" not in headers:
            headers["Sec-WebSocket-Version"] = "13"
        usual = dataclasses.replace(request, headers=headers)
        accept, extensions, subprotocol = super().process_request(usual)
        return accept_value(key) if key else accept, extensions, subprotocol

    def receive_data(self, data: bytes | bytearray) -> None:
        """Take bytes from the network, with or without masks."""
        super().receive_data(self._frames.filter(bytes(data)) if self._frames else data)


@lru_cache(maxsize=SAME_TEXTS)
def encode_texts(messages: tuple[str, ...]) -> bytes:
    """Return the frames of text messages: whole, unmasked, and with a 16-bit length up to 65,535 bytes."""
    return b"".join(Frame(Opcode.TEXT, message.encode()).serialize(mask=False) for message in messages)


class WebReplWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket connection, for every WebREPL client, and for clients that stop reading.

    A close sends the close frame and then the end of the stream at once, because clients of the official
    dialect never answer it; the other direction is read and thrown away meanwhile, because closing a socket
    with unread input would take back what the client has not read yet. After GOODBYE_S it is over.

    Attributes:
        closed: set when the connection has ended.
        on_ready: called when `is_ready` has become true; must not block, nor raise.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conn = TolerantServerProtocol(max_size=MESSAGE_BYTES_MAX, logger=self.logger)
        self.closed = asyncio.Event()
        self.on_ready: Callable[[], None] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Have the network notice when the other side vanishes: no goodbye comes from a lost radio link."""
        super().connection_made(transport)
        notice_vanished_peer(transport.get_extra_info("socket"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        super().connection_lost(exc)
        self.closed.set()

    def eof_received(self) -> None:
        """The client will say no more; it may still read what waits for it, but not forever."""
        self._end_soon()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network, unless goodbye has been said; the first ones are the whole request."""
        if self.close_sent:
            return
        super().data_received(data)
        if not self.handshake_initiated:  # too many headers, say, or a body; the library has answered or has not
            answer = b"".join(self.conn.data_to_send())
            self.transport.write(answer or self.conn.reject(400, "This is no WebSocket handshake.\n").serialize())
            self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """Hand a message to the application; empty ones mean nothing in WebREPL."""
        data, self.frames = b"".join(self.frames), []
        if not data:
            return
        if self.curr_msg_data_type == "text":
            text = data.decode("utf-8", "surrogateescape")
            self.queue.put_nowait({"type": "websocket.receive", "text": text})
        else:
            self.queue.put_nowait({"type": "websocket.receive", "bytes": data})
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def handle_cont(self, event: Frame) -> None:
        """Collect a fragment; an endless row of empty ones costs nothing."""
        if event.data or event.fin:
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Answer a ping; RFC 6455 section 5.5.3 lets us leave out pongs that the client does not take."""
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)

    def handle_close(self, event: Frame) -> None:
        """Answer the client's goodbye."""
        super().handle_close(event)
        self._end_soon()

    def handle_parser_exception(self) -> None:
        """End a client that breaks RFC 6455, with the reason that the library found."""
        assert self.conn.close_sent is not None
        self._say_goodbye(self.conn.close_sent.code, self.conn.close_sent.reason)

    def shutdown(self) -> None:
        """The server is stopping."""
        if self.handshake_complete:
            self._say_goodbye(CloseCode.GOING_AWAY, "the bridge is stopping")
        else:
            super().shutdown()

    def handle_connect(self, event: Request) -> None:
        """Take the handshake's request."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.scope["state"][SOCKET] = self

    @property
    def is_ready(self) -> bool:
        """Whether the client has taken enough of what was sent before."""
        return self.writable.is_set()

    def resume_writing(self) -> None:
        """The client has taken enough."""
        super().resume_writing()
        self.on_ready()

    def send_texts(self, messages: tuple[str, ...]) -> None:
        """Send text messages, together; nothing if the connection is closed, or about to be."""
        if messages and self.conn.state is State.OPEN and not self.close_sent and not self.disconnected:
            self.transport.write(encode_texts(messages))

    async def send(self, message: ASGISendEvent) -> None:
        """Pass on what the application sends; a goodbye does not wait until the client reads."""
        if not self.handshake_complete:
            await super().send(message)
        elif message["type"] == "websocket.close":
            self._say_goodbye(message.get("code", CloseCode.NORMAL_CLOSURE), message.get("reason") or "")
        elif self.close_sent:
            raise ClientDisconnected
        else:
            await super().send(message)

    def _say_goodbye(self, code: int, reason: str) -> None:
        if self.close_sent or self.disconnected:
            return
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.conn.state is State.OPEN:
            self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.can_write_eof():
            with contextlib.suppress(OSError):  # reset by the client, and not yet noticed
                self.transport.write_eof()
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self._end_soon()

    def _end_soon(self) -> None:
        if self.close_timer is None and not self.disconnected:
            self.close_timer = self.loop.call_later(GOODBYE_S, self.transport.abort)
