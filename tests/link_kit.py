"""Two links with a terrible line between them, in virtual time; nothing sleeps.

A line has two directions. What one side writes is damaged (`Faults`), takes the line's time and comes out at the other
side. `Pair.run` moves the time from one event to the next.
"""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from webrepl_link.host import HostLink
from webrepl_link.link import BINARY, CONTROL, TEXT, UP, Link

BANNER = b'\r\nMicroPython v1.25.0 on 2025-09-01; Raspberry Pi Pico with RP2040\r\nType "help()"\r\n>>> \xa5\xa5'


@dataclass(frozen=True)
class Faults:
    """What happens to what one side writes, each as a probability for one write, but `bit_errors` for one bit."""

    drop: float = 0
    duplicate: float = 0
    delay: float = 0  # by up to 200 ms, so that others overtake it
    insert: float = 0  # garbage, a banner, or bytes of a former frame
    lose_bytes: float = 0
    split: float = 0
    merge: float = 0  # with the next write
    bit_errors: float = 0

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in vars(self).items() if value) or "clean"


CLEAN = Faults()
TERRIBLE = Faults(0.1, 0.1, 0.1, 0.05, 0.05, 0.3, 0.2, 1e-4)


class Line:
    """One direction of a wire.

    Args:
        rng: what decides.
        bytes_per_s: how fast; 0: at once.
        latency_ms: what a driver or a network adds.
    """

    def __init__(self, rng: random.Random, bytes_per_s: int = 0, latency_ms: int = 2) -> None:
        self.rng = rng
        self.bytes_per_s = bytes_per_s
        self.latency_ms = latency_ms
        self.faults = CLEAN
        self.is_cut = False
        self.written_bytes = 0
        self._free_ms = 0.0
        self._under_way: list[tuple[float, int, bytes]] = []
        self._count = 0
        self._held = b""
        self._former = b""

    def write(self, data: bytes, now_ms: int) -> None:
        self.written_bytes += len(data)
        if self.is_cut:
            return
        through_ms = float(now_ms)
        if self.bytes_per_s:
            through_ms = self._free_ms = max(self._free_ms, now_ms) + len(data) * 1000 / self.bytes_per_s
        rng, faults = self.rng, self.faults
        if faults is CLEAN:
            self._put(self._held + data, through_ms)
            self._held = b""
            return
        if rng.random() < faults.insert:
            garbage = rng.choice((BANNER, self._former[: rng.randrange(300)], rng.randbytes(rng.randrange(1, 400))))
            self._put(garbage, through_ms)
        self._former = data
        if rng.random() < faults.drop:
            return
        data, self._held = self._held + self._damaged(data), b""
        if rng.random() < faults.merge:
            self._held = data
            return
        if rng.random() < faults.delay:
            through_ms += rng.randrange(200)
        for _ in range(2 if rng.random() < faults.duplicate else 1):
            if rng.random() < faults.split:
                at = rng.randrange(len(data) + 1)
                self._put(data[:at], through_ms)
                self._put(data[at:], through_ms + 1)
            else:
                self._put(data, through_ms)

    def _damaged(self, data: bytes) -> bytes:
        rng, faults = self.rng, self.faults
        if rng.random() < faults.lose_bytes:
            at = rng.randrange(len(data))
            data = data[:at] + data[at + rng.randrange(1, 64) :]
        if faults.bit_errors:
            damaged = bytearray(data)
            bit = int(rng.expovariate(faults.bit_errors))
            while bit < len(damaged) * 8:
                damaged[bit >> 3] ^= 1 << (bit & 7)
                bit += 1 + int(rng.expovariate(faults.bit_errors))
            data = bytes(damaged)
        return data

    def _put(self, data: bytes, through_ms: float) -> None:
        self._count += 1
        heapq.heappush(self._under_way, (through_ms + self.latency_ms, self._count, data))

    def next_ms(self) -> float:
        return self._under_way[0][0] if self._under_way else float("inf")

    def arrived(self, now_ms: int) -> bytes:
        data = b""
        while self._under_way and self._under_way[0][0] <= now_ms:
            data += heapq.heappop(self._under_way)[2]
        return data


@dataclass
class Traffic:
    """What one side was given to send, or has been given out, in one session."""

    text: bytes = b""
    binary: list[bytes] = field(default_factory=list)
    control: list[bytes] = field(default_factory=list)

    def is_beginning_of(self, whole: Traffic) -> bool:
        return (
            whole.text.startswith(self.text)
            and whole.binary[: len(self.binary)] == self.binary
            and whole.control[: len(self.control)] == self.control
        )


Session = tuple[int, int, int]  # the bridge's number, the board's, and how often this side has been restarted


