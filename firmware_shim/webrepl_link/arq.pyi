class Lane:
    queue: list[tuple[int, bytes]]
    flight: list[list[int | bytes]]
    early: dict[int, tuple[int, bytes]]
    waiting_bytes: int
    credit: int
    piece_bytes: int
    best_bytes: int
    late_at_ms: int
    expected: int
    grant: int
    capacity: int
    room: int
    def __init__(self, room_bytes: int) -> None: ...
    def next_frame(self, now_ms: int, rto_ms: int) -> tuple[int, list[int | bytes]] | None: ...
    def acknowledge(self, ack: int, bits: int | None) -> int | None: ...
    def lose_oldest(self) -> None: ...
