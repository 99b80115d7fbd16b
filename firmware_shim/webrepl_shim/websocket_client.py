"""A WebSocket client (RFC 6455) in plain MicroPython. It needs websocket_frames beside it, and no special firmware.

    from webrepl_shim.websocket_client import connect

    websocket = connect("wss://example.org/path", ca=open("ca.der", "rb").read())
    websocket.send("text")
    websocket.send(b"binary")
    message = websocket.recv()  # str or bytes; None at the end
    websocket.close()

Pings and the server's close are answered whenever something is received. `WebSocket` is for those who must not wait:
call `step` now and then, and look at `is_open`, `messages` and `is_closed`.
"""

import socket
from binascii import b2a_base64
from errno import EINPROGRESS
from hashlib import sha1
from select import POLLERR, POLLHUP, POLLIN, POLLOUT, poll
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from .websocket_frames import Frames, random_bytes

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_TEXT = const(1)
_BINARY = const(2)
_PING = const(9)

_ANSWER_BYTES_MAX = const(4096)
_PIECE_BYTES = const(512)  # sent at once
_GOODBYE_MS = const(2000)


def connect(url, headers=(), ca=None, timeout_ms=10000):
    """Connect, and wait until the connection is open.

    Args:
        url: as for WebSocket.
        headers: as for WebSocket.
        ca: as for WebSocket.
        timeout_ms: how long that may take.

    Raises:
        OSError: it could not be opened.
    """
    websocket = WebSocket(url, headers, ca)
    if not websocket.wait(lambda: websocket.is_open, timeout_ms):
        websocket.abort()
        raise OSError("no answer")
    return websocket


