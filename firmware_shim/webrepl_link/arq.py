"""One lane of frames that arrive exactly once and in order: what is on its way, and what came before its turn.

A session has two lanes, so that what is lost in a transfer never holds up a keystroke. The rules that concern both
(when to acknowledge, how long to wait) are in link.py.
"""

SPAN_FRAMES = 16  # at most so many unacknowledged frames in a lane: an acknowledgement has one bit for each

# What is kept of a frame on its way, a list: kind, payload, order (counts every frame sent; or one of the two below),
# and when it was sent (-1: more than once, so it measures no round trip).
KIND = 0
PAYLOAD = 1
ORDER = 2
SENT_MS = 3

LOST = -1  # to be sent again
HELD = -2  # the peer has it, but not all before it


class Lane:
    """The frames of one lane, both ways.

    Attributes:
        base: sequence number of the oldest frame in `flight`.
        flight: what has been sent and not acknowledged with all before it, oldest first.
        expected: sequence number of the next frame to deliver.
        early: frames that came before their turn, as {seq: (kind, payload)}.
    """

    def __init__(self):
        self.base = 0
        self.flight = []
        self.expected = 0
        self.early = {}
        self._has_lost = False

    def acknowledged(self, ack, early_bits):
        """Take what the peer says it has; return copies of the entries that it has not said before.

        Args:
            ack: the sequence number that it expects next; one that cannot be is ignored.
            early_bits: bit i says that it has frame ack + 1 + i.
        """
        flight = self.flight
        done = (ack - self.base) & 0xFF
        news = []
        if done <= len(flight):
            if done:
                news = [entry for entry in flight[:done] if entry[ORDER] != HELD]
                self.base = ack
                self.flight = flight = flight[done:]
            for entry in flight[1:]:
                if early_bits & 1 and entry[ORDER] != HELD:
                    news.append(entry[:])
                    entry[ORDER] = HELD
                early_bits >>= 1
        return news

    def early_bits(self):
        """Return which frames came early: bit i stands for frame expected + 1 + i."""
        bits = 0
        for seq in self.early:
            bits |= 1 << ((seq - self.expected - 1) & 0xFF)
        return bits

    def lose(self, order):
        """Mark what was sent before `order` and has not arrived to be sent again; return how many frames."""
        count = 0
        for entry in self.flight:
            if 0 <= entry[ORDER] < order:
                entry[ORDER] = LOST
                self._has_lost = True
                count += 1
        return count

    def lose_oldest(self):
        """Mark the oldest frame on its way to be sent again, if there is one."""
        if self.flight:
            self.flight[0][ORDER] = LOST  # the oldest is never held
            self._has_lost = True

    def next_lost(self):
        """Return (sequence number, entry) of the oldest frame to send again, or None."""
        if self._has_lost:
            seq = self.base
            for entry in self.flight:
                if entry[ORDER] == LOST:
                    return seq, entry
                seq = (seq + 1) & 0xFF
            self._has_lost = False
        return None
