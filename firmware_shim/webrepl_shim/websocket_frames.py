"""WebSocket's messages as frames, RFC 6455 section 5, in plain MicroPython; a subclass carries the bytes."""

import os

from micropython import const

_CONTINUATION = const(0)  # section 5.2
_TEXT = const(1)
_BINARY = const(2)
_CLOSE = const(8)
_PING = const(9)
_PONG = const(10)

_PROTOCOL_ERROR = const(1002)  # section 7.4.1
_NO_STATUS = const(1005)
_ABNORMAL = const(1006)
_NOT_UTF8 = const(1007)
_TOO_BIG = const(1009)

_PIECE_BYTES = const(512)  # masked and read at once
_MESSAGES_MAX = const(16)  # come and not taken out: then no more is read
_PONGS_BYTES_MAX = const(2048)  # waiting to be sent: then pings get no answer


class Frames:
    """A client's end of an open connection. A subclass has `_read`, `_send` and `abort`.

    Args:
        size_max: the longest message to take.

    Attributes:
        is_open: whether messages can be sent.
        is_closed: whether it is over.
        messages: what has come, str and bytes; take them out.
        code: of the close: the server's; 1006 if the connection ended without one; what was wrong with the server.
        reason: the server's.
    """

    def __init__(self, size_max):
        self.is_open = self.is_closed = False
        self.messages = []
        self.code = _ABNORMAL
        self.reason = ""
        self._size_max = size_max
        self._out = b""
        self._said_goodbye = False
        self._head = b""
        self._payload = None  # of the frame whose head has come
        self._count = 0  # bytes of it that have
        self._kind = 0  # of the message whose first fragment has come
        self._parts = []

    def _queue(self, kind, data):
        size = len(data)
        if size < 126:
            head = bytes((0x80 | kind, 0x80 | size))
        elif size < 65536:
            head = bytes((0x80 | kind, 0xFE)) + size.to_bytes(2, "big")
        else:
            head = bytes((0x80 | kind, 0xFF)) + size.to_bytes(8, "big")
        mask = random_bytes(4)
        parts = [self._out, head, mask]
        mask = int.from_bytes(mask * (_PIECE_BYTES // 4), "little")
        for start in range(0, size, _PIECE_BYTES):
            piece = data[start : start + _PIECE_BYTES]
            masked = int.from_bytes(piece, "little") ^ (mask & ((1 << 8 * len(piece)) - 1))
            parts.append(masked.to_bytes(len(piece), "little"))
        self._out = b"".join(parts)

    def _receive(self):
        while not self.is_closed and len(self.messages) < _MESSAGES_MAX:
            if self._payload is None:
                wanted = self._missing_head()
                if wanted:
                    data = self._read(wanted)
                    if not data:
                        return
                    self._head += data
                    continue
                if not self._begin_frame():
                    return
            elif self._count < len(self._payload):
                data = self._read(min(len(self._payload) - self._count, _PIECE_BYTES))
                if not data:
                    return
                self._payload[self._count : self._count + len(data)] = data
                self._count += len(data)
            if self._payload is not None and self._count == len(self._payload):
                head, payload = self._head[0], bytes(self._payload)
                self._head = b""
                self._payload = None
                self._take(head & 15, head & 0x80, payload)

    def _missing_head(self):
        if len(self._head) < 2:
            return 2 - len(self._head)
        return {126: 4, 127: 10}.get(self._head[1] & 0x7F, 2) - len(self._head)

    def _begin_frame(self):
        head, size = self._head[0], self._head[1]
        kind = head & 15
        if len(self._head) > 2:
            size = int.from_bytes(self._head[2:], "big")
        if (
            head & 0x70  # no extension was asked for
            or self._head[1] & 0x80  # a server does not mask
            or kind not in (_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG)
            or (kind >= _CLOSE and (size > 125 or not head & 0x80))
            or (kind < _CLOSE and (kind == _CONTINUATION) != bool(self._kind))
            or (len(self._head) == 4 and size < 126)
            or (len(self._head) == 10 and size < 65536)
        ):
            return self._fail(_PROTOCOL_ERROR)
        if kind < _CLOSE and size + sum([len(part) for part in self._parts]) > self._size_max:
            return self._fail(_TOO_BIG)
        self._payload = bytearray(size)
        self._count = 0
        return True

    def _take(self, kind, is_last, data):
        if kind == _CLOSE:
            self._take_goodbye(data)
        elif kind == _PING:
            if not self._said_goodbye and len(self._out) < _PONGS_BYTES_MAX:
                self._queue(_PONG, data)
        elif kind != _PONG:
            self._kind = kind or self._kind
            if data:
                self._parts.append(data)
            if is_last:
                message = b"".join(self._parts)
                try:
                    self.messages.append(message.decode() if self._kind == _TEXT else message)
                except UnicodeError:
                    self._fail(_NOT_UTF8)
                self._parts = []
                self._kind = 0

    def _take_goodbye(self, data):
        code = int.from_bytes(data[:2], "big") if data else _NO_STATUS
        may_be_sent = 1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999
        try:
            reason = data[2:].decode()
        except UnicodeError:
            return self._fail(_NOT_UTF8)
        if data and not may_be_sent:
            return self._fail(_PROTOCOL_ERROR)
        self.code = code
        self.reason = reason
        self._end(data[:2])

    # Ends, section 7.

    def _goodbye(self, code, reason=""):
        self._queue(_CLOSE, code.to_bytes(2, "big") + reason.encode()[:123])
        self._said_goodbye = True

    def _fail(self, code):
        self.code = code
        self._end(code.to_bytes(2, "big"))
        return False

    def _end(self, data):
        """Send what waits, and a close frame if none was sent, as far as that goes without waiting; and close."""
        if not self._said_goodbye:
            self._queue(_CLOSE, data)
        try:
            self._send()
        except OSError:
            pass
        self.abort()


def random_bytes(count):
    """Return so many bytes that nobody can foretell, if the firmware can do that."""
    if hasattr(os, "urandom"):
        return os.urandom(count)
    from random import getrandbits

    return bytes([getrandbits(8) for _ in range(count)])
