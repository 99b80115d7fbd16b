"""The link: WebREPL's messages over a wire that loses, damages and repeats bytes; exactly once and in order.

A pure machine, the same on both sides. Two lanes of numbered frames, each with its own order: the urgent one for
control, text and credit, the bulk one for binary messages. What is urgent goes first, behind at most one frame of the
other. Bytes are sent only into room that the peer has granted. A session begins when both sides have seen each other's
new number; a frame of one session means nothing in another. docs/protocol.md, "The link", says all of it.

    link.receive_data(data, now_ms)      bytes came
    link.next_event()                    (kind, value) or None; ask until None
    link.data_to_send(now_ms)            bytes to write, at most one frame; ask until b""
    link.next_deadline_ms()              when to ask data_to_send again although nothing came

`now_ms` only ever grows: on a board, add up `ticks_diff` of successive `ticks_ms`. This is what a board needs; host.py
has the rest.
"""

from struct import pack, unpack

from .arq import Lane
from .codec import const, crc32, decode, encode

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
_PAYLOAD_BYTES_MAX = const(255)

_EVENTS_MAX = const(32)
_RTO_MIN_MS = const(60)
_RTO_MAX_MS = const(1000)
_NEVER = const(0x3FFFFFFF)


class Link:
    """One side of a link.

    Args:
        number: 14 bits that are likely others than at the last start, from a random source.
        is_board: 1 on the board, 0 in the bridge: the peer must be the other.
        text_room_bytes: how much text may wait here for `consumed`, 2 to 65535.
        binary_room_bytes: the same of binary messages.

    Attributes:
        is_up: whether there is a session.
        heard_ms: when the peer was heard last.
        urgent, bulk: the lanes; their `waiting_bytes` is what was given to send and is not sent yet.
        bad_frames: how often something came that is no frame.
        skipped_bytes: how many bytes that were.
        resent_frames: how many frames were sent again.
        hello_ms: how often to call a peer that does not answer.
        keepalive_ms: call it after so long a silence.
        ack_delay_ms: how long a frame may wait for a second one to be acknowledged with it.
    """

    hello_ms = 1000
    keepalive_ms = 30000
    ack_delay_ms = 15

    def __init__(self, number, is_board, text_room_bytes=256, binary_room_bytes=1024):
        self.is_up = self._is_gap = False
        self.heard_ms = self.bad_frames = self.skipped_bytes = self.resent_frames = 0
        self.urgent = Lane(text_room_bytes)
        self.bulk = Lane(binary_room_bytes)
        # The number that the next session will have here; the lowest bit tells the sides apart, 0 stands for none.
        self._offer = (number << 1) & 0xFFFC | 2 | is_board
        self._mine = self._peer = self._seed = 0
        self._hello = None  # (our number, the peer's) of a hello to send
        self._hello_at_ms = 0
        self._ack_at_ms = _NEVER
        self._rto_ms = 400
        self._events = []
        self._data = b""
        self._wanted_bytes = 0

    # What the owner calls.

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
        return min(self._hello_at_ms, self._ack_at_ms, self.urgent.late_at_ms, self.bulk.late_at_ms)

    # Out.

    def data_to_send(self, now_ms):
        """Do what is due, and return the bytes of the next frame to write, or b"" if there is none now."""
        urgent, bulk = lanes = self.urgent, self.bulk
        if now_ms >= self._hello_at_ms:
            self._hello_at_ms = now_ms + self.hello_ms
            self._hello = self._hello or ((self._mine, self._peer) if self.is_up else (self._offer, 0))
        if self._hello:
            mine, peer = self._hello
            self._hello = None
            hello = pack("<BHHHHBB", VERSION, mine, peer, urgent.capacity, bulk.capacity, _PAYLOAD_BYTES_MAX, 0)
            return encode(_HELLO, 0, 0, 0, hello, 0)
        for lane in lanes:
            if now_ms >= lane.late_at_ms:
                lane.lose_oldest()
                if now_ms - self.heard_ms > self._rto_ms:  # not one frame lost: nothing comes at all
                    self._rto_ms = min(self._rto_ms * 2, _RTO_MAX_MS)
        frame = None
        if not self._is_gap:
            frame = urgent.next_frame(now_ms, self._rto_ms) or bulk.next_frame(now_ms, self._rto_ms)
        if frame:
            seq, (kind, payload, _, sent_ms) = frame
            self.resent_frames += sent_ms < 0
        elif self._is_gap or now_ms >= self._ack_at_ms:
            self._is_gap = False
            kind = _ACK
            seq = 0
            bits = [0, 0]  # which frames came early: bit i stands for frame expected + 1 + i
            for index in (0, 1):
                for early in lanes[index].early:
                    bits[index] |= 1 << ((early - lanes[index].expected - 1) & 0xFF)
            payload = pack("<HH", *bits) if bits != [0, 0] else b""
        else:
            return b""
        self._ack_at_ms = _NEVER
        return encode(kind, seq, urgent.expected, bulk.expected, payload, self._send_seed)

    # In.

    def receive_data(self, data, now_ms):
        """Take bytes from the wire, in pieces of any size and of any quality.

        Returns:
            How many bytes are missing of a frame that has begun; 0 if none has.
        """
        self._data += data
        skipped_bytes = 0
        while len(self._data) >= self._wanted_bytes:
            skipped_bytes, self._wanted_bytes, frame = decode(self._data, self._seed)
            self.skipped_bytes += skipped_bytes
            self.bad_frames += skipped_bytes > 0
            if not frame:
                self._data = self._data[skipped_bytes:]
                break
            self._data = self._data[skipped_bytes + self._wanted_bytes :]
            self._wanted_bytes = 0
            kind, seq, ack_urgent, ack_bulk, payload = frame
            if kind == _HELLO:
                if len(payload) == _HELLO_BYTES and payload[0] == VERSION:
                    self._receive_hello(payload, now_ms)
                elif payload and len(self._events) < _EVENTS_MAX:
                    self._events.append((OTHER_VERSION, payload[0]))
            elif self.is_up:
                self.heard_ms = now_ms
                self._hello_at_ms = now_ms + self.keepalive_ms
                bits = None, None
                if kind == _ACK:
                    bits = unpack("<HH", payload) if len(payload) == 4 else (0, 0)
                for lane, ack, early_bits in ((self.urgent, ack_urgent, bits[0]), (self.bulk, ack_bulk, bits[1])):
                    sent_ms = lane.acknowledge(ack, early_bits)
                    if sent_ms is not None:
                        if sent_ms >= 0:
                            rtt_ms = now_ms - sent_ms
                            self._rto_ms = max(rtt_ms + (rtt_ms >> 1), self._rto_ms - (self._rto_ms >> 2), _RTO_MIN_MS)
                        lane.late_at_ms = now_ms + self._rto_ms if lane.flight else _NEVER
                if kind <= BINARY:
                    self._receive_numbered(kind, seq, payload, now_ms)
        if self._data or skipped_bytes:
            # If no frame of the session follows, this may be a bridge that has started anew.
            self._hello_at_ms = min(self._hello_at_ms, now_ms + self.hello_ms)
        return self._wanted_bytes - len(self._data) if self._data else 0

    def _receive_hello(self, payload, now_ms):
        _, peer, mine, text_bytes, binary_bytes, payload_bytes, _ = unpack("<BHHHHBB", payload)
        if (peer ^ self._offer) & 1 == 0:
            pass  # our own, come back
        elif mine == 0:
            self._hello = (self._offer, peer)
        elif mine == self._offer:
            is_lost = False
            for lane, size in ((self.urgent, text_bytes), (self.bulk, binary_bytes)):
                is_lost = is_lost or bool(lane.queue or lane.flight)
                lane.__init__(lane.capacity)
                lane.credit = size
                lane.piece_bytes = min(payload_bytes, size >> 1)
            self._events.append((UP, is_lost))
            self.is_up = True
            self._mine = mine
            self._peer = peer
            self._offer = (mine + 2) & 0xFFFF or 2
            self._send_seed = crc32(pack("<HH", mine, peer)) & 0x3FFFFFFF
            self._seed = crc32(pack("<HH", peer, mine)) & 0x3FFFFFFF
            self._hello = (mine, peer)
            self._hello_at_ms = now_ms + self.hello_ms
            self._ack_at_ms = self.heard_ms = now_ms
        elif self.is_up and mine == self._mine and peer == self._peer:
            self._ack_at_ms = now_ms
            self._hello_at_ms = now_ms + self.keepalive_ms

    def _receive_numbered(self, kind, seq, payload, now_ms):
        lane = self.bulk if kind > TEXT else self.urgent
        early = lane.early
        if (seq - lane.expected) & 0xFF > 15 or seq in early:
            self._is_gap = True  # a frame that is here already: the peer has not heard of it
            return
        size = len(payload) if kind > CONTROL else 0
        if lane.room < size or len(self._events) + len(early) >= _EVENTS_MAX:
            return  # more than was granted, or nobody asks for events; the peer will send it again
        lane.room -= size
        # The second frame is acknowledged at once, one alone a little later: perhaps an answer takes it along.
        self._ack_at_ms = now_ms if early or self._ack_at_ms != _NEVER else now_ms + self.ack_delay_ms
        early[seq] = (kind, payload)
        while lane.expected in early:
            event = early.pop(lane.expected)
            lane.expected = (lane.expected + 1) & 0xFF
            if event[0] != _CREDIT:
                self._events.append(event)
            elif len(event[1]) == 3:
                kind, size = unpack("<BH", event[1])
                (self.bulk if kind > TEXT else self.urgent).credit += size
        if early:
            self._is_gap = True
