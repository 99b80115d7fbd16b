"""WebSocket: `ws://` and `wss://`. Messages, not a stream: which of them are text and which are binary matters.

The library's own asyncio client does the work. What it leaves open is what a text message is: a board's terminal sends
any bytes in one, so they are given out and taken as bytes here. And it pings, which the firmware's `websocket` module
takes for data; here the network itself notices a peer that has vanished.
"""

from __future__ import annotations

import errno
import ssl
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.frames import CloseCode, Opcode
from websockets.typing import Subprotocol

from webrepl_link.errors import AddressError, BrokenError, EndOfStreamError, OpenError, TransportError
from webrepl_transports.keepalive import notice_vanished_peer

if TYPE_CHECKING:
    from websockets.frames import Frame

    from webrepl_transports._stream import ByteStream
    from webrepl_transports.address import OpenOptions

SCHEMES = ("ws", "wss")
OPEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
MESSAGE_BYTES_MAX = 1 << 20
REFUSAL_CHARS_MAX = 200


class Message(NamedTuple):
    """One message.

    Attributes:
        is_text: whether it came as text.
        data: its bytes, which need not be UTF-8 in either kind.
    """

    is_text: bool
    data: bytes


class WebSocket:
    """An open connection. One task may receive and others may send at the same time.

    Attributes:
        description: how to name it to a person.
        subprotocol: which of those offered the server has chosen.
    """

    def __init__(self, connection: _Connection, description: str) -> None:
        self.description = description
        self.subprotocol = connection.subprotocol
        self._connection = connection

    async def receive(self) -> Message:
        """Return the next message; cancelled, it has taken none.

        Raises:
            EndOfStreamError: the other side closed the connection in good order.
            BrokenError: it ended otherwise, or was closed on this side.
        """
        try:
            return await self._connection.receive()
        except ConnectionClosed as closed:
            raise self._end(closed) from None

    async def send_text(self, data: bytes) -> None:
        """Send a text message; waits while the network does not take it.

        Raises:
            BrokenError: the connection has ended.
        """
        await self._send(data, is_text=True)

    async def send_binary(self, data: bytes) -> None:
        """Send a binary message, as `send_text` does."""
        await self._send(data, is_text=False)

    async def _send(self, data: bytes, *, is_text: bool) -> None:
        try:
            await self._connection.send(data, text=is_text)
        except ConnectionClosed as closed:
            raise BrokenError(*self._end(closed).args) from None

    async def aclose(self) -> None:
        """Say goodbye and close; may be called any number of times."""
        await self._connection.close()

    def _end(self, closed: ConnectionClosed) -> TransportError:
        if closed.rcvd is None:
            return BrokenError(f"{self.description}: the connection broke")
        reason = f": {closed.rcvd.reason}" if closed.rcvd.reason else ""
        if closed.rcvd.code not in (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD):
            return BrokenError(f"{self.description}: the other side ended the connection{reason}")
        return EndOfStreamError(f"{self.description}: the other side closed the connection{reason}")


class _Connection(ClientConnection):
    """The library's connection, which remembers of each message whether it is text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._are_text: deque[bool] = deque()

    def process_event(self, event: Any) -> None:
        """See ClientConnection."""
        if self.response is not None:
            frame: Frame = event
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
                self._are_text.append(frame.opcode is Opcode.TEXT)
        super().process_event(event)

    async def receive(self) -> Message:
        data = await self.recv(decode=False)
        return Message(self._are_text.popleft(), data)


async def open_websocket(url: str, *subprotocols: str) -> WebSocket:
    """Connect to `ws://HOST[:PORT][/PATH]` or `wss://…`, whose certificate has to verify.

    Args:
        url: where.
        subprotocols: what to offer to the server.

    Raises:
        AddressError: the URL is not well formed.
        OpenError: it could not be opened; the message is one line that says what to do.
    """
    host = _host(url)
    try:
        connection = await connect(
            url,
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,
            max_size=MESSAGE_BYTES_MAX,
            user_agent_header=None,
            create_connection=_Connection,
        )
    except (OSError, WebSocketException, EOFError) as error:
        raise OpenError(f"cannot connect to {url}: {_advice(error, host)}") from error
    assert isinstance(connection, _Connection)
    notice_vanished_peer(connection.transport.get_extra_info("socket"))
    return WebSocket(connection, url)


async def refuse_stream(url: str, options: OpenOptions) -> ByteStream:
    """Say that there is no stream of bytes here; whoever can use messages asks for them.

    Raises:
        AddressError: always.
    """
    raise AddressError(
        f"{url} is a board's WebREPL, and this needs the wire that the board is on, such as /dev/ttyUSB0"
    )


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme.lower() not in SCHEMES or parts.fragment:
        raise AddressError(f"{url!r} is no WebSocket address: write ws://HOST:PORT/ or wss://HOST/")
    return host


def _advice(error: Exception, host: str) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate does not verify: {error.verify_message}; use the name that it was made for, and if "
                "you have signed it yourself, name the file with your authority's certificate in SSL_CERT_FILE"
            )
        case ssl.SSLError() | ConnectionResetError():
            return "it ends the connection at once; correct the port, and write ws:// where there is no TLS"
        case TimeoutError():
            return f"no answer within {OPEN_TIMEOUT_S:.0f} s; check the address and firewalls"
        case OSError() if f"[Errno {errno.ECONNREFUSED}]" in str(error):  # also of each of several addresses
            return "nothing listens there; start it (on a board: import webrepl; webrepl.start()), or correct the port"
        case InvalidStatus():
            said = " ".join(bytes(error.response.body or b"").decode(errors="replace").split())[:REFUSAL_CHARS_MAX]
            return f"it answers {error.response.status_code} {error.response.reason_phrase}" + f": {said}" * bool(said)
        case InvalidHandshake() | EOFError():
            return "what listens there does not speak WebSocket; correct the port"
        case OSError(strerror=str(reason)):
            return f"{host}: {reason}"
        case _:
            return " ".join(str(error).split())
