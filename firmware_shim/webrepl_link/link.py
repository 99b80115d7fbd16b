"""The link: WebREPL's messages over a wire that loses, damages and repeats bytes; exactly once and in order.

A pure machine, the same on both sides. Two lanes of numbered frames, each with its own order: the urgent one for
control, text and credit, the bulk one for binary messages. What is urgent goes first, behind at most one frame of the
other. Bytes are sent only into room that the peer has granted. A session begins when both sides have seen each other's
new number; a frame of one session means nothing in another. docs/protocol.md, "The link", says all of it.

    link.receive_data(data, now_ms)      bytes came
    link.next_event()                    (kind, value) or None; ask until None
    link.data_to_send(now_ms)            bytes to write, at most one frame; ask until b""
    link.next_deadline_ms()              when to ask data_to_send again although nothing came

`now_ms` only ever grows: on a board, add up `ticks_diff` of successive `ticks_ms`.
"""

from struct import pack, unpack

from .arq import Lane
from .codec import Decoder, const, crc32, encode

VERSION = const(0x31)

# Kinds of events. UP: a session began; the value is whether something given to the one before may not have arrived.
# OTHER_VERSION: the peer speaks only that version of the link. The others: bytes that the peer sent.
UP = const(0)
OTHER_VERSION = const(1)
CONTROL = const(0x21)
TEXT = const(0x22)
BINARY_PART = const(0x24)
BINARY = const(0x25)

_CREDIT = const(0x20)
_ACK = const(0x30)
_HELLO = const(0x32)
_HELLO_BYTES = const(11)

_ORDER = const(2)
_SENT_MS = const(3)
_LOST = const(-1)

_ACK_DELAY_MS = const(15)
_EVENTS_MAX = const(32)
_PAYLOAD_BYTES_MIN = const(32)
_RTO_START_MS = const(400)
_RTO_MIN_MS = const(60)
_RTO_MAX_MS = const(1000)
_NEVER = const(0x3FFFFFFF)


