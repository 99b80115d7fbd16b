OVERHEAD_BYTES: int

class Blocks:
    block_bytes: int
    waiting_bytes: int
    has_room: bool
    pause_ms: int
    pause_max_ms: int
    peer_block_bytes: int
    damaged_blocks: int
    missed_blocks: int
    repeated_blocks: int
    def __init__(self, block_bytes: int = 128) -> None: ...
    def send(self, data: bytes) -> None: ...
    def block_to_send(self) -> bytes: ...
    def receive_block(self, data: bytes) -> bytes: ...
    def may_send(self) -> bool: ...
