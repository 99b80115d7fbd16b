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
except ImportError:  # firmware built without it: right, but some 30 times slower
    from .crc import crc32

try:
    from micropython import const
except ImportError:

    def const(value):
        """Stand in for MicroPython's compile-time constant."""
        return value


_HELLO = const(0x32)
_SYNC = const(0xA5)
_HEAD_BYTES = const(7)
_OVERHEAD_BYTES = const(11)
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


class Decoder:
    """Finds frames in whatever comes.

    Attributes:
        bad_frames: how many things began like a frame and failed the CRC.
        skipped_bytes: how many bytes belonged to no frame.
    """

    def __init__(self):
        self.bad_frames = 0
        self.skipped_bytes = 0
        self._data = b""
        self._wanted_bytes = _HEAD_BYTES

    def receive_data(self, data):
        """Take bytes from the wire, in pieces of any size."""
        self._data += data

    def next_frame(self, seed):
        """Return the next whole frame as (kind, seq, ack_urgent, ack_bulk, payload), or None until more comes.

        Keeps at most 265 bytes between calls that return None.

        Args:
            seed: what the CRC of the peer's frames starts from; that of HELLO starts from 0.
        """
        data = self._data
        if len(data) < self._wanted_bytes:
            return None
        at = 0
        while True:
            start = data.find(b"\xa5", at)
            if start < 0:
                start = len(data)
            self.skipped_bytes += start - at
            at = start
            left = len(data) - at
            wanted = _HEAD_BYTES
            if left < wanted:
                break
            if sum(data[at : at + _HEAD_BYTES]) & 0xFF == 0:
                wanted = _OVERHEAD_BYTES + data[at + 5]
                if left < wanted:
                    break
                frame = data[at : at + wanted]
                kind = frame[1]
                if crc32(frame, 0 if kind == _HELLO else seed) == _RESIDUE:
                    self._data = data[at + wanted :]
                    self._wanted_bytes = _HEAD_BYTES
                    return kind, frame[2], frame[3], frame[4], frame[_HEAD_BYTES:-4]
                self.bad_frames += 1
            self.skipped_bytes += 1
            at += 1
        self._data = data[at:]
        self._wanted_bytes = wanted
        return None