class Link:
    """One side of a link.

    Args:
        number: 15 bits that are likely others than at the last start, from a random source.
        is_board: 1 on the board, 0 in the bridge: the peer must be the other.
        text_room_bytes: how much text may wait here for `consumed`, 2 to 65535.
        binary_room_bytes: the same of binary messages.
        payload_bytes: the largest payload of a frame, both ways, 32 to 255.
        hello_ms: how often to call a peer that does not answer.
        keepalive_ms: call it after so long a silence.

    Attributes:
        is_up: whether there is a session.
        heard_ms: when the peer was heard last.
        urgent, bulk: the lanes; their `waiting_bytes` is what was given to send and is not sent yet.
        resent_frames: how many frames were sent again.
        repeated_frames: how many frames came more than once.
        decoder: has the counters of damage.
    """

    def __init__(
        self,
        number,
        is_board,
        text_room_bytes=256,
        binary_room_bytes=1024,
        payload_bytes=255,
        hello_ms=1000,
        keepalive_ms=30000,
    ):
        self.decoder = Decoder()
        self.is_up = False
        self.heard_ms = self.resent_frames = self.repeated_frames = 0
        self._hello_bytes = (text_room_bytes, binary_room_bytes, payload_bytes)
        self._hello_ms = hello_ms
        self._keepalive_ms = keepalive_ms
        self._events = []
        # The number that the next session will have here; the lowest bit tells the sides apart, 0 stands for none.
        self._offer = (number << 1) & 0xFFFC | 2 | is_board
        self._mine = self._peer = self._seed = self._other_version = 0
        self._hello = None  # (our number, the peer's) of a hello to send
        self._hello_at_ms = 0
        self._clear()

    def _clear(self):
        text_room_bytes, binary_room_bytes, self._best_bytes = self._hello_bytes
        self.urgent = Lane(text_room_bytes)
        self.bulk = Lane(binary_room_bytes)
        self._sent_frames = 0
        self._is_gap = False
        self._ack_at_ms = self._rto_at_ms = _NEVER
        self._rto_ms = _RTO_START_MS

    # What the owner calls.

    def send_control(self, data):
        """Send a message of 1 to 32 bytes that needs no room at the peer; return whether it was taken: is_up."""
        if self.is_up:
            queue = self.urgent.queue
            at = len(queue)
            if at and queue[-1][0] == TEXT:
                at -= 1
            queue.insert(at, (CONTROL, data))
        return self.is_up

    def send_text(self, data):
        """Send bytes of the terminal, which are a stream; return whether they were taken: is_up."""
        if self.is_up:
            queue = self.urgent.queue
            self.urgent.waiting_bytes += len(data)
            if queue and queue[-1][0] == TEXT:
                data = queue.pop()[1] + data
            queue.append((TEXT, data))
        return self.is_up

    def send_binary(self, data):
        """Send one binary message of at least 1 byte; return whether it was taken: is_up."""
        if self.is_up:
            self.bulk.queue.append((BINARY, data))
            self.bulk.waiting_bytes += len(data)
        return self.is_up

    def consumed(self, kind, size_bytes):
        """Give the peer the room of so many bytes again that events have brought, of TEXT or of BINARY."""
        lane = self.bulk if kind > TEXT else self.urgent
        size_bytes = min(size_bytes, lane.capacity - lane.room)
        lane.room += size_bytes
        lane.grant += size_bytes
        if lane.grant * 2 >= lane.capacity:
            self.urgent.queue.insert(0, (_CREDIT, pack("<BH", kind, lane.grant)))
            lane.grant = 0

    def next_event(self):
        """Return the next event, (kind, value), or None."""
        return self._events.pop(0) if self._events else None

    def next_deadline_ms(self):
        """Return when data_to_send has something although nothing comes."""
        return min(self._hello_at_ms, self._ack_at_ms, self._rto_at_ms)

    # Out.

    def data_to_send(self, now_ms):
        """Do what is due, and return the bytes of the next frame to write, or b"" if there is none now."""
        if now_ms >= self._hello_at_ms:
            self._hello_at_ms = now_ms + self._hello_ms
            self._hello = (self._mine, self._peer) if self.is_up else (self._offer, 0)
        if self._hello:
            # MicroPython has no (*a, *b).
            hello = pack("<BHHHHBB", *((VERSION,) + self._hello + self._hello_bytes + (0,)))  # noqa: RUF005
            self._hello = None
            return encode(_HELLO, 0, 0, 0, hello, 0)
        urgent, bulk = self.urgent, self.bulk
        lanes = (urgent, bulk)
        if now_ms >= self._rto_at_ms:
            self._rto_at_ms = _NEVER
            self._best_bytes = max(self._best_bytes * 3 >> 2, _PAYLOAD_BYTES_MIN)
            if now_ms - self.heard_ms > self._rto_ms:  # not a frame lost: nothing comes at all
                self._rto_ms = min(self._rto_ms * 2, _RTO_MAX_MS)
            for lane in lanes:
                if lane.flight:
                    lane.flight[0][_ORDER] = _LOST
        if not self._is_gap:
            for lane in lanes:
                frame = lane.next_frame(self._sent_frames, now_ms, self._best_bytes)
                if frame:
                    seq, entry = frame
                    self._sent_frames += 1
                    if entry[_SENT_MS] < 0:
                        self.resent_frames += 1
                    if self._rto_at_ms == _NEVER:
                        self._rto_at_ms = now_ms + self._rto_ms
                    return self._frame(entry[0], seq, entry[1])
        if self._is_gap or now_ms >= self._ack_at_ms:
            self._is_gap = False
            early = urgent.early or bulk.early
            return self._frame(_ACK, 0, pack("<HH", urgent.early_bits(), bulk.early_bits()) if early else b"")
        return b""

    def _frame(self, kind, seq, payload):
        self._ack_at_ms = _NEVER
        return encode(kind, seq, self.urgent.expected, self.bulk.expected, payload, self._send_seed)

    # In.

    def receive_data(self, data, now_ms):
        """Take bytes from the wire, in pieces of any size and of any quality."""
        self.decoder.receive_data(data)
        while True:
            frame = self.decoder.next_frame(self._seed)
            if not frame:
                return
            kind, seq, ack_urgent, ack_bulk, payload = frame
            if kind == _HELLO:
                self._receive_hello(payload, now_ms)
            elif self.is_up:
                self.heard_ms = now_ms
                self._hello_at_ms = now_ms + self._keepalive_ms
                self._receive_acks(kind, ack_urgent, ack_bulk, payload, now_ms)
                if kind <= BINARY:
                    self._receive_numbered(kind, seq, payload, now_ms)

    def _receive_hello(self, payload, now_ms):
        if len(payload) != _HELLO_BYTES or payload[0] != VERSION:
            version = payload and payload[0]
            if version and version != self._other_version:
                self._other_version = version
                self._events.append((OTHER_VERSION, version))
            return
        _, peer, mine, text_bytes, binary_bytes, payload_bytes, _ = unpack("<BHHHHBB", payload)
        if (peer ^ self._offer) & 1 == 0:
            pass  # our own, come back
        elif mine == 0:
            self._hello = (self._offer, peer)
        elif mine == self._offer:
            urgent, bulk = self.urgent, self.bulk
            self._events.append((UP, bool(urgent.queue or urgent.flight or bulk.queue or bulk.flight)))
            self._clear()
            largest = min(self._best_bytes, payload_bytes)
            for lane, size in ((self.urgent, text_bytes), (self.bulk, binary_bytes)):
                lane.credit = size
                lane.piece_bytes = min(largest, size >> 1)
            self.is_up = True
            self._mine = mine
            self._peer = peer
            self._offer = (mine + 2) & 0xFFFF or 2
            self._send_seed = crc32(pack("<HH", mine, peer)) & 0x3FFFFFFF
            self._seed = crc32(pack("<HH", peer, mine)) & 0x3FFFFFFF
            self._hello = (mine, peer)
            self._hello_at_ms = now_ms + self._hello_ms
            self._ack_at_ms = self.heard_ms = now_ms
        elif self.is_up and mine == self._mine and peer == self._peer:
            self._ack_at_ms = now_ms

    def _receive_acks(self, kind, ack_urgent, ack_bulk, payload, now_ms):
        early_urgent = early_bulk = 0
        if kind == _ACK and len(payload) == 4:
            early_urgent, early_bulk = unpack("<HH", payload)
        urgent, bulk = self.urgent, self.bulk
        latest = urgent.acknowledge(ack_urgent, early_urgent)
        other = bulk.acknowledge(ack_bulk, early_bulk)
        if latest is None or (other and other[_ORDER] > latest[_ORDER]):
            latest = other
        if latest is None:
            return
        sent_ms = latest[_SENT_MS]
        if sent_ms >= 0:
            round_trip_ms = now_ms - sent_ms
            self._rto_ms = max(round_trip_ms + (round_trip_ms >> 1), self._rto_ms - (self._rto_ms >> 2), _RTO_MIN_MS)
        self._best_bytes = min(self._best_bytes + 4, self._hello_bytes[2])
        if kind == _ACK:
            # The wire keeps the order, so what was sent before something that arrived, and did not, never will.
            for _ in range(urgent.lose(latest[_ORDER]) + bulk.lose(latest[_ORDER])):
                self._best_bytes = max(self._best_bytes * 3 >> 2, _PAYLOAD_BYTES_MIN)
        self._rto_at_ms = now_ms + self._rto_ms if urgent.flight or bulk.flight else _NEVER

    def _receive_numbered(self, kind, seq, payload, now_ms):
        lane = self.bulk if kind > TEXT else self.urgent
        early = lane.early
        ahead = (seq - lane.expected) & 0xFF
        if ahead > 15 or seq in early:
            self.repeated_frames += 1
            self._is_gap = True  # so that the peer hears of it
            return
        size = len(payload) if kind > CONTROL else 0
        if lane.room < size or len(self._events) + len(early) >= _EVENTS_MAX:
            return  # more than was granted, or nobody asks for events; the peer will send it again
        lane.room -= size
        # The second frame is acknowledged at once, one alone a little later: perhaps an answer takes it along.
        self._ack_at_ms = now_ms if early or self._ack_at_ms != _NEVER else now_ms + _ACK_DELAY_MS
        early[seq] = (kind, payload)
        while lane.expected in early:
            kind, payload = event = early.pop(lane.expected)
            lane.expected = (lane.expected + 1) & 0xFF
            if kind != _CREDIT:
                self._events.append(event)
            elif len(payload) == 3:
                kind, size = unpack("<BH", payload)
                (self.bulk if kind > TEXT else self.urgent).credit += size
        if early:
            self._is_gap = True
