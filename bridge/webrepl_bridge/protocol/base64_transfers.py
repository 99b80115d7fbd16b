"""File transfers through a terminal that carries text only: the host's side of `put_base64` and `get_base64`.

As in transfers.py, but the blocks cross the wire in base64 and fit the buffers of a board's UART, and the programs need
neither Ctrl-C as data nor `select.poll`, which the firmware's WebREPL does not take part in. Ctrl-C ends them.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64, crc32
from typing import TYPE_CHECKING

from webrepl_link.errors import RemoteProtocolError

from .dialogue import Dialogue, DialogueTimeoutError, Fetch, Opened, Send
from .raw_repl import PROGRAM_TIMEOUT_MS
from .transfers import BLOCK_TIMEOUT_MS, END, NO_BLOCK, Block, Get, Put, arguments

if TYPE_CHECKING:
    from .raw_repl import RawRepl

CTRL_C = b"\x03"
PUT_BLOCK_BYTES = 177
"""244 characters: with their header they fit a UART's 256 bytes."""

GET_BLOCK_BYTES = 84
"""121 characters: two blocks with their headers fit a UART's 256 bytes."""

STOP_ATTEMPTS = 4
STOP_TIMEOUT_MS = 500


class PutBase64(Put):
    """A file on its way to the board by the program `put_base64`; arguments as for Put."""

    def __init__(
        self, repl: RawRepl, program: bytes, name: str, size_bytes: int, offset_bytes: int = 0, *, keep: bool = False
    ) -> None:
        super().__init__(repl, program, name, size_bytes, PUT_BLOCK_BYTES, 0, offset_bytes, keep=keep)

    def _attempt(self, mode: str) -> Dialogue[None]:
        called_with = arguments((self._name, self._unstored_bytes), mode, self._block_bytes)
        yield from self._repl.call(called_with, (b"_put", self._program))
        reply = yield from self._reply(PROGRAM_TIMEOUT_MS)
        if not self.opened:
            self.opened = True
            yield Opened()
        while reply != END:
            if self._block is NO_BLOCK:
                self._block = yield from self._next_block()
            yield Send(b2a_base64(self._block.wire, newline=False))
            reply = yield from self._reply(BLOCK_TIMEOUT_MS)
            self._unstored_bytes -= self._block.size_bytes
            self._block = NO_BLOCK
        if self._unstored_bytes:
            raise RemoteProtocolError("the board says that it has the file, but not all of it was sent")

    def _next_block(self) -> Dialogue[Block]:
        data = yield Fetch(min(self._block_bytes, self._unstored_bytes))
        return Block(data + crc32(data, self._unstored_bytes).to_bytes(4, "little"), len(data))

    def abandon(self) -> Dialogue[None]:
        """See Transfer."""
        for attempt in range(STOP_ATTEMPTS):
            yield Send(CTRL_C)
            try:
                yield from self._repl.until(b"\x04>", STOP_TIMEOUT_MS)
                break
            except DialogueTimeoutError:
                if attempt == STOP_ATTEMPTS - 1:
                    raise
        yield from self.clean_up()


class GetBase64(Get):
    """A file on its way from the board by the program `get_base64`; arguments as for Get."""

    def __init__(
        self, repl: RawRepl, program: bytes, name: str, offset_bytes: int = 0, size_bytes: int | None = None
    ) -> None:
        super().__init__(repl, program, name, GET_BLOCK_BYTES, offset_bytes, size_bytes)

    def _next_block(self) -> Dialogue[bytes | None]:
        try:
            line = yield from self._repl.until(b"\n", BLOCK_TIMEOUT_MS)
            block = a2b_base64(line, strict_mode=True)
        except (DialogueTimeoutError, Base64Error):
            return None
        data, check = block[:-4], block[-4:]
        return data if crc32(data, self._offset).to_bytes(4, "little") == check else None
