from .link import Link

class HostLink(Link):
    LEAD_MS: int
    def __init__(
        self,
        number: int,
        bytes_per_s: int = 0,
        message_bytes_max: int = 65535,
        hello_ms: int = 1000,
        keepalive_ms: int = 30000,
        is_board: int = 0,
        *,
        text_room_bytes: int = 256,
        binary_room_bytes: int = 1024,
    ) -> None: ...
    def send_control(self, data: bytes) -> bool: ...
