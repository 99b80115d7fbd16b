"""A byte stream both ways over SPI: blocks of one size, exchanged whenever the controller clocks.

    sync[2] size_and_room[1] seq[1] payload_bytes[1] payload[payload_bytes] crc[4] filler[...]

A pure machine, the same on both sides, whichever clocks. `room` is the lowest bit of its byte, whether payload may
come; the rest of that byte is the block's size / 4. `seq` counts the sender's blocks that have payload. `crc` is CRC-32
as in zlib over all bytes before it, little-endian. What is damaged is dropped: the link repairs that. A side that has
lost the beginning of the blocks, by bytes or by bits, finds it again. See docs/protocol.md, "Blocks on SPI".

    blocks.send(data)               put bytes in the queue
    blocks.block_to_send()          the block to put on the wire
    blocks.receive_block(data)      the block that came at the same time; returns the payload in it
    blocks.may_send()               whether it would have payload
    blocks.pause_ms                 how long a controller may wait with the next exchange, if it has nothing new to send
"""

from struct import pack

from .codec import const, crc32

OVERHEAD_BYTES = const(9)
_HEAD_BYTES = const(5)
_SYNC = b"\xeb\x90"
_RESIDUE = const(0x2144DF1C)  # of a CRC-32 over anything and its own CRC-32
_DEAF_BLOCKS = const(4)  # nothing is sent to a peer of which so many blocks in a row were damaged


class Blocks:
    """One side of the exchange.

    Args:
        block_bytes: the size of a block, 32 to 256, a multiple of 8; the same on both sides.

    Attributes:
        waiting_bytes: how many bytes are in the queue.
        has_room: whether the peer may send; the owner sets it. What is on its way comes nevertheless.
        pause_ms: see above; it doubles up to pause_max_ms while nothing but filler goes either way.
        peer_block_bytes: the size of the peer's blocks; 0: not known yet. If it is another one, nothing gets through.
        damaged_blocks: how many exchanges have brought no good block.
        missed_blocks: how many blocks with payload the peer has sent that never came; a peer's restart adds some.
        repeated_blocks: how many blocks have come twice; the second time they are dropped.
    """

    pause_max_ms = 16

    def __init__(self, block_bytes=128):
        self.block_bytes = block_bytes
        self.has_room = True
        self.waiting_bytes = self.pause_ms = self.peer_block_bytes = 0
        self.damaged_blocks = self.missed_blocks = self.repeated_blocks = 0
        self._queue = b""
        self._seq = 0  # of the last block sent with payload
        self._peer_seq = -1
        self._deaf_blocks = _DEAF_BLOCKS  # so many exchanges since the peer had room
        self._former = bytes(block_bytes)  # what came in the last exchange
        self._start = 8 * block_bytes  # the bit of the last two exchanges at which the peer's block begins
        self._last = b""  # its last block that had payload
        self._is_quiet = False  # the last exchange brought filler, at the beginning
        self._filler = b""  # the last filler that was sent

    def send(self, data):
        """Put bytes in the queue."""
        self._queue += data
        self.waiting_bytes = len(self._queue)

    def block_to_send(self):
        """Return the next block: payload, if there is any and the peer has room, or filler only."""
        size = 0
        if self.may_send():
            size = min(self.waiting_bytes, self.block_bytes - OVERHEAD_BYTES)
        if size:
            self._seq = (self._seq + 1) & 0xFF
            self.pause_ms = 0
        block = _SYNC + pack("<BBB", self.block_bytes >> 2 | bool(self.has_room), self._seq, size) + self._queue[:size]
        if block == self._filler[:_HEAD_BYTES]:
            return self._filler
        self._queue = self._queue[size:]
        self.waiting_bytes -= size
        block += pack("<I", crc32(block))
        block += bytes(self.block_bytes - len(block))
        if not size:
            self._filler = block
        return block

    def receive_block(self, data):
        """Take what came while a block was sent, `block_bytes` bytes; return the payload, b"" if there is none."""
        payload = b""
        if not (self._is_quiet and data == self._former):  # else as before, which costs a board that polls little
            payload = self._take(data)
        if payload or (self.waiting_bytes and self.may_send()):
            self.pause_ms = 0
        else:
            self.pause_ms = min(max(2 * self.pause_ms, 1), self.pause_max_ms)
        return payload

    def _take(self, data):
        block = self._find(self._former + data)
        self._former = data
        self._is_quiet = False
        self._deaf_blocks += 1
        if block:
            self.peer_block_bytes = (block[2] & 0xFE) << 2
        if not block or self.peer_block_bytes != self.block_bytes:
            self.damaged_blocks += 1
            return b""
        self._deaf_blocks = 0 if block[2] & 1 else _DEAF_BLOCKS
        payload = block[_HEAD_BYTES:-4]
        if payload and block == self._last:
            self.repeated_blocks += 1
            return b""
        if self._peer_seq >= 0:
            self.missed_blocks += (block[3] - self._peer_seq - bool(payload)) & 0xFF
        self._peer_seq = block[3]
        if payload:
            self._last = block
        else:
            self._is_quiet = self._start == 8 * self.block_bytes
        return payload

    def may_send(self):
        """Return whether the peer is there and has room."""
        return self._deaf_blocks < _DEAF_BLOCKS

    def _find(self, both):
        """Return the peer's block in the last two exchanges, without filler; look first where the last one was."""
        block = _block_at(_shifted(both, self._start & 7), self._start >> 3)
        if block or both.count(both[:1]) == len(both):  # a line that rests
            return block
        for bit in range(8):
            shifted = _shifted(both, bit)
            # Not at 0: that one was seen in the exchange before.
            at = shifted.find(_SYNC, not bit)
            while 0 <= at and at * 8 + bit <= 8 * self.block_bytes:
                block = _block_at(shifted, at)
                if block:
                    self._start = at * 8 + bit
                    return block
                at = shifted.find(_SYNC, at + 1)
        return None


def _shifted(data, bits):
    """Return data without its first so many bits, 0 to 7, and without the byte at the end that is not whole then."""
    if not bits:
        return data
    size = len(data)
    value = int.from_bytes(data, "big") >> (8 - bits)
    return value.to_bytes(size, "big")[1:]


def _block_at(data, at):
    """Return the block that begins there, without its filler, or None."""
    if data[at : at + 2] != _SYNC or at + OVERHEAD_BYTES > len(data):
        return None
    end = at + OVERHEAD_BYTES + data[at + 4]
    if end <= len(data) and crc32(data[at:end]) == _RESIDUE:
        return data[at:end]
    return None
