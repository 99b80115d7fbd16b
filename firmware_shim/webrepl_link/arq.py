"""One lane of frames that arrive exactly once and in order.

A session has two lanes, so that what is lost in a transfer never holds up a keystroke. The rules that concern both
(when to acknowledge, how long to wait) are in link.py.
"""

from .codec import const

_SPAN_FRAMES = const(16)  # at most so many on their way: an acknowledgement has one bit for each
_CONTROL = const(0x21)

# What is kept of a frame on its way, a list: kind, payload, order (counts every frame sent; or one of the two below),
# and when it was sent (-1: more than once, so it measures no round trip).
_KIND = const(0)
_PAYLOAD = const(1)
_ORDER = const(2)
_SENT_MS = const(3)

_LOST = const(-1)  # to be sent again
_HELD = const(-2)  # the peer has it, but not all before it


class Lane:
    """The frames of one lane, both ways.

    Args:
        room_bytes: how many bytes of messages may wait here for the owner.

    Attributes:
        queue: what is not sent yet, as (kind, data).
        waiting_bytes: how many bytes of messages that is.
        flight: what is sent and not acknowledged with all before it, oldest first.
        credit: how many bytes of messages the peer has room for now.
        piece_bytes: at most so many of them in a frame.
        expected: sequence number of the next frame to deliver.
        early: frames that came before their turn, as {seq: (kind, payload)}.
        capacity: room_bytes.
        room: how much of it the peer may still use, and `grant` how much it may use again but does not know of.
    """

    def __init__(self, room_bytes):
        self.queue = []
        self.waiting_bytes = 0
        self.base = 0  # sequence number of flight[0]
        self.flight = []
        self.credit = self.piece_bytes = 0
        self.expected = 0
        self.early = {}
        self.capacity = self.room = room_bytes
        self.grant = 0

    def next_frame(self, order, now_ms, best_bytes):
        """Return (sequence number, entry) of the next frame to send, or None: what was lost first, then what is new.

        Args:
            order: of this frame among all frames sent.
            now_ms: the time.
            best_bytes: the largest payload that suits the wire.
        """
        seq = self.base
        for entry in self.flight:
            if entry[_ORDER] == _LOST:
                entry[_ORDER] = order
                entry[_SENT_MS] = -1
                return seq & 0xFF, entry
            seq += 1
        if not self.queue or len(self.flight) >= _SPAN_FRAMES:
            return None
        kind, data = self.queue[0]
        size = len(data)
        if kind > _CONTROL:
            size = min(size, self.piece_bytes, best_bytes)
            if self.credit < size:
                return None
            self.credit -= size
            self.waiting_bytes -= size
        if size < len(data):
            self.queue[0] = (kind, data[size:])
            kind &= ~1  # of a binary message, not its last part
        else:
            self.queue.pop(0)
        entry = [kind, data[:size], order, now_ms]
        self.flight.append(entry)
        return seq & 0xFF, entry

    def acknowledge(self, ack, early_bits):
        """Take what the peer says it has; return the entry sent last of those that it has not said before, or None.

        Args:
            ack: the sequence number that it expects next; one that cannot be is ignored.
            early_bits: bit i says that it has frame ack + 1 + i.
        """
        done = (ack - self.base) & 0xFF
        if done > len(self.flight):
            return None
        news = self.flight[:done]
        self.base = ack
        self.flight = self.flight[done:]
        for entry in self.flight[1:]:
            if early_bits & 1 and entry[_ORDER] != _HELD:
                news.append(entry[:])
                entry[_ORDER] = _HELD
            early_bits >>= 1
        latest = None
        for entry in news:
            if entry[_ORDER] != _HELD and (latest is None or entry[_ORDER] > latest[_ORDER]):
                latest = entry
        return latest

    def lose(self, order):
        """Mark what was sent before `order` and has not arrived to be sent again; return how many frames that is."""
        count = 0
        for entry in self.flight:
            if 0 <= entry[_ORDER] < order:
                entry[_ORDER] = _LOST
                count += 1
        return count

    def early_bits(self):
        """Return which frames came early: bit i stands for frame expected + 1 + i."""
        bits = 0
        for seq in self.early:
            bits |= 1 << ((seq - self.expected - 1) & 0xFF)
        return bits
