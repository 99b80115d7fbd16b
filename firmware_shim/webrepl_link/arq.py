"""One lane of frames that arrive exactly once and in order.

A session has two lanes, so that what is lost in a transfer never holds up a keystroke. The rules that concern both
(when to acknowledge, how long to wait) are in link.py.
"""

from .codec import const

_SPAN_FRAMES = const(16)  # at most so many on their way: an acknowledgement has one bit for each
_PAYLOAD_BYTES_MIN = const(32)
_PAYLOAD_BYTES_MAX = const(255)
_CONTROL = const(0x21)
_NEVER = const(0x3FFFFFFF)

# What is kept of a frame on its way, a list: kind, payload, order (counts every frame sent in the lane; or one of the
# two below), and when it was sent (-1: more than once, so it measures no round trip).
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
        piece_bytes: at most so many of them in a frame, by the peer's room.
        best_bytes: and by the wire's errors.
        late_at_ms: when the oldest frame in flight is given up.
        expected: sequence number of the next frame to deliver.
        early: frames that came before their turn, as {seq: (kind, payload)}.
        capacity: room_bytes.
        room: how much of it the peer may still use, and `grant` how much it may use again but does not know of.
    """

    def __init__(self, room_bytes):
        self.queue = []
        self.flight = []
        self.early = {}
        self.waiting_bytes = self.credit = self.piece_bytes = self.expected = self.grant = 0
        self._base = 0  # sequence number of flight[0]
        self._sent_frames = 0
        self.best_bytes = _PAYLOAD_BYTES_MAX
        self.late_at_ms = _NEVER
        self.capacity = self.room = room_bytes

    def next_frame(self, now_ms, rto_ms):
        """Return (sequence number, entry) of the next frame to send: what was lost first, then what is new; or None.

        Args:
            now_ms: the time.
            rto_ms: how long to wait for its acknowledgement.
        """
        seq = self._base
        for entry in self.flight:
            if entry[_ORDER] == _LOST:
                entry[_SENT_MS] = -1
                break
            seq += 1
        else:
            if not self.queue or len(self.flight) >= _SPAN_FRAMES:
                return None
            kind, data = self.queue[0]
            size = len(data)
            if kind > _CONTROL:
                size = min(size, self.piece_bytes, self.best_bytes)
                if self.credit < size:
                    return None
                self.credit -= size
                self.waiting_bytes -= size
            if size < len(data):
                self.queue[0] = (kind, data[size:])
                kind &= ~1  # of a binary message, not its last part
            else:
                self.queue.pop(0)
            entry = [kind, data[:size], 0, now_ms]
            self.flight.append(entry)
        entry[_ORDER] = self._sent_frames
        self._sent_frames += 1
        if self.late_at_ms == _NEVER:
            self.late_at_ms = now_ms + rto_ms
        return seq & 0xFF, entry

    def acknowledge(self, ack, bits):
        """Take what the peer says it has.

        Args:
            ack: the sequence number that it expects next; one that cannot be is ignored.
            bits: bit i says that it has frame ack + 1 + i; or None: it does not say.

        Returns:
            When the latest sent of the frames that it has not said before was sent, -1 if more than once; or None if
            there is none.
        """
        done = (ack - self._base) & 0xFF
        flight = self.flight
        if done > len(flight):
            return None
        self._base = ack
        self.flight = flight[done:]
        has = (1 << done) - 1 | (bits or 0) << (done + 1)
        sent_ms = None
        latest = _HELD
        for entry in flight:
            if has & 1 and entry[_ORDER] > latest:
                latest = entry[_ORDER]
                sent_ms = entry[_SENT_MS]
            if has & 1:
                entry[_ORDER] = _HELD
            has >>= 1
        if sent_ms is not None:
            best_bytes = self.best_bytes + 4
            if bits is not None:
                # The wire keeps the order, so what was sent before something that arrived, and did not, never will.
                for entry in self.flight:
                    if 0 <= entry[_ORDER] < latest:
                        entry[_ORDER] = _LOST
                        best_bytes = best_bytes * 3 >> 2
            self.best_bytes = min(max(best_bytes, _PAYLOAD_BYTES_MIN), _PAYLOAD_BYTES_MAX)
        return sent_ms

    def lose_oldest(self):
        """Send the oldest frame in flight again."""
        self.flight[0][_ORDER] = _LOST
        self.late_at_ms = _NEVER
        self.best_bytes = max(self.best_bytes * 3 >> 2, _PAYLOAD_BYTES_MIN)