class WebSocket(Frames):
    """A connection.

    Args:
        url: ws:// or wss://, host, port and path.
        headers: more lines for the request, such as "Authorization: Bearer …".
        ca: for wss, the certificate of the authority that the server's is signed by, DER (or PEM, where the firmware
            reads that); False: take any server for the right one.
        size_max: the longest message to take; a longer one ends the connection.

    Attributes:
        is_open, is_closed, messages, code, reason: as Frames has them.
        unsent_bytes: how much waits to be sent.

    Raises:
        OSError: the host is not known, or cannot be reached.
        ValueError: the URL is none, or ca is missing.
    """

    def __init__(self, url, headers=(), ca=None, size_max=65536):
        super().__init__(size_max)
        self._piece = b""
        self._key = b2a_base64(random_bytes(16)).strip()
        scheme, host, port, path = split(url)
        self._tls = None
        if scheme == "wss":
            self._tls = _tls(ca), host
        lines = ["GET %s HTTP/1.1" % path, "Host: %s" % url.split("/")[2], "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Key: %s" % self._key.decode(), "Sec-WebSocket-Version: 13"]
        lines += headers
        self._request = "\r\n".join(lines + ["", ""]).encode()
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0]
        self._socket = socket.socket(found[0], found[1])
        self._socket.setblocking(False)
        try:
            self._socket.connect(found[-1])
        except OSError as error:
            if error.errno != EINPROGRESS:
                self._socket.close()
                raise

    # Without waiting.

    def step(self):
        """Receive and send what can be without waiting.

        Raises:
            OSError: it has failed: not connected, refused, or broken.
        """
        if self.is_closed:
            return
        try:
            if self._request and not self._connected():
                return
            self._send()
            if self.is_open:
                self._receive()
                self._send()
            else:
                self._read_answer()  # and no more, so that nobody misses that it was open
        except OSError:
            self.abort()
            raise
        except ValueError as error:  # so the firmware says that a certificate does not verify
            self.abort()
            raise OSError("failed: %s" % error)

    def send(self, data):
        """Queue a message, text from str and binary from bytes, and send what can be sent at once.

        Raises:
            OSError: the connection is not open, or breaks.
        """
        if not self.is_open or self._said_goodbye:
            raise OSError("the connection is not open")
        if isinstance(data, str):
            self._queue(_TEXT, data.encode())
        else:
            self._queue(_BINARY, data)
        self.step()

    def ping(self, data=b""):
        """Queue a ping; a pong that comes means nothing more than that the server is there."""
        self._queue(_PING, data)
        self.step()

    def abort(self):
        """Close without a word."""
        self.is_open = False
        self.is_closed = True
        self._out = self._piece = b""
        self._socket.close()

    @property
    def unsent_bytes(self):
        """How much waits to be sent."""
        return len(self._out) + len(self._piece)

    # Waiting.

    def wait(self, condition, timeout_ms=-1):
        """Step until `condition` holds; return whether it does. It does not at the end, or after `timeout_ms`.

        Raises:
            OSError: as step.
        """
        end = ticks_add(ticks_ms(), timeout_ms)
        while True:
            self.step()
            if condition():
                return True
            left_ms = ticks_diff(end, ticks_ms())
            if self.is_closed or (timeout_ms >= 0 and left_ms <= 0):
                return False
            events = poll()
            events.register(self._socket, POLLIN | POLLOUT if self._request or self.unsent_bytes else POLLIN)
            events.poll(left_ms if timeout_ms >= 0 else -1)

    def recv(self, timeout_ms=-1):
        """Wait for the next message; return it, or None after `timeout_ms` and at the end, of whatever kind."""
        try:
            self.wait(lambda: self.messages, timeout_ms)
        except OSError:  # what has come before counts
            pass
        return self.messages.pop(0) if self.messages else None

    def flush(self, timeout_ms=-1):
        """Wait until everything has been sent; return whether it has.

        Raises:
            OSError: the connection broke.
        """
        return self.wait(lambda: not self.unsent_bytes, timeout_ms)

    def close(self, code=1000, reason=""):
        """Say goodbye, and wait a little until the server has too. May be called any number of times."""
        try:
            if self.is_open:
                self._goodbye(code, reason)
                self.wait(lambda: self.is_closed, _GOODBYE_MS)
        except OSError:
            pass
        if not self.is_closed:
            self.abort()

    # The handshake, section 4.1.

    def _connected(self):
        events = poll()
        events.register(self._socket, POLLOUT)
        for _, event in events.poll(0):
            if event & (POLLERR | POLLHUP):
                self._socket.read(1)  # says why, on some ports
                raise OSError("cannot connect")
            if self._tls:
                context, host = self._tls
                self._socket = context.wrap_socket(self._socket, server_hostname=host, do_handshake_on_connect=False)
            self._out = self._request
            self._request = None
            return True
        return False

    def _read_answer(self):
        while not self._head.endswith(b"\r\n\r\n"):
            byte = self._socket.read(1)
            if byte is None:
                return
            self._head += byte
            if not byte or len(self._head) > _ANSWER_BYTES_MAX:
                raise OSError("no WebSocket answers")
        self._check(self._head.decode().split("\r\n"))
        self._head = b""
        self.is_open = True

    def _check(self, lines):
        if not lines[0].startswith("HTTP/1.1 101"):
            raise OSError("refused: " + lines[0])
        values = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            values[name.strip().lower()] = value.strip()
        accept = b2a_base64(sha1(self._key + _GUID).digest()).strip().decode()
        if (
            values.get("upgrade", "").lower() != "websocket"
            or "upgrade" not in [word.strip() for word in values.get("connection", "").lower().split(",")]
            or values.get("sec-websocket-accept") != accept
            or values.get("sec-websocket-extensions")
            or values.get("sec-websocket-protocol")  # neither was asked for
        ):
            raise OSError("the answer is not a WebSocket's")

    # Bytes.

    def _send(self):
        while self._piece or self._out:
            if not self._piece:  # TLS wants the same bytes again when it could not send them
                self._piece = self._out[:_PIECE_BYTES]
                self._out = self._out[_PIECE_BYTES:]
            count = self._socket.write(self._piece)
            if not count:
                return
            self._piece = self._piece[count:]

    def _read(self, count):
        data = self._socket.read(count)
        if data == b"":
            self.abort()
        return data


def split(url):
    """Return scheme, host, port and path of a WebSocket's URL.

    Raises:
        ValueError: it is none.
    """
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    host, colon, port = place.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = place, {"ws": 80, "wss": 443}.get(scheme, 0)
    host = host.strip("[]")
    if scheme not in ("ws", "wss") or not host:
        raise ValueError("no WebSocket address: " + url)
    return scheme, host, int(port), slash + path or "/"


def _tls(ca):
    import ssl

    if ca is None:
        raise ValueError("wss needs ca=, the certificate that the server's is signed by, or ca=False")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = ssl.CERT_REQUIRED if ca else ssl.CERT_NONE  # the default differs between ports
    if ca:
        context.load_verify_locations(cadata=ca)
    return context
