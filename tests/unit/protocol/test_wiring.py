"""What the sequences do to the circuits that they are for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from webrepl_bridge.protocol.wiring import BOOTLOADER, RESET, Step, Wiring

Circuit = Callable[[Step], tuple[bool, bool]]
"""From the lines to what they pull low: EN (the chip is in reset), IO0 (it will start its boot loader)."""


def two_transistors(lines: Step) -> tuple[bool, bool]:
    return lines.rts and not lines.dtr, lines.dtr and not lines.rts


def straight(lines: Step) -> tuple[bool, bool]:
    return lines.rts, lines.dtr


def starts(steps: tuple[Step, ...], circuit: Circuit, before: Step) -> list[str]:
    """What the chip starts when it comes out of reset."""
    started = []
    in_reset = circuit(before)[0]
    for step in steps:
        was_in_reset, (in_reset, to_boot_loader) = in_reset, circuit(step)
        if was_in_reset and not in_reset:
            started.append("boot loader" if to_boot_loader else "program")
    return started


CIRCUITS = [
    (Wiring.ESP, two_transistors, Step(True, True, 0)),
    (Wiring.USB_JTAG, two_transistors, Step(True, True, 0)),
    (Wiring.DIRECT, straight, Step(False, False, 0)),
]


@pytest.mark.parametrize(("wiring", "circuit", "idle"), CIRCUITS)
def test_a_reset_starts_the_program_once(wiring: Wiring, circuit: Circuit, idle: Step) -> None:
    assert starts(RESET[wiring], circuit, idle) == ["program"]
    assert RESET[wiring][-1][:2] == idle[:2]


@pytest.mark.parametrize(("wiring", "circuit", "idle"), [case for case in CIRCUITS if case[0] is not Wiring.USB_JTAG])
def test_the_boot_loader_is_started_once_and_left_alone(wiring: Wiring, circuit: Circuit, idle: Step) -> None:
    assert starts(BOOTLOADER[wiring], circuit, idle) == ["boot loader"]
    assert BOOTLOADER[wiring][-1][:2] == idle[:2]


def test_a_capacitor_makes_a_reset_of_each_new_assertion() -> None:
    lines = [True, *(step.dtr for step in RESET[Wiring.DTR])]
    assert [after and not before for before, after in pairwise(lines)] == [False, True]
    assert Wiring.DTR not in BOOTLOADER


def test_where_there_are_no_lines_there_is_nothing_to_set() -> None:
    assert not {Wiring.NONE, Wiring.AUTO} & (RESET.keys() | BOOTLOADER.keys())