class Side:
    """A link and its owner, who consumes at once unless told otherwise, and keeps a log."""

    def __init__(self, make: Callable[[], Link]) -> None:
        self.make = make
        self.sent: dict[Session, Traffic] = defaultdict(Traffic)
        self.received: dict[Session, Traffic] = defaultdict(Traffic)
        self.is_consuming = True
        self.unconsumed = {TEXT: 0, BINARY: 0}
        self.events: list[tuple[int, int | bytes]] = []
        self.restarts = 0
        self.restart()

    def restart(self) -> None:
        self.restarts += 1
        self.link = self.make()
        self.unconsumed = dict.fromkeys(self.unconsumed, 0)
        self._session: Session | None = None
        self._part = b""

    @property
    def session(self) -> Session:
        mine, peer = self.link._mine, self.link._peer  # type: ignore[attr-defined]
        return (peer, mine, self.restarts) if mine & 1 else (mine, peer, self.restarts)

    def send_text(self, data: bytes) -> None:
        if self.link.send_text(data):
            self.sent[self.session].text += data

    def send_binary(self, data: bytes) -> None:
        if self.link.send_binary(data):
            self.sent[self.session].binary.append(data)

    def send_control(self, data: bytes) -> None:
        if self.link.send_control(data):
            self.sent[self.session].control.append(data)

    def take_events(self) -> None:
        while (event := self.link.next_event()) is not None:
            self.events.append(event)
            kind, value = event
            if kind == UP:
                self._session = self.session
                self._part = b""
                self.unconsumed = dict.fromkeys(self.unconsumed, 0)
            if not isinstance(value, bytes):
                continue
            assert self._session is not None, "nothing is given out before there is a session"
            log = self.received[self._session]
            if kind == TEXT:
                log.text += value
                self.unconsumed[TEXT] += len(value)
            elif kind == CONTROL:
                log.control.append(value)
            else:
                self._part += value
                self.unconsumed[BINARY] += len(value)
                if kind == BINARY:
                    log.binary.append(self._part)
                    self._part = b""
        if self.is_consuming:
            self.consume()

    def consume(self) -> None:
        for kind, size_bytes in self.unconsumed.items():
            if size_bytes:
                self.link.consumed(kind, size_bytes)
        self.unconsumed = dict.fromkeys(self.unconsumed, 0)


class Pair:
    """A bridge and a board.

    Args:
        seed: of everything that is left to chance.
        bytes_per_s, latency_ms: of the line, both ways.
        is_paced: whether the bridge gives its frames out at the line's speed; the board's writes never wait long.
    """

    def __init__(
        self, seed: int, bytes_per_s: int = 0, latency_ms: int = 20, is_paced: bool = True, **board_options: int
    ) -> None:
        self.rng = random.Random(seed)
        self.now_ms = 0
        self.to_board = Line(self.rng, bytes_per_s, latency_ms)
        self.to_bridge = Line(self.rng, bytes_per_s, latency_ms)
        pace = bytes_per_s if is_paced else 0

        def bridge() -> Link:
            number = self.rng.randrange(1 << 15)
            return HostLink(number, pace, 0, hello_ms=250, text_room_bytes=4096, binary_room_bytes=16384)

        def board() -> Link:
            return HostLink(self.rng.randrange(1 << 15), pace, 0, is_board=1, **board_options)

        self.board_receives_ms = 0  # how long it takes over a frame, in which it does nothing else
        self.board_sends_ms = 0
        self._board_busy_ms = 0  # until then
        self.bridge = Side(bridge)
        self.board = Side(board)

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.bridge, self.board

    def set_faults(self, faults: Faults) -> None:
        self.to_board.faults = self.to_bridge.faults = faults

    def run(self, duration_ms: int, owner: Callable[[], object] | None = None) -> None:
        """Let the time pass; `owner` is called whenever something has happened."""
        end_ms = self.now_ms + duration_ms
        while True:
            for side, out, into in (
                (self.bridge, self.to_board, self.to_bridge),
                (self.board, self.to_bridge, self.to_board),
            ):
                if side is self.board and self.now_ms < self._board_busy_ms:
                    continue
                cost_ms = 0
                data = into.arrived(self.now_ms)
                if data:
                    cost_ms = self.board_receives_ms
                    side.link.receive_data(data, self.now_ms)
                    side.take_events()
                if owner:
                    owner()
                while data := side.link.data_to_send(self.now_ms + (cost_ms if side is self.board else 0)):
                    cost_ms += self.board_sends_ms
                    out.write(data, self.now_ms + (cost_ms if side is self.board else 0))
                if side is self.board:
                    self._board_busy_ms = self.now_ms + cost_ms
            next_ms = min(
                max(min(self.to_board.next_ms(), self.board.link.next_deadline_ms()), self._board_busy_ms),
                self.to_bridge.next_ms(),
                self.bridge.link.next_deadline_ms(),
            )
            if next_ms > end_ms:
                self.now_ms = end_ms
                return
            self.now_ms = max(self.now_ms + 1, -int(-next_ms // 1))

    def connect(self) -> None:
        self.run(2000)
        assert self.bridge.link.is_up
        assert self.board.link.is_up

    def settle(self) -> None:
        """Make the line clean and let everything arrive that still can."""
        self.set_faults(CLEAN)
        self.to_board.is_cut = self.to_bridge.is_cut = False
        for side in self.sides:
            side.is_consuming = True
            side.consume()
        for _ in range(10):  # a slow line takes its time
            self.run(30_000)
            if self._has_all_arrived():
                return

    def _has_all_arrived(self) -> bool:
        return all(
            receiver.received[receiver.session] == sender.sent[sender.session]
            for sender, receiver in (self.sides, self.sides[::-1])
        )

    def check(self) -> None:
        """In every session, what has been given out is the beginning of what was given in."""
        for sender, receiver in (self.sides, self.sides[::-1]):
            for session, got in receiver.received.items():
                # Only a side that numbers its sessions the same after a restart has more than one of these.
                givens = [given for key, given in sender.sent.items() if key[:2] == session[:2]]
                assert got == Traffic() or any(got.is_beginning_of(given) for given in givens), session

    def check_all_arrived(self) -> None:
        """And in the present session, all of it."""
        self.check()
        assert self.bridge.link.is_up
        assert self.board.link.is_up
        assert self.bridge.session[:2] == self.board.session[:2]
        for sender, receiver in (self.sides, self.sides[::-1]):
            assert receiver.received[receiver.session] == sender.sent[sender.session]
