"""The firmware's WebREPL on a bare wire, in CPython: what modwebsocket.c and modwebrepl.c make of what comes."""

from __future__ import annotations

from linked_board import EchoRepl
from webrepl_bridge.protocol.plain_frames import BINARY, CLOSE, TEXT, encode_text
from webrepl_transports import ByteStream

CONNECTED = b"\r\nWebREPL connected\r\n>>> "


class ModelWebSocket:
    """The receiving half of modwebsocket.c, its quirks included.

    Attributes:
        kind: the opcode of the last data frame.
        closed: whether a close frame came.
    """

    def __init__(self) -> None:
        self.kind = 1
        self.closed = False
        self._header = bytearray()
        self._head_left = 2
        self._extension = False
        self._payload_left = 0
        self._mask = bytes(4)
        self._mask_at = 0
        self._control = False

    def feed(self, byte: int) -> int | None:
        """Take a byte from the wire; return one of a payload, if it is one."""
        if self._head_left:
            self._header.append(byte)
            self._head_left -= 1
            if not self._head_left:
                self._read_header()
            return None
        byte ^= self._mask[self._mask_at % 4]
        self._mask_at += 1
        self._payload_left -= 1
        if self._payload_left:
            return byte
        was_control = self._control
        self._end_frame()
        return None if was_control else byte

    def _read_header(self) -> None:
        header, self._header = bytes(self._header), bytearray()
        if not self._extension:
            opcode, size = header[0] & 0x0F, header[1] & 0x7F
            self._control = opcode >= 8
            self._opcode = opcode
            if opcode:
                self.kind = opcode
            self._payload_left = size
            self._mask = bytes(4)
            self._head_left = 2 * (size == 126) + 4 * (header[1] >= 0x80)
            self._extension = True
            if self._head_left:
                return
        else:
            if len(header) in (2, 6):
                self._payload_left = int.from_bytes(header[:2], "big")
            if len(header) >= 4:
                self._mask = header[-4:]
        self._extension = False
        if not self._payload_left:
            self._end_frame()

    def _end_frame(self) -> None:
        self.closed = self.closed or (self._control and self._opcode == 8)
        self._head_left, self._mask_at = 2, 0


class LineRepl(EchoRepl):
    """A REPL that takes bytes from 128 on into the line, and Ctrl-A at a line for moving the cursor, as boards do."""

    def read(self, data: bytes) -> bytes:
        printed = b""
        for byte in data:
            if byte >= 128 and not self._is_raw:
                self._line.append(byte)
                printed += bytes((byte,))
            elif byte != 0x01 or not self._line:
                printed += super().read(bytes((byte,)))
        return printed


class PlainWebRepl:
    """A board with `os.dupterm(_webrepl._webrepl(websocket.websocket(uart, False)))`.

    Attributes:
        repl: the REPL behind it.
        ended: whether dupterm has ended.
    """

    def __init__(self, stream: ByteStream, password: bytes = b"", *, logged_in: bool = False) -> None:
        self.repl = LineRepl()
        self.ended = False
        self._stream = stream
        self._password = password
        self._typed_password = bytearray()
        self._logged_in = logged_in
        self._websocket = ModelWebSocket()

    async def run(self) -> None:
        if not self._logged_in:
            await self._stream.send(encode_text(b"Password: "))
        while not self.ended:
            for byte in await self._stream.receive():
                payload = self._websocket.feed(byte)
                if self._websocket.closed:
                    self.ended = True
                    await self._stream.send(bytes((CLOSE, 0)))
                elif payload is not None and self._websocket.kind != TEXT & 0x0F:
                    self.ended = self.ended or self._websocket.kind == BINARY & 0x0F
                elif payload is not None:
                    await self._take(bytes((payload,)))

    async def _take(self, key: bytes) -> None:
        if self._logged_in:
            for printed in self.repl.read(key).splitlines(keepends=True):
                await self._stream.send(encode_text(printed))
        elif key not in b"\r\n":
            self._typed_password += key
        elif self._typed_password[:10] != self._password:
            await self._stream.send(encode_text(b"\r\nAccess denied\r\n"))
            self.ended = True
        else:
            self._logged_in = True
            await self._stream.send(encode_text(CONNECTED))
