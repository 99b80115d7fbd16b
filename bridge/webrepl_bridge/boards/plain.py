"""A board that runs nothing but the firmware's own WebREPL on the wire: terminal and files in RFC 6455 text frames."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from webrepl_link.errors import BrokenError
from webrepl_transports import ByteStream

from ..protocol.plain_frames import CLOSE, TEXT, Frame, FrameDecoder, encode_text, resync
from .stock import WhileRunning
from .webrepl_board import WebReplBoard

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

ASKED = b"Password: "
DENIED = b"\r\nAccess denied\r\n"
START_OF_PLAIN = encode_text(ASKED)
"""What comes when the firmware's WebREPL is started, before anything else."""

CTRL_C = b"\x03"

LOGIN_TIMEOUT_MS = 1_000
"""How long a board may take to answer the password, before it may be that it is out of step."""

STALL_MS = 100
"""After such a silence in the middle of a frame its rest will not come."""

ANSWER_MS = 80
"""How long a Ctrl-C may take to have an effect, before the next one tries harder to bring the board into step."""

FILLER_BYTES = (128, 1024, 8192, 66_000)
"""How many bytes of a frame the board may be waiting for; first more than any of ours has, last more than any can."""

UNFRAMED_BYTES = 100
"""So much that is no frame, and no frame in between, means that the board speaks otherwise."""


class PlainBoard(WebReplBoard):
    """A board on a wire, with `os.dupterm(_webrepl._webrepl(websocket.websocket(uart, False)))`.

    All goes through the terminal, as with stock firmware. The records that the firmware knows are not used: they lose
    bytes of a file without a word, and a name that cannot be opened ends the dupterm; see docs/adr.

    Args:
        stream: the open wire; closed by its owner.
        while_running: what a file operation does when a program is running.
        password: the board's own, as given to `_webrepl.password`.
    """

    def __init__(
        self, stream: ByteStream, while_running: WhileRunning = WhileRunning.INTERRUPT, password: str = ""
    ) -> None:
        super().__init__(PlainStream(stream, password, lambda line: self.on_notice(line)), while_running)


class PlainStream(ByteStream):
    """The terminal's bytes, in text frames on another stream.

    A board that has asked for its password, however long ago, gets it before anything else.

    Args:
        stream: the wire.
        password: the board's own.
        on_notice: called with what the people at the terminal should know.
    """

    def __init__(self, stream: ByteStream, password: str, on_notice: Callable[[str], None]) -> None:
        self.description = stream.description
        self.reliable = stream.reliable
        self.line_rate_baud = stream.line_rate_baud
        self._stream = stream
        self._password = password.encode() + b"\r"
        self._on_notice = on_notice
        self._clock = asyncio.get_running_loop().time
        self._decoder = FrameDecoder()
        self._text = bytearray()
        self._began = False
        self._logged_in = asyncio.Event()
        self._asked = False  # for the password
        self._denied = False
        self._told_unframed = False
        self._attempts = 0  # to bring the board into step
        self._interrupted = -1.0  # when the last Ctrl-C was sent
        self._answered = True  # whether a frame has come since then
        self._damage = 0  # how much of the output was no frame, then

    async def _log_in(self) -> None:
        # There is no telling whether the board waits for its password: it goes to an open REPL as well.
        await self._stream.send(encode_text(self._password))
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT_MS / 1000):
                while not self._text.endswith(b">>> "):
                    await self._receive()
        except TimeoutError:
            log.debug("no answer to the password: the board is busy, or out of step")
        finally:
            self._text.clear()  # what the REPL made of it
            self._logged_in.set()
        await self._stream.send(resync(FILLER_BYTES[0]))  # a bridge before this one may have left half a frame

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """See ByteStream.

        Raises:
            BrokenError: the board does not accept the password; its dupterm has ended.
        """
        if not self._began:
            self._began = True
            await self._log_in()
        while not self._text:
            await self._receive()
        text = bytes(self._text[:max_bytes])
        del self._text[:max_bytes]
        return text

    async def _receive(self) -> None:
        stall_s = STALL_MS / 1000 if self._decoder.is_inside else None
        try:
            async with asyncio.timeout(stall_s):
                data = await self._stream.receive()
        except TimeoutError:
            self._take(self._decoder.give_up())
        else:
            self._take(self._decoder.receive_data(data))
            self._judge_unframed()
        if self._denied:
            raise BrokenError(
                "the board does not accept the password (--board-password) and has ended its WebREPL: start it anew"
            )
        if self._asked:
            self._asked = False
            await self._stream.send(encode_text(self._password))

    def _take(self, frames: list[Frame]) -> None:
        if frames:
            self._answered = True
            self._told_unframed = False
        for frame in frames:
            if frame == (TEXT, ASKED):
                log.info("the board has started its WebREPL anew: it gets its password")
                self._asked = True
            elif frame.kind == TEXT:
                self._text += frame.payload
                self._denied = self._denied or frame.payload == DENIED
            elif frame.kind == CLOSE:
                self._on_notice("the board has ended its WebREPL")

    def _judge_unframed(self) -> None:
        if self._decoder.skipped_in_a_row >= UNFRAMED_BYTES and not self._told_unframed:
            self._told_unframed = True
            self._on_notice(
                "what the board sends is not in frames: it does not run a WebREPL, or the baud rate is another"
            )

    async def send(self, data: bytes) -> None:
        """See ByteStream. Ctrl-C is to help always, so it brings the board into step first."""
        await self._logged_in.wait()
        frames = encode_text(data)
        if CTRL_C in data:
            frames = resync(self._filler_bytes()) + frames
        await self._stream.send(frames)

    def _filler_bytes(self) -> int:
        # A board that is out of step takes what was sent for text: it echoes what cannot be in a frame, or nothing.
        damage = self._decoder.skipped_bytes + self._decoder.cut_frames
        if self._answered and damage == self._damage:
            self._attempts = 0
        elif self._clock() >= self._interrupted + ANSWER_MS / 1000:
            self._attempts = min(self._attempts + 1, len(FILLER_BYTES) - 1)
        self._interrupted = self._clock()
        self._answered = False
        self._damage = damage
        return FILLER_BYTES[self._attempts]

    async def aclose(self) -> None:
        """See ByteStream."""
        await self._stream.aclose()
