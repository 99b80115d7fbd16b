"""Frames on the wire: one frame to bytes, and bytes, damaged or not, to frames.

    sync[1] kind[1] seq[1] ack_urgent[1] ack_bulk[1] size[1] check[1] payload[size] crc[4]

`check` makes the first seven bytes sum up to 0 modulo 256. `crc` is CRC-32 as in zlib over all bytes before it, little-
endian, started from the session's seed, so that what another session has sent, or a file that holds frames, is never
taken for a frame. A frame is looked for at every sync byte; what is none costs one byte and the search goes on behind
it. All loops over bytes run in C. See docs/protocol.md, "The link".
"""

from struct import pack

try:
    from binascii import crc32
except ImportError:  # firmware built without it: right, but some 100 times slower
    from .crc import crc32

try:
    from micropython import const
except ImportError:
    const = int  # CPython; on MicroPython the compiler puts the value in

_SYNC = const(0xA5)
_HEAD_BYTES = const(7)
_OVERHEAD_BYTES = const(11)
_HELLO = const(0x32)
_RESIDUE = const(0x2144DF1C)  # of a CRC-32 over anything and its own CRC-32, whatever the seed


def encode(kind, seq, ack_urgent, ack_bulk, payload, seed):
    """Encode one frame.

    Args:
        kind: 0x20 credit, 0x21 control, 0x22 text, 0x24 part of a binary message, 0x25 its last part,
            0x30 acknowledgement, 0x32 hello.
        seq: sequence number of the frame in its lane, 0 to 255; 0 for the last two kinds.
        ack_urgent: the sequence number expected next from the peer in its urgent lane, 0 to 255.
        ack_bulk: the same of its bulk lane.
        payload: at most 255 bytes.
        seed: what the CRC starts from.
    """
    size = len(payload)
    check = -(_SYNC + kind + seq + ack_urgent + ack_bulk + size) & 0xFF
    frame = pack("BBBBBBB", _SYNC, kind, seq, ack_urgent, ack_bulk, size, check) + payload
    return frame + pack("<I", crc32(frame, seed))


def decode(data, seed):
    """Find the first whole frame in what came from the wire.

    Args:
        data: the bytes, good or bad.
        seed: what the CRC of the peer's frames starts from; that of hello starts from 0.

    Returns:
        (how many bytes at the start are no frame, how many bytes the frame behind them has or would have, and the
        frame, or None if the bytes end before it: (kind, seq, ack_urgent, ack_bulk, payload)).
    """
    at = 0
    while True:
        at = data.find(b"\xa5", at)
        if at < 0:
            at = len(data)
        wanted = _HEAD_BYTES
        left = len(data) - at
        if left < wanted:
            return at, wanted, None
        if sum(data[at : at + _HEAD_BYTES]) & 0xFF == 0:
            wanted = _OVERHEAD_BYTES + data[at + 5]
            if left < wanted:
                return at, wanted, None
            frame = data[at : at + wanted]
            if crc32(frame, 0 if frame[1] == _HELLO else seed) == _RESIDUE:
                return at, wanted, (frame[1], frame[2], frame[3], frame[4], frame[_HEAD_BYTES:-4])
        at += 1
