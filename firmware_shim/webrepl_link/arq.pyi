class Lane:
    queue: list[tuple[int, bytes]]
    waiting_bytes: int
    base: int
    flight: list[list[int | bytes]]
    credit: int
    piece_bytes: int
    expected: int
    early: dict[int, tuple[int, bytes]]
    capacity: int
    room: int
    grant: int
    def __init__(self, room_bytes: int) -> None: ...
    def next_frame(self, order: int, now_ms: int, best_bytes: int) -> tuple[int, list[int | bytes]] | None: ...
    def acknowledge(self, ack: int, early_bits: int) -> list[int | bytes] | None: ...
    def lose(self, order: int) -> int: ...
    def early_bits(self) -> int: ...
