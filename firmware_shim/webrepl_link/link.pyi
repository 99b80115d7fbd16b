from .arq import Lane
from .codec import Decoder

VERSION: int
UP: int
OTHER_VERSION: int
CONTROL: int
TEXT: int
BINARY_PART: int
BINARY: int

class Link:
    decoder: Decoder
    is_up: bool
    heard_ms: int
    urgent: Lane
    bulk: Lane
    resent_frames: int
    repeated_frames: int
    def __init__(
        self,
        number: int,
        is_board: int,
        text_room_bytes: int = 256,
        binary_room_bytes: int = 1024,
        payload_bytes: int = 255,
        hello_ms: int = 1000,
        keepalive_ms: int = 30000,
    ) -> None: ...
    def send_control(self, data: bytes) -> bool: ...
    def send_text(self, data: bytes) -> bool: ...
    def send_binary(self, data: bytes) -> bool: ...
    def consumed(self, kind: int, size_bytes: int) -> None: ...
    def receive_data(self, data: bytes, now_ms: int) -> None: ...
    def next_event(self) -> tuple[int, int | bytes] | None: ...
    def data_to_send(self, now_ms: int) -> bytes: ...
    def next_deadline_ms(self) -> int: ...
