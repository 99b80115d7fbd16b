"""The link: WebREPL's messages over a wire that loses, damages and repeats bytes; exactly once and in order.

A pure machine, the same on both sides. Two lanes of numbered frames, each with its own order: the urgent one for
control, text and credit, the bulk one for binary messages. What is urgent goes first, behind at most one frame of the
other. Bytes are sent only into room that the peer has granted. A session begins when both sides have seen each other's
new number; a frame of one session means nothing in another. docs/protocol.md, "The link", says all of it.

    link.receive_data(data, now_ms)      bytes came
    link.next_event()                    (kind, value) or None; ask until None
    link.data_to_send(now_ms)            bytes to write, at most one frame; ask until b""
    link.next_deadline_ms()              when to ask data_to_send again although nothing came, or None

`now_ms` only ever grows: on a board, add up `ticks_diff` of successive `ticks_ms`.
"""

from struct import pack, unpack

from .arq import KIND, ORDER, PAYLOAD, SENT_MS, SPAN_FRAMES, Lane
from .codec import Decoder, const, crc32, encode

VERSION = const(0x31)

# Kinds of events. UP: a session began; the value is how many bytes given to the former one may not have arrived.
# OTHER_VERSION: the peer speaks only that version of the link. The others: bytes that the peer sent.
UP = const(0)
OTHER_VERSION = const(1)
CONTROL = const(0x21)
TEXT = const(0x22)
BINARY_PART = const(0x23)
BINARY = const(0x24)

_CREDIT = const(0x20)
_ACK = const(0x30)
_PING = const(0x31)
_HELLO = const(0x32)
_HELLO_LAYOUT = "<BHHHHBB"
_HELLO_BYTES = const(11)

_ACK_DELAY_MS = const(15)
_EVENTS_MAX = const(32)
_PAYLOAD_BYTES_MIN = const(32)
_RTO_START_MS = const(400)
_RTO_MIN_MS = const(40)
_RTO_MAX_MS = const(1000)
_NEVER = const(0x3FFFFFFF)


