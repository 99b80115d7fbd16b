from .arq import Lane

VERSION: int
UP: int
OTHER_VERSION: int
CONTROL: int
TEXT: int
BINARY_PART: int
BINARY: int

class Link:
    is_up: bool
    heard_ms: int
    urgent: Lane
    bulk: Lane
    bad_frames: int
    skipped_bytes: int
    resent_frames: int
    hello_ms: int
    keepalive_ms: int
    ack_delay_ms: int
    def __init__(
        self, number: int, is_board: int, text_room_bytes: int = 256, binary_room_bytes: int = 1024
    ) -> None: ...
    def send_text(self, data: bytes) -> bool: ...
    def send_binary(self, data: bytes) -> bool: ...
    def consumed(self, kind: int, size_bytes: int) -> None: ...
    def receive_data(self, data: bytes, now_ms: int) -> int: ...
    def next_event(self) -> tuple[int, int | bytes] | None: ...
    def data_to_send(self, now_ms: int) -> bytes: ...
    def next_deadline_ms(self) -> int: ...
