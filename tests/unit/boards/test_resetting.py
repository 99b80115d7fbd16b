"""Which way a board is reset."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import cast

import pytest

from fake_board import FakeBoard
from webrepl_bridge.boards import resetting
from webrepl_bridge.boards.base import Board
from webrepl_bridge.boards.lending import LendableStream
from webrepl_bridge.boards.resetting import enter_bootloader, hard_reset
from webrepl_bridge.protocol.wiring import BOOTLOADER, RESET, Wiring
from webrepl_link.errors import BoardError

RESET_BY_CODE = "at the prompt: b'import machine; machine.reset()\\r'"


class Lines:
    """Takes note of what is set."""

    def __init__(self) -> None:
        self.set: list[tuple[bool, bool]] = []

    async def set_lines(self, *, dtr: bool, rts: bool) -> None:
        self.set.append((dtr, rts))


def resetting_by(
    monkeypatch: pytest.MonkeyPatch,
    wiring: Wiring,
    way: Callable[[Board], Awaitable[None]],
    baud: int | None,
    *,
    lines: bool = True,
) -> tuple[list[tuple[bool, bool]], list[str]]:
    """Reset a board on a wire with lines or without; return what was set, and what happened to the board."""

    async def test() -> tuple[list[tuple[bool, bool]], list[str]]:
        board, control = FakeBoard(), Lines()
        wire = SimpleNamespace(control=control if lines else None, line_rate_baud=baud)
        board.wire = cast("LendableStream", wire)
        board.wiring = wiring
        await way(board)
        return control.set, board.log

    async def no_time(delay_s: float) -> None:
        pass

    monkeypatch.setattr(resetting.asyncio, "sleep", no_time)
    return asyncio.run(test())


@pytest.mark.parametrize("wiring", [Wiring.AUTO, Wiring.ESP])
def test_a_usb_serial_chip_has_lines(wiring: Wiring, monkeypatch: pytest.MonkeyPatch) -> None:
    reset = resetting_by(monkeypatch, wiring, hard_reset, 115200)
    assert reset == ([step[:2] for step in RESET[Wiring.ESP]], [])
    boot = resetting_by(monkeypatch, wiring, enter_bootloader, 115200)
    assert boot == ([step[:2] for step in BOOTLOADER[Wiring.ESP]], [])


@pytest.mark.parametrize(("wiring", "baud"), [(Wiring.AUTO, None), (Wiring.NONE, 115200)])
def test_a_board_with_usb_of_its_own_is_told(wiring: Wiring, baud: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resetting_by(monkeypatch, wiring, hard_reset, baud) == ([], ["release", RESET_BY_CODE])


def test_so_is_one_that_has_a_wire_without_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resetting_by(monkeypatch, Wiring.ESP, hard_reset, 115200, lines=False)[1] == ["release", RESET_BY_CODE]


def test_not_every_wiring_leads_to_a_boot_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    assert resetting_by(monkeypatch, Wiring.DTR, hard_reset, 115200)[0] == [(False, False), (True, True)]
    with pytest.raises(BoardError, match="'dtr' has no way") as caught:
        resetting_by(monkeypatch, Wiring.DTR, enter_bootloader, 115200)
    assert caught.value.code == 95
