"""A client that speaks as webrepl_cli.py does, written from the facts of its protocol.

The same handshake (constant Host, `Sec-WebSocket-Key: foo`, no version), unmasked binary frames with the head
and the payload sent apart, no pongs, no answer to a close; it fails where webrepl_cli.py fails: on a 64-bit
length, and on a fragment or any other frame that is neither text nor binary it just reads on.

Facts: micropython/webrepl webrepl_cli.py and websocket_helper.py.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PUT_FILE, GET_FILE, GET_VER = 1, 2, 3
BLOCK_BYTES = 1024

HANDSHAKE = (
    b"GET / HTTP/1.1\r\n"
    b"Host: echo.websocket.org\r\n"
    b"Connection: Upgrade\r\n"
    b"Upgrade: websocket\r\n"
    b"Sec-WebSocket-Key: foo\r\n"
    b"\r\n"
)

TEXT, BINARY, CLOSE = 0x81, 0x82, 0x88


class ClientError(Exception):
    """What makes webrepl_cli.py stop with a traceback."""


class DeniedError(ClientError):
    """The password was wrong."""


class RefusedError(ClientError):
    """A reply's code is not 0.

    Attributes:
        code: the errno.
    """

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


def request(op: int, name: bytes = b"", size: int = 0) -> bytes:
    """Pack one request record, 82 bytes."""
    return struct.pack("<2sBBQLH64s", b"WA", op, 0, 0, size, len(name), name)


class OfficialClient:
    """One connection.

    Attributes:
        text: the text frames that went by, joined.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._rest = b""
        self.text = ""

    @classmethod
    @asynccontextmanager
    async def connect(cls, host: str, port: int, path: str = "/") -> AsyncIterator[OfficialClient]:
        """Connect and shake hands; the connection is dropped at the end, without a goodbye.

        Another path than `/` is for tests: webrepl_cli.py knows no other.
        """
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(HANDSHAKE.replace(b"/", path.encode(), 1))
            status = await reader.readline()
            if b" 101 " not in status:
                raise ClientError(f"no WebSocket here: {status!r}")
            while await reader.readline() not in (b"\r\n", b""):
                pass
            yield cls(reader, writer)
        finally:
            writer.transport.abort()

    async def login(self, password: str) -> None:
        """Wait for the prompt and send the password, without waiting for the verdict, as webrepl_cli.py does."""
        prompt = b""
        while not prompt.endswith(b": "):
            prompt += await self._read(1, text_ok=True)
        if prompt != b"Password: ":
            raise ClientError(f"not a WebREPL prompt: {prompt!r}")
        await self.send_frame(password.encode() + b"\r")

    async def get_ver(self) -> tuple[int, int, int]:
        """Ask for the firmware's version."""
        await self.send_frame(request(GET_VER))
        major, minor, micro = await self._read(3)
        return major, minor, micro

    async def put_file(self, name: str, data: bytes) -> None:
        """Store a file; raises RefusedError with the reply's code if it is not 0."""
        record = request(PUT_FILE, name.encode(), len(data))
        await self.send_frame(record[:10])
        await self.send_frame(record[10:])
        await self._expect_ok()
        for at in range(0, len(data), BLOCK_BYTES):
            await self.send_frame(data[at : at + BLOCK_BYTES])
        await self._expect_ok()

    async def get_file(self, name: str) -> bytes:
        """Fetch a file; raises RefusedError with the reply's code if it is not 0."""
        await self.send_frame(request(GET_FILE, name.encode()))
        await self._expect_ok()
        data = b""
        while True:
            await self.send_frame(b"\0")
            (size,) = struct.unpack("<H", await self._read(2))
            if size == 0:
                break
            data += await self._read(size)
        await self._expect_ok()
        return data

    async def send_frame(self, payload: bytes, first_byte: int = BINARY) -> None:
        """Send one unmasked frame."""
        length = struct.pack(">B", len(payload)) if len(payload) < 126 else struct.pack(">BH", 126, len(payload))
        self._writer.write(bytes([first_byte]) + length)
        self._writer.write(payload)
        await self._writer.drain()

    async def read_frame(self) -> tuple[int, bytes]:
        """Read one frame as webrepl_cli.py can: its first byte and its payload."""
        try:
            first_byte, size = await self._reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack(">H", await self._reader.readexactly(2))
            elif size > 126:
                raise ClientError("a 64-bit length, or a mask")
            payload = await self._reader.readexactly(size)
        except asyncio.IncompleteReadError:
            if self.text.endswith("Access denied\r\n"):
                raise DeniedError("wrong password") from None
            raise ClientError("the connection ended") from None
        if first_byte == TEXT:
            self.text += payload.decode()
        return first_byte, payload

    async def read_text_until(self, end: str) -> str:
        """Read until the terminal's text has `end` in it, and return the text up to there; for tests."""
        while end not in self.text:
            await self.read_frame()
        seen, _, self.text = self.text.partition(end)
        return seen + end

    async def _read(self, size: int, *, text_ok: bool = False) -> bytes:
        """Take `size` bytes of one frame's payload; they may not run on into the next."""
        while not self._rest:
            first_byte, payload = await self.read_frame()
            if first_byte == BINARY or (text_ok and first_byte == TEXT):
                self._rest = payload
        data, self._rest = self._rest[:size], self._rest[size:]
        if len(data) != size:
            raise ClientError(f"{size} bytes expected in one frame, {len(data)} found")
        return data

    async def _expect_ok(self) -> None:
        sig, code = struct.unpack("<2sH", await self._read(4))
        if sig != b"WB":
            raise ClientError(f"not a reply: {sig!r}")
        if code:
            raise RefusedError(code)