class Link:
    """One side of a link.

    Args:
        number: 15 bits that are likely others than at the last start, from a random source.
        is_board: whether this is the board's side; the peer must be the other.
        text_room_bytes: how much text may wait here for `consumed`, 2 to 65535.
        binary_room_bytes: the same of binary messages.
        payload_bytes: the largest payload of a frame, both ways, 32 to 255.
        hello_ms: how often to call the peer while there is no session.
        keepalive_ms: ask the peer for a sign of life after so long a silence; 0: never.
        bytes_per_s: the wire's speed, to give out a frame only when the one before is nearly through; 0: whoever
            writes takes care that little waits.

    Attributes:
        is_up: whether there is a session.
        heard_ms: when the peer was heard last, or None.
        binary_waiting_bytes: what send_binary was given and has not been sent.
        text_waiting_bytes: the same of send_text.
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
        keepalive_ms=0,
        bytes_per_s=0,
    ):
        self.decoder = Decoder()
        self.is_up = False
        self.heard_ms = None
        self.resent_frames = 0
        self.repeated_frames = 0
        self._events = []
        self._capacity = (text_room_bytes, binary_room_bytes)
        self._payload_bytes = payload_bytes
        self._hello_ms = hello_ms
        self._keepalive_ms = keepalive_ms
        self._bytes_per_s = bytes_per_s
        # The number that the next session will have here; the lowest bit tells the sides apart, 0 stands for none.
        self._offer = ((number << 1) & 0xFFFE or 2) | is_board
        self._mine = self._peer = 0
        self._other_version = 0
        self._hello = None  # (our number, the peer's) of a hello to send
        self._hello_at_ms = 0
        self._line_free_ms = 0
        self._line_rest = 0
        self._is_line_busy = False
        self._clear()

    def _clear(self):
        """Forget everything that belongs to a session."""
        self._urgent = Lane()
        self._bulk = Lane()
        self._sent_frames = 0
        self._controls = []
        self._text = b""
        self._binaries = []
        self._binary_sent_bytes = 0  # of the first in _binaries
        self.text_waiting_bytes = self.binary_waiting_bytes = 0
        self._credit = [0, 0]  # bytes of text and of binary that the peer has room for
        self._piece_bytes = [0, 0]  # at most so many of them in a frame
        self._room = list(self._capacity)
        self._grant = [0, 0]  # room that the peer does not know of yet
        self._best_bytes = self._payload_bytes  # a payload that suits the wire's errors
        self._is_confirmed = False
        self._ack_at_ms = _NEVER
        self._is_gap = False
        self._ping_at_ms = _NEVER
        self._is_ping = False
        self._rto_at_ms = _NEVER
        self._rto_ms = _RTO_START_MS
        self._backoff = 0
        self._smooth_ms8 = -1  # round trip in 1/8 ms
        self._spread_ms4 = 0  # its mean deviation in 1/4 ms

    # What the owner calls.

    def send_control(self, data):
        """Send a control message, 1 to 32 bytes, which needs no room at the peer; return whether it was taken."""
        if not self.is_up or len(self._controls) >= SPAN_FRAMES:
            return False
        self._controls.append(data)
        return True

    def send_text(self, data):
        """Send bytes of the terminal, which are a stream; return whether they were taken: there must be a session."""
        if self.is_up:
            self._text += data
            self.text_waiting_bytes += len(data)
        return self.is_up

    def send_binary(self, data):
        """Send one binary message of at least 1 byte; return whether it was taken: there must be a session."""
        if self.is_up:
            self._binaries.append(data)
            self.binary_waiting_bytes += len(data)
        return self.is_up

    def consumed(self, kind, size_bytes):
        """Grant the peer the room of so many bytes again, of TEXT or of BINARY, that an event has brought."""
        index = kind != TEXT
        size_bytes = min(size_bytes, self._capacity[index] - self._room[index])
        self._room[index] += size_bytes
        self._grant[index] += size_bytes

    def next_event(self):
        """Return the next event, (kind, value), or None."""
        return self._events.pop(0) if self._events else None

    def next_deadline_ms(self):
        """Return when data_to_send has something although nothing comes, or None."""
        if self._is_line_busy:
            return self._line_free_ms
        at = self._hello_at_ms
        if self.is_up:
            if self._is_confirmed:
                at = _NEVER
            at = min(at, self._ack_at_ms, self._rto_at_ms, self._ping_at_ms)
        return None if at == _NEVER else at

    def handle_timeout(self, now_ms):
        """Do what is due by now; data_to_send calls it."""
        if now_ms >= self._hello_at_ms and not self._is_confirmed:
            self._hello_at_ms = now_ms + self._hello_ms
            self._hello = (self._mine, self._peer) if self.is_up else (self._offer, 0)
        if now_ms >= self._rto_at_ms:
            self._rto_at_ms = _NEVER
            self._backoff += self._backoff < 6
            for lane in (self._urgent, self._bulk):
                lane.lose_oldest()
        if now_ms >= self._ping_at_ms:
            self._ping_at_ms = now_ms + self._keepalive_ms
            self._is_ping = True

    # Out.

    def data_to_send(self, now_ms):
        """Return the bytes of the next frame to write, or b"" if there is none now."""
        self.handle_timeout(now_ms)
        self._is_line_busy = now_ms < self._line_free_ms
        if self._is_line_busy:
            return b""
        data = self._next_frame(now_ms)
        if self._bytes_per_s and data:
            # Ready for the next one 3 ms before the line is.
            if now_ms > self._line_free_ms + 3:
                self._line_free_ms = now_ms - 3
                self._line_rest = 0
            self._line_rest += len(data) * 1000
            self._line_free_ms += self._line_rest // self._bytes_per_s
            self._line_rest %= self._bytes_per_s
        return data

    def _next_frame(self, now_ms):
        if self._hello is not None:
            mine, peer = self._hello
            self._hello = None
            text_bytes, binary_bytes = self._capacity
            hello = pack(_HELLO_LAYOUT, VERSION, mine, peer, text_bytes, binary_bytes, self._payload_bytes, 0)
            return encode(_HELLO, 0, 0, 0, hello, 0)
        if not self.is_up:
            return b""
        if self._is_gap:
            return self._acknowledgement()
        for lane in (self._urgent, self._bulk):
            lost = lane.next_lost()
            if lost is not None:
                seq, entry = lost
                entry[SENT_MS] = -1
                self.resent_frames += 1
            elif len(lane.flight) < SPAN_FRAMES:
                entry = self._next_urgent() if lane is self._urgent else self._next_binary()
                if entry is None:
                    continue
                seq = (lane.base + len(lane.flight)) & 0xFF
                entry = [entry[0], entry[1], 0, now_ms]
                lane.flight.append(entry)
            else:
                continue
            entry[ORDER] = self._sent_frames
            self._sent_frames += 1
            if self._rto_at_ms == _NEVER:
                self._start_rto(now_ms)
            return self._frame(entry[KIND], seq, entry[PAYLOAD])
        if self._is_ping:
            self._is_ping = False
            return self._frame(_PING, 0, b"")
        if now_ms >= self._ack_at_ms:
            return self._acknowledgement()
        return b""

    def _acknowledgement(self):
        urgent, bulk = self._urgent, self._bulk
        bits = pack("<HH", urgent.early_bits(), bulk.early_bits()) if urgent.early or bulk.early else b""
        return self._frame(_ACK, 0, bits)

    def _frame(self, kind, seq, payload):
        self._is_gap = False
        self._ack_at_ms = _NEVER
        return encode(kind, seq, self._urgent.expected, self._bulk.expected, payload, self._send_seed)

    def _start_rto(self, now_ms):
        self._rto_at_ms = now_ms + max(self._rto_ms, min(self._rto_ms << self._backoff, _RTO_MAX_MS))

    def _next_urgent(self):
        grant = self._grant
        if grant[0] * 2 >= self._capacity[0] or grant[1] * 2 >= self._capacity[1]:
            self._grant = [0, 0]
            return _CREDIT, pack("<HH", grant[0], grant[1])
        if self._controls:
            return CONTROL, self._controls.pop(0)
        size = self._allowed(0, self.text_waiting_bytes)
        if not size:
            return None
        piece = self._text[:size]
        self._text = self._text[size:]
        self.text_waiting_bytes -= size
        return TEXT, piece

    def _next_binary(self):
        if not self._binaries:
            return None
        start = self._binary_sent_bytes
        message = self._binaries[0]
        size = self._allowed(1, len(message) - start)
        if not size:
            return None
        self.binary_waiting_bytes -= size
        end = start + size
        if end < len(message):
            self._binary_sent_bytes = end
            return BINARY_PART, message[start:end]
        self._binaries.pop(0)
        self._binary_sent_bytes = 0
        return BINARY, message[start:]

    def _allowed(self, index, size):
        """Return how many of `size` bytes go in the next frame: 0 if the room at the peer is too little."""
        size = min(size, self._piece_bytes[index], self._best_bytes)
        if self._credit[index] < size:
            return 0
        self._credit[index] -= size
        return size

    # In.

    def receive_data(self, data, now_ms):
        """Take bytes from the wire, in pieces of any size and of any quality."""
        self.decoder.receive_data(data)
        while True:
            frame = self.decoder.next_frame(self._receive_seed if self.is_up else 0)
            if frame is None:
                return
            kind, seq, ack_urgent, ack_bulk, payload = frame
            if kind == _HELLO:
                self._receive_hello(payload, now_ms)
            elif self.is_up:
                self.heard_ms = now_ms
                self._is_confirmed = True
                if self._keepalive_ms:
                    self._ping_at_ms = now_ms + self._keepalive_ms
                self._receive_acks(kind, ack_urgent, ack_bulk, payload, now_ms)
                if kind <= BINARY:
                    self._receive_numbered(kind, seq, payload, now_ms)
                elif kind == _PING:
                    self._ack_at_ms = now_ms

    def _receive_hello(self, payload, now_ms):
        if len(payload) != _HELLO_BYTES or payload[0] != VERSION:
            if payload and payload[0] != self._other_version:
                self._other_version = payload[0]
                self._events.append((OTHER_VERSION, payload[0]))
            return
        _, peer, mine, text_bytes, binary_bytes, payload_bytes, _ = unpack(_HELLO_LAYOUT, payload)
        if (peer ^ self._offer) & 1 == 0:
            return  # our own, come back
        is_same = self.is_up and peer == self._peer
        if mine == 0:
            self._hello = (self._mine if is_same and not self._is_confirmed else self._offer, peer)
        elif mine == self._offer:
            self._begin(peer, now_ms)
            self._credit = [text_bytes, binary_bytes]
            largest = min(self._payload_bytes, payload_bytes)
            self._piece_bytes = [min(largest, text_bytes >> 1), min(largest, binary_bytes >> 1)]
        elif is_same and mine == self._mine:
            self._ack_at_ms = now_ms

    def _begin(self, peer, now_ms):
        lost_bytes = self.text_waiting_bytes + self.binary_waiting_bytes
        for entry in self._urgent.flight + self._bulk.flight:
            if entry[KIND] != _CREDIT:
                lost_bytes += len(entry[PAYLOAD])
        self._clear()
        self.is_up = True
        self.heard_ms = now_ms
        self._peer = peer
        self._mine = self._offer
        self._offer = (self._offer + 2) & 0xFFFF
        if self._offer < 2:
            self._offer += 2
        self._send_seed = crc32(pack("<HH", self._mine, peer)) & 0x3FFFFFFF
        self._receive_seed = crc32(pack("<HH", peer, self._mine)) & 0x3FFFFFFF
        self._hello = (self._mine, peer)
        self._hello_at_ms = now_ms + self._hello_ms
        self._ack_at_ms = now_ms
        if self._keepalive_ms:
            self._ping_at_ms = now_ms + self._keepalive_ms
        self._events.append((UP, lost_bytes))

    def _receive_acks(self, kind, ack_urgent, ack_bulk, payload, now_ms):
        early_urgent = early_bulk = 0
        if kind == _ACK and len(payload) == 4:
            early_urgent, early_bulk = unpack("<HH", payload)
        news = self._urgent.acknowledged(ack_urgent, early_urgent)
        news += self._bulk.acknowledged(ack_bulk, early_bulk)
        if not news:
            return
        latest = news[0]
        for entry in news:
            if entry[ORDER] > latest[ORDER]:
                latest = entry
        if latest[SENT_MS] >= 0:
            self._measure(now_ms - latest[SENT_MS])
        self._backoff = 0
        self._best_bytes = min(self._best_bytes + 4 * len(news), self._payload_bytes)
        if kind == _ACK:
            # The wire keeps the order, so what was sent before something that arrived, and did not, never will.
            lost = self._urgent.lose(latest[ORDER]) + self._bulk.lose(latest[ORDER])
            for _ in range(lost):
                self._best_bytes = max(self._best_bytes - (self._best_bytes >> 2), _PAYLOAD_BYTES_MIN)
        self._rto_at_ms = _NEVER
        if self._urgent.flight or self._bulk.flight:
            self._start_rto(now_ms)

    def _measure(self, round_trip_ms):
        """Set the timeout as TCP does (RFC 6298), in integers."""
        if self._smooth_ms8 < 0:
            self._smooth_ms8 = round_trip_ms << 3
            self._spread_ms4 = round_trip_ms << 1
        else:
            error_ms = round_trip_ms - (self._smooth_ms8 >> 3)
            self._smooth_ms8 += error_ms
            self._spread_ms4 += abs(error_ms) - (self._spread_ms4 >> 2)
        self._rto_ms = max((self._smooth_ms8 >> 3) + self._spread_ms4 + _ACK_DELAY_MS, _RTO_MIN_MS)

    def _receive_numbered(self, kind, seq, payload, now_ms):
        lane = self._urgent if kind < BINARY_PART else self._bulk
        early = lane.early
        ahead = (seq - lane.expected) & 0xFF
        if ahead >= SPAN_FRAMES or seq in early:
            self.repeated_frames += 1
            self._is_gap = True  # so that the peer hears of it
            return
        if len(self._events) + len(early) >= _EVENTS_MAX:
            return  # the owner does not ask for events; the peer will send it again
        if kind > CONTROL:
            index = kind != TEXT
            if self._room[index] < len(payload):
                return  # more than was granted
            self._room[index] -= len(payload)
        # The second frame is acknowledged at once, one alone a little later: perhaps an answer takes it along.
        self._ack_at_ms = now_ms if early or self._ack_at_ms != _NEVER else now_ms + _ACK_DELAY_MS
        early[seq] = (kind, payload)
        while lane.expected in early:
            kind, payload = early.pop(lane.expected)
            lane.expected = (lane.expected + 1) & 0xFF
            if kind != _CREDIT:
                self._events.append((kind, payload))
            elif len(payload) == 4:
                text_bytes, binary_bytes = unpack("<HH", payload)
                self._credit[0] += text_bytes
                self._credit[1] += binary_bytes
        if early:
            self._is_gap = True
