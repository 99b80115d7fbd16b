"""DTR and RTS: which requests are made, in which order, and what a close does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from serial.tools.list_ports_common import ListPortInfo

from stream_kit import in_loop
from webrepl_transports import OpenError, ResetOnOpen, _lines, open_stream

termios = pytest.importorskip("termios", reason="pseudo terminals")
_posix = pytest.importorskip("webrepl_transports._posix")


@pytest.fixture
def pty_ends() -> Iterator[tuple[str, int]]:
    """A terminal's name, and a descriptor of it to look at its flags, with HUPCL set as serial ports have it."""
    import pty

    master, slave = pty.openpty()
    flags = termios.tcgetattr(slave)
    flags[2] |= termios.HUPCL
    termios.tcsetattr(slave, termios.TCSANOW, flags)
    yield os.ttyname(slave), slave
    os.close(slave)
    os.close(master)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is asked of the lines of an operating system's port; and the waits, without waiting."""
    made: list[object] = []
    monkeypatch.setattr(_posix, "has_lines", lambda fd: True)
    monkeypatch.setattr(_posix, "set_lines", lambda fd, dtr, rts: made.append((dtr, rts)))

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr("webrepl_transports.control.asyncio", SimpleNamespace(sleep=sleep))
    for hook, line in (("_update_dtr_state", "dtr"), ("_update_rts_state", "rts")):
        monkeypatch.setattr(f"serial.Serial.{hook}", lambda port, line=line: made.append(line))
    return made


def hangs_up_on_close(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[2] & termios.HUPCL)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        # pySerial asserts each line, which the operating system has asserted already.
        (ResetOnOpen.KEEP, ["dtr", "rts"]),
        (ResetOnOpen.NEVER, []),
        (ResetOnOpen.RELEASE, [(False, False)]),
        (ResetOnOpen.HARD, [(False, True), 0.2, (None, False), 0.1, (True, True)]),
    ],
)
@in_loop
async def test_requests(
    mode: ResetOnOpen, expected: list[object], requests: list[object], pty_ends: tuple[str, int]
) -> None:
    stream = await open_stream(pty_ends[0], reset_on_open=mode)
    await stream.aclose()
    assert requests == expected


@pytest.mark.parametrize("mode", [ResetOnOpen.KEEP, ResetOnOpen.HARD])
@in_loop
async def test_a_chips_lines_stay_as_they_are_after_the_close(
    mode: ResetOnOpen, requests: list[object], pty_ends: tuple[str, int]
) -> None:
    assert hangs_up_on_close(pty_ends[1])
    stream = await open_stream(pty_ends[0], reset_on_open=mode)
    assert not hangs_up_on_close(pty_ends[1])
    await stream.aclose()


@in_loop
async def test_a_boards_own_usb_is_told_that_nobody_listens_any_more(
    monkeypatch: pytest.MonkeyPatch, pty_ends: tuple[str, int]
) -> None:
    device, terminal = pty_ends
    pico = ListPortInfo(device)
    pico.vid, pico.pid = 0x2E8A, 0x0005
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [pico])
    stream = await open_stream(device)
    assert hangs_up_on_close(terminal)
    assert stream.line_rate_baud is None
    assert stream.description == device
    await stream.aclose()


@in_loop
async def test_never_leaves_the_close_to_the_system_too(pty_ends: tuple[str, int]) -> None:
    stream = await open_stream(pty_ends[0], reset_on_open="never")
    assert hangs_up_on_close(pty_ends[1])
    await stream.aclose()


@in_loop
async def test_a_port_without_lines_cannot_reset_and_says_so(pty_ends: tuple[str, int]) -> None:
    with pytest.raises(OpenError, match=r"has no DTR and RTS lines.*leave out reset_on_open=hard"):
        await open_stream(f"uart://{pty_ends[0]}?reset_on_open=hard")
    stream = await open_stream(pty_ends[0], reset_on_open="release")
    await stream.aclose()


class WindowsPort:
    """A port as pySerial's Windows backend has it: the lines' states before `open` are those it opens with."""

    def __init__(self) -> None:
        self.lines = {"dtr": True, "rts": True}
        self.changes: list[str] = []

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("dtr", "rts"):
            self.changes.append(f"{name}={value:d}")
        super().__setattr__(name, value)


@pytest.mark.parametrize(
    ("mode", "opening", "opened", "closing"),
    [
        (ResetOnOpen.KEEP, {"dtr=0", "rts=0"}, ["dtr=1", "rts=1"], ["rts=0", "dtr=0"]),
        (ResetOnOpen.NEVER, {"dtr=0", "rts=0"}, [], []),
        (ResetOnOpen.RELEASE, {"dtr=0", "rts=0"}, ["rts=0", "dtr=0"], ["rts=0", "dtr=0"]),
        (ResetOnOpen.HARD, {"dtr=0", "rts=0"}, [], ["rts=0", "dtr=0"]),  # and hard_reset between the two
    ],
)
def test_the_order_on_windows_never_asserts_rts_alone_but_to_reset(
    monkeypatch: pytest.MonkeyPatch, mode: ResetOnOpen, opening: set[str], opened: list[str], closing: list[str]
) -> None:
    port = WindowsPort()
    with monkeypatch.context() as patch:
        patch.setattr(_lines, "WINDOWS", True)
        _lines.before_open(port, mode)  # type: ignore[arg-type]
        assert set(port.changes) == opening
        port.changes.clear()
        _lines.after_open(port, mode, own_usb=False)  # type: ignore[arg-type]
        assert port.changes == opened
        port.changes.clear()
        _lines.before_close(port, mode)  # type: ignore[arg-type]
        assert port.changes == closing
