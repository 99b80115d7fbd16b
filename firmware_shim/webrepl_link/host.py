"""The bridge's side of the link: what only it needs, so that the board need not load it."""

from .link import BINARY, BINARY_PART, CONTROL, TEXT, UP, Link


class HostLink(Link):
    """A Link that gives out frames at the wire's speed and takes messages together.

    A pump that writes what it gets at once would put a whole window into the serial driver's buffer, and a keystroke
    behind it. This gives out the next frame when the one before is nearly through.

    Args:
        bytes_per_s: the wire's speed, a UART's baud rate / 10; 0: as fast as asked.
        message_bytes_max: a binary message longer than this is given out in parts, BINARY_PART and in the end BINARY;
            0: all of them are. What is taken together here does not use up room.
        hello_ms: how often to call a board that does not answer.
        keepalive_ms: call it after so long a silence.
        number, rooms: as for Link.
    """

    LEAD_MS = 3

    def __init__(
        self, number, bytes_per_s=0, message_bytes_max=65535, hello_ms=1000, keepalive_ms=30000, is_board=0, **rooms
    ):
        super().__init__(number, is_board, **rooms)
        self.hello_ms = hello_ms
        self.keepalive_ms = keepalive_ms
        self._bytes_per_s = bytes_per_s
        self._message_bytes_max = message_bytes_max
        self._ready_ms = 0  # when the next frame may go out
        self._rest = 0  # of the division by bytes_per_s
        self._is_busy = False
        self._message = b""
        self._granted_bytes = 0  # of messages that the owner has not consumed

    def data_to_send(self, now_ms):
        """Return the bytes of the next frame to write, or b"" if there is none or the wire is busy."""
        self._is_busy = now_ms < self._ready_ms
        if self._is_busy:
            return b""
        data = super().data_to_send(now_ms)
        if data and self._bytes_per_s:
            if now_ms > self._ready_ms + self.LEAD_MS:  # the wire has been idle
                self._ready_ms = now_ms - self.LEAD_MS
                self._rest = 0
            # Half a percent slower than the wire should be: clocks differ, and what is too fast piles up.
            busy_ms, self._rest = divmod(len(data) * 1005 + self._rest, self._bytes_per_s)
            self._ready_ms += busy_ms
        return data

    def send_control(self, data):
        """Send a message of 1 to 32 bytes that needs no room at the peer; return whether it was taken: is_up."""
        if self.is_up:
            queue = self.urgent.queue
            queue.insert(len(queue) - bool(queue and queue[-1][0] == TEXT), (CONTROL, data))
        return self.is_up

    def next_deadline_ms(self):
        """Return when data_to_send may have something although nothing comes."""
        return self._ready_ms if self._is_busy else super().next_deadline_ms()

    def next_event(self):
        """Return the next event, (kind, value), or None; binary messages whole."""
        while True:
            event = super().next_event()
            if event is None:
                return None
            kind, value = event
            if kind == UP:  # what had come of a message will not be completed
                self._message = b""
                self._granted_bytes = 0
            elif kind in (BINARY, BINARY_PART):
                value = self._message + value
                if kind == BINARY_PART and len(value) < self._message_bytes_max:
                    size_bytes = len(value) - len(self._message)
                    self._message = value
                    super().consumed(BINARY, size_bytes)
                    self._granted_bytes += size_bytes
                    continue
                self._message = b""
                return kind, value
            return event

    def consumed(self, kind, size_bytes):
        """Give the peer the room of so many bytes again that events have brought, of TEXT or of BINARY."""
        if kind > TEXT:
            granted_bytes = min(size_bytes, self._granted_bytes)
            self._granted_bytes -= granted_bytes
            size_bytes -= granted_bytes
        super().consumed(kind, size_bytes)
