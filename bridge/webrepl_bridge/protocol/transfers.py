"""File transfers over the raw REPL: the host's side of the programs `put` and `get`.

Data crosses the wire in binary, in blocks with a CRC-32 each. Towards the board a block is sent when the board asks
for it, and `early_bytes` of the next one with it, so that the line does not fall silent while the board stores a
block; no more than that, because while a board erases its flash only the UART's own FIFO takes bytes.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from binascii import crc32
from typing import TYPE_CHECKING, NamedTuple

from webrepl_link.errors import BoardError, RemoteProtocolError

from .dialogue import Deliver, Dialogue, DialogueTimeoutError, Fetch, Opened, Send
from .errnos import EBADMSG, EEXIST, EINVAL, EIO
from .insist import QUIET_MS, RESENT_MAX
from .raw_repl import PROGRAM_TIMEOUT_MS, ProgramError, RawRepl

if TYPE_CHECKING:
    from collections.abc import Iterator

ACK, END = b"\x06", b"\x04"
EARLY_BYTES = 30
"""How much of the next block goes ahead: the smallest FIFO of a UART that has one, less two (RP2040: 32)."""

FRAME_BYTES = 6
"""What a block of a put has beside its data; so many zeros are a damaged block."""

BLOCKS_AHEAD = 2
FILE_BYTES_MAX = (1 << 30) - 1
"""The largest number that takes a board with words of 32 bits no memory."""

BLOCK_TIMEOUT_MS = 3_000
FILLER_BYTES = 64
FILLER_TIMEOUT_MS = 400


def quote(name: str) -> bytes:
    """Return `name` as a string literal in ASCII that MicroPython reads."""
    return ascii(name).encode()


def arguments(checked: tuple[str | int, ...], *others: str | int) -> bytes:
    """Return what the functions of the programs are called with.

    Code crosses the wire without any check. Damage to most of it makes the program fail, but not damage to names and
    sizes, so the CRC-32 of what is to be checked goes before it.
    """
    check = crc32(" ".join(map(str, checked)).encode())
    return b",".join(quote(value) if isinstance(value, str) else b"%d" % value for value in (check, *checked, *others))


def temporary_name(name: str) -> str:
    """Return where the bytes of `name` wait until they are all there."""
    return name + "~"


class Transfer(ABC):
    """One file on its way; used once.

    Attributes:
        opened: whether the board has got as far as opening the file.
    """

    opened = False

    @abstractmethod
    def run(self) -> Dialogue[None]:
        """Transfer the file, from raw prompt to raw prompt.

        Yields Opened once, then Fetch or Deliver as often as it takes.

        Raises:
            ProgramError: the board could not open, write, read or rename.
            BoardError: the line or the board is too bad.
        """

    @abstractmethod
    def abandon(self) -> Dialogue[None]:
        """After `run` was left in the middle, once `opened`: end the program on the board, back to the raw prompt."""

    @abstractmethod
    def clean_up(self) -> Dialogue[None]:
        """At the raw prompt, after the program was ended by force: remove what it may have left."""


class Block(NamedTuple):
    """A block of a put.

    Attributes:
        wire: its bytes on the wire.
        size_bytes: how much of the file is in it.
    """

    wire: bytes
    size_bytes: int


NO_BLOCK = Block(b"", 0)


def make_block(data: bytes, size_bytes: int, flag: int = 0) -> Block:
    """Return the block that brings `data`, 1 to 32,767 bytes, and with it `size_bytes` of the file."""
    count = len(data) | flag
    return Block(count.to_bytes(2, "little") + data + crc32(data, ~count).to_bytes(4, "little"), size_bytes)


class Put(Transfer):
    """A file on its way to the board by the program `put`.

    Args:
        repl: the board's raw REPL.
        program: source of the program.
        name: the file's name on the board.
        size_bytes: the file's size.
        block_bytes: size of a block, which the board holds in RAM.
        early_bytes: how much of the next block may be sent while the board stores this one.
        offset_bytes: how much is there already, under the temporary name.
        keep: whether what has come stays there if this breaks.

    Attributes:
        resent_blocks: how many blocks arrived damaged and were sent again.
        wire_bytes: how much of blocks has arrived.
    """

    def __init__(
        self,
        repl: RawRepl,
        program: bytes,
        name: str,
        size_bytes: int,
        block_bytes: int,
        early_bytes: int,
        offset_bytes: int = 0,
        *,
        keep: bool = False,
    ) -> None:
        self.resent_blocks = 0
        self.wire_bytes = 0
        self._repl = repl
        self._program = program
        self._name = name
        self._temporary = temporary_name(name)
        self._size_bytes = size_bytes
        self._block_bytes = block_bytes
        self._early_bytes = early_bytes
        self._offset_bytes = offset_bytes
        self._keep = keep
        self._unfetched_bytes = size_bytes
        self._unstored_bytes = size_bytes
        self._block = self._following = NO_BLOCK  # the first that the board has not stored, and the one after it
        self._unsent_bytes = 0  # of what the board reads now, or will read next

    def run(self) -> Dialogue[None]:
        """See Transfer."""
        mode = "wb"
        if self._offset_bytes:
            mode = "ab"
            if (yield from self._stored_bytes()) != self._offset_bytes:
                raise ProgramError(b"OSError: %d: what is there already has another size" % EINVAL)
        while True:
            try:
                yield from self._attempt(mode)
                return
            except ProgramError as error:
                if error.code == EEXIST:
                    yield from self._replace()
                    return
                if error.code != EBADMSG or self.resent_blocks == RESENT_MAX:
                    yield from self.clean_up()
                    raise
            self.resent_blocks += 1
            self._early_bytes = 0
            if self.opened:
                mode = "ab"
                yield from self._forget_stored()

    def _attempt(self, mode: str) -> Dialogue[None]:
        yield from self._call(arguments((self._name, self._unstored_bytes), mode, self._block_bytes))
        reply = yield from self._reply(PROGRAM_TIMEOUT_MS)
        if not self.opened:
            self._unsent_bytes = FRAME_BYTES
            self.opened = True
            yield Opened()
            self._block = yield from self._next_block()
        early = 0
        while reply != END:
            self._unsent_bytes = 0
            yield Send(self._block.wire[early:])
            if self._following is NO_BLOCK:
                self._following = yield from self._next_block()
            early = min(self._early_bytes, len(self._following.wire))
            if early:
                yield Send(self._following.wire[:early])
            self._unsent_bytes = len(self._following.wire) - early
            reply = yield from self._reply_to_block()
            self._unstored_bytes -= self._block.size_bytes
            self.wire_bytes += len(self._block.wire)
            self._block, self._following = self._following, NO_BLOCK
        if self._unstored_bytes:
            raise RemoteProtocolError("the board says that it has the file, but not all of it was sent")

    def _call(self, called_with: bytes) -> Dialogue[None]:
        yield from self._repl.call(called_with + b",0", (b"_put", self._program))

    def _fetch(self, limit_bytes: int) -> Dialogue[bytes]:
        count = min(limit_bytes, self._unfetched_bytes)
        if not count:
            return b""
        self._unfetched_bytes -= count
        return (yield Fetch(count))

    def _next_block(self) -> Dialogue[Block]:
        data = yield from self._fetch(self._block_bytes)
        return make_block(data, len(data)) if data else NO_BLOCK

    def _reply(self, timeout_ms: int) -> Dialogue[bytes]:
        reply = yield from self._repl.exactly(1, timeout_ms)
        if reply == END:
            yield from self._repl.fail_if_ended_badly()
        elif reply != ACK:
            raise RemoteProtocolError(f"the board says {reply!r} in the middle of a file")
        return reply

    def _reply_to_block(self) -> Dialogue[bytes]:
        try:
            return (yield from self._reply(BLOCK_TIMEOUT_MS))
        except DialogueTimeoutError:
            # Bytes got lost and the board still waits for them. Any others will do: the block is damaged anyway.
            for filler in self._fillers():
                yield Send(filler)
                try:
                    return (yield from self._reply(FILLER_TIMEOUT_MS))
                except DialogueTimeoutError:
                    continue
            raise

    def _fillers(self) -> Iterator[bytes]:
        # Mostly few bytes are missing; but a whole block, if what got lost is the board's answer.
        size = FILLER_BYTES
        while size < 2 * (self._block_bytes + FRAME_BYTES + FILLER_BYTES):
            yield bytes(size)
            size *= 2

    def abandon(self) -> Dialogue[None]:
        """See Transfer. A damaged block ends the program."""
        for filler in (bytes(self._unsent_bytes), *self._fillers()):
            yield Send(filler)
            try:
                while (reply := (yield from self._repl.exactly(1, FILLER_TIMEOUT_MS))) != END:
                    if reply == ACK:
                        yield Send(bytes(FRAME_BYTES))
            except DialogueTimeoutError:
                continue
            yield from self._repl.until(b"\x04>", PROGRAM_TIMEOUT_MS)
            yield from self.clean_up()
            return
        raise DialogueTimeoutError

    def clean_up(self) -> Dialogue[None]:
        """See Transfer."""
        if self._keep:
            return
        with contextlib.suppress(ProgramError):  # it may not have come into being
            yield from self._repl.execute(b"__import__('os').remove(%s)" % quote(self._temporary))

    def _forget_stored(self) -> Dialogue[None]:
        # The board's word for the last block may have got lost.
        left_bytes = self._offset_bytes + self._size_bytes - (yield from self._stored_bytes())
        if left_bytes == self._unstored_bytes - self._block.size_bytes:
            self._unstored_bytes = left_bytes
            self._block, self._following = self._following, NO_BLOCK
        elif left_bytes != self._unstored_bytes:
            raise RemoteProtocolError("the board has stored something else than was sent")

    def _stored_bytes(self) -> Dialogue[int]:
        size = yield from self._repl.execute(b"print(__import__('os').stat(%s)[6])" % quote(self._temporary))
        if not size.strip().isdigit():
            raise RemoteProtocolError(f"the board says {size!r} when it is asked for the size of a file")
        return int(size)

    def _replace(self) -> Dialogue[None]:
        # A file system that does not rename over a file (CircuitPython's). If this fails, the new file is still there
        # under its temporary name.
        yield from self._repl.execute(
            b"__import__('os').remove(%s)\n__import__('os').rename(%s,%s)"
            % (quote(self._name), quote(self._temporary), quote(self._name))
        )


class Get(Transfer):
    """A file on its way from the board by the program `get`; arguments as for Put, and `size_bytes` is at most."""

    def __init__(
        self,
        repl: RawRepl,
        program: bytes,
        name: str,
        block_bytes: int,
        offset_bytes: int = 0,
        size_bytes: int | None = None,
    ) -> None:
        self._repl = repl
        self._program = program
        self._name = name
        self._block_bytes = block_bytes
        self._offset = offset_bytes
        self._end_offset = FILE_BYTES_MAX if size_bytes is None else min(FILE_BYTES_MAX, offset_bytes + size_bytes)
        self._check = 0  # of the program's last block
        self._resent_blocks = 0

    def run(self) -> Dialogue[None]:
        """See Transfer."""
        while True:
            yield from self._start()
            yield Send(ACK * BLOCKS_AHEAD)
            while data := (yield from self._next_block()):
                yield Send(ACK)
                self._offset += len(data)
                yield Deliver(data)
            if data is not None:
                break
            if self._resent_blocks == RESENT_MAX:
                raise BoardError(EIO, "the line damages too many bytes")
            self._resent_blocks += 1
            yield from self._end()
        for _ in range(BLOCKS_AHEAD - 1):
            yield from self._next_block()
        yield Send(b"Q")
        yield from self._repl.finish()

    def _start(self) -> Dialogue[None]:
        self._check = self._offset
        called_with = arguments((self._name, self._offset, self._end_offset - self._offset), self._block_bytes)
        yield from self._repl.call(called_with, (b"_get", self._program))
        if (reply := (yield from self._repl.exactly(1, PROGRAM_TIMEOUT_MS))) == END:
            yield from self._repl.fail_if_ended_badly()
        if reply != ACK:
            raise RemoteProtocolError(f"the board says {reply!r} before a file")
        if not self.opened:
            self.opened = True
            yield Opened()

    def _next_block(self) -> Dialogue[bytes | None]:
        """The next bytes of the file, none at its end, None if they arrived damaged."""
        try:
            head = yield from self._repl.exactly(2, BLOCK_TIMEOUT_MS)
            size = int.from_bytes(head, "little")
            if size > self._block_bytes:
                self._repl.put_back(head)
                return None
            rest = yield from self._repl.exactly(size + 4, BLOCK_TIMEOUT_MS)
        except DialogueTimeoutError:
            return None
        self._check = crc32(head + rest[:-4], self._check)
        return rest[:-4] if self._check.to_bytes(4, "little") == rest[-4:] else None

    def _end(self) -> Dialogue[None]:
        """End the program.

        Raises:
            ProgramError: it had ended by itself, with an exception.
        """
        self._repl.distrust()
        tail = yield from self._repl.drain(QUIET_MS)
        if tail.endswith(b"\x04>"):
            yield Send(b"\x03")  # what was sent for further blocks is code at the prompt now
        else:
            yield Send(b"Q")
            tail = yield from self._repl.drain(QUIET_MS)
        if not tail.endswith(b"\x04>"):
            raise DialogueTimeoutError
        if not tail.endswith(b"\x04\x04>"):
            raise ProgramError(tail[:-2])

    def abandon(self) -> Dialogue[None]:
        """See Transfer."""
        with contextlib.suppress(ProgramError):
            yield from self._end()

    def clean_up(self) -> Dialogue[None]:
        """See Transfer. Nothing is left of it."""
        yield from ()
