"""Two sides of the block exchange with bad wires, the same on every Python: prints every block and what is in it.

Run it under CPython or MicroPython with `webrepl_link` on the path; STEPS and SEED may be set before.
"""

# ruff: noqa: UP031
import sys

from webrepl_link.blocks import Blocks

try:
    STEPS  # noqa: B018
except NameError:
    STEPS, SEED = 200, 1

SIZE = 64


class Dice:
    """A linear congruential generator in small integers, alike everywhere."""

    def __init__(self, seed):
        self.state = seed

    def below(self, end):
        """Return one of 0 to end - 1; end is at most 256."""
        self.state = (self.state * 1103 + 12345) % 1000003
        return (self.state >> 6) % end

    def text(self, size):
        """Return that many bytes."""
        return bytes([self.below(256) for _ in range(size)])


def hexed(data):
    return "".join(["%02x" % byte for byte in data])


def shifted(before, data, bits):
    """Return data as one reads it who is so many bits late, 0 to 7."""
    return bytes([(a << 8 | b) >> bits & 0xFF for a, b in zip(before[-1:] + data[:-1], data)])  # noqa: B905


def run(steps, seed):
    dice = Dice(seed)
    sides = [Blocks(SIZE), Blocks(SIZE)]
    late = [0, 0]
    before = [bytes(SIZE), bytes(SIZE)]
    for step in range(steps):
        if step == steps * 2 // 3:
            sides[1] = Blocks(SIZE)
        sent = []
        for side in (0, 1):
            blocks = sides[side]
            choice = dice.below(8)
            if choice < 3:
                blocks.send(dice.text(1 + dice.below(100)))
            blocks.has_room = choice > 0
            data = blocks.block_to_send()
            print("%d sends %s" % (side, hexed(data)))
            sent.append(data)
        for side in (0, 1):
            blocks = sides[side]
            data = sent[1 - side]
            read = shifted(before[side], data, late[side])
            before[side] = data
            fault = dice.below(16)
            at = dice.below(SIZE)
            if fault == 0:
                read = read[:at] + bytes([read[at] ^ (1 << dice.below(8))]) + read[at + 1 :]
            elif fault == 1:
                read = b"\xff" * SIZE
            elif fault == 2:
                late[side] = dice.below(8)
            payload = blocks.receive_block(read)
            print("%d finds %s, pauses %d" % (side, hexed(payload), blocks.pause_ms))
    for side in (0, 1):
        blocks = sides[side]
        print("%d counts %d %d %d" % (side, blocks.damaged_blocks, blocks.missed_blocks, blocks.repeated_blocks))


run(STEPS, SEED)
print("end " + sys.implementation.name)
