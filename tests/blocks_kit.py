"""Two sides of the block exchange and the wires between them, clock by clock; nothing sleeps."""

from __future__ import annotations

import random
from dataclasses import dataclass

from webrepl_link.blocks import OVERHEAD_BYTES, Blocks


@dataclass(frozen=True)
class Faults:
    """What happens on the wires: `unheard` as a probability for an exchange, the others for a bit.

    Attributes:
        unheard: the peripheral is not ready, and the controller reads a line that rests.
        bit_errors: a bit is read wrong.
        missed_clocks: the peripheral does not see a clock.
        extra_clocks: it sees one twice.
    """

    unheard: float = 0
    bit_errors: float = 0
    missed_clocks: float = 0
    extra_clocks: float = 0

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in vars(self).items() if value) or "clean"


CLEAN = Faults()
TERRIBLE = Faults(0.05, 1e-4, 1e-4, 1e-4)


class End:
    """One side, its owner's notes and, if it is the peripheral, its shift register.

    Attributes:
        sent: the payloads that have gone out, in order.
        received: the payloads that have come.
    """

    def __init__(self, block_bytes: int) -> None:
        self.block_bytes = block_bytes
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        self.restart()

    def restart(self) -> None:
        self.blocks = Blocks(self.block_bytes)
        self._out: list[int] = []
        self._in: list[int] = []

    def next_block(self) -> bytes:
        block = self.blocks.block_to_send()
        assert len(block) == self.block_bytes
        if size := block[4]:
            self.sent.append(block[OVERHEAD_BYTES - 4 :][:size])
        return block

    def take(self, block: bytes) -> None:
        if payload := self.blocks.receive_block(block):
            self.received.append(payload)

    # The peripheral's register

    def level(self) -> int:
        """Give the bit that is on the wire to the controller."""
        if not self._out:
            self._out = to_bits(self.next_block())[::-1]
        return self._out[-1]

    def clock(self, bit: int) -> None:
        """Shift by one."""
        self.level()
        self._out.pop()
        self._in.append(bit)
        if len(self._in) == 8 * self.block_bytes:
            self.take(to_bytes(self._in))
            self._in = []

    def deselect(self) -> None:
        """Drop what is not whole, as hardware that watches CS does."""
        self._out = []
        self._in = []


class Exchange:
    """A controller and a peripheral.

    Args:
        seed: of what goes wrong.
        block_bytes: the size of a block.
        resets: whether the peripheral begins anew with each block, by CS.
    """

    def __init__(self, seed: int, block_bytes: int = 64, *, resets: bool = False) -> None:
        self.rng = random.Random(seed)
        self.controller = End(block_bytes)
        self.peripheral = End(block_bytes)
        self.ends = (self.controller, self.peripheral)
        self.faults = CLEAN
        self.resets = resets

    def run(self, times: int = 1) -> None:
        for _ in range(times):
            self.exchange()

    def exchange(self) -> None:
        faults, rng, peripheral = self.faults, self.rng, self.peripheral
        out = to_bits(self.controller.next_block())
        if rng.random() < faults.unheard:
            self.controller.take(b"\xff" * self.controller.block_bytes)
            return
        if faults is CLEAN:
            read = []
            for bit in out:
                read.append(peripheral.level())
                peripheral.clock(bit)
        else:
            read = [self._clock(bit) for bit in out]
        self.controller.take(to_bytes(read))
        if self.resets:
            peripheral.deselect()

    def _clock(self, bit: int) -> int:
        faults, rng = self.faults, self.rng
        level = self.peripheral.level() ^ (rng.random() < faults.bit_errors)
        for _ in range(0 if rng.random() < faults.missed_clocks else 1 + (rng.random() < faults.extra_clocks)):
            self.peripheral.clock(bit ^ (rng.random() < faults.bit_errors))
        return level


def to_bits(data: bytes) -> list[int]:
    return [byte >> shift & 1 for byte in data for shift in range(7, -1, -1)]


def to_bytes(bits: list[int]) -> bytes:
    return int("".join(map(str, bits)), 2).to_bytes(len(bits) // 8, "big")


def is_part_in_order(part: list[bytes], whole: list[bytes]) -> bool:
    """Tell whether `part` is `whole` with some left out."""
    rest = iter(whole)
    return all(piece in rest for piece in part)
