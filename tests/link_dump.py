"""Two links and a bad line between them, the same on every Python: prints every byte sent and every event, in hex.

Run it under CPython or MicroPython with `webrepl_link` on the path; STEPS and SEED may be set before.
"""

# ruff: noqa: UP031
import sys

from webrepl_link.link import Link

try:
    STEPS  # noqa: B018
except NameError:
    STEPS, SEED = 400, 1


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


def run(steps, seed):
    dice = Dice(seed)
    links = [Link(100 + seed, 0, 512, 2048), Link(200 + seed, 1)]
    wires = [[], []]  # to each of them
    now_ms = 0
    for step in range(steps):
        now_ms += dice.below(30)
        if step == steps * 2 // 3:  # the board restarts
            links[1] = Link(300 + seed, 1)
        for side in (0, 1):
            link = links[side]
            choice = dice.below(16)
            if choice < 3:
                link.send_text(dice.text(1 + dice.below(20)))
            elif choice < 6 and link.bulk.waiting_bytes < 1000:
                link.send_binary(dice.text(1 + dice.below(256)) * (1 + dice.below(4)))
            for data in wires[side]:
                link.receive_data(data, now_ms)
            wires[side] = []
            while True:
                event = link.next_event()
                if event is None:
                    break
                kind, value = event
                if isinstance(value, bytes):
                    link.consumed(kind, len(value))
                    value = hexed(value)
                print("%d event %d %s" % (side, kind, value))
            while True:
                data = link.data_to_send(now_ms)
                if not data:
                    break
                print("%d sends %s" % (side, hexed(data)))
                fault = dice.below(20)
                at = dice.below(len(data) if len(data) < 256 else 256)
                if fault == 0:
                    data = data[:at] + bytes([data[at] ^ (1 << dice.below(8))]) + data[at + 1 :]
                elif fault == 1:
                    data = data[:at]
                elif fault == 2:
                    data = data + data
                elif fault == 3:
                    data = dice.text(at) + data
                wires[1 - side].append(data)
    for side in (0, 1):
        link = links[side]
        print("%d counts %d %d %d" % (side, link.bad_frames, link.skipped_bytes, link.resent_frames))


run(STEPS, SEED)
print("end " + sys.implementation.name)
