"""DTR, RTS, break and speed of this computer's ports while they are open; test_lines.py has the opening."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator

import pytest
from serial.urlhandler.protocol_loop import Serial as LoopPort

from stream_kit import in_loop
from webrepl_transports import BrokenError, OpenError, Signals, TransportError, open_stream

termios = pytest.importorskip("termios", reason="pseudo terminals")
_posix = pytest.importorskip("webrepl_transports._posix")


@pytest.fixture
def pty_ends() -> Iterator[tuple[str, int]]:
    """A terminal's name, and a descriptor of it to look at its settings."""
    master, slave = os.openpty()
    yield os.ttyname(slave), slave
    os.close(slave)
    os.close(master)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool | None, bool | None]]:
    """What is asked of the lines of an operating system's port, which claims to have some."""
    made: list[tuple[bool | None, bool | None]] = []
    monkeypatch.setattr(_posix, "has_lines", lambda fd: True)
    monkeypatch.setattr(_posix, "set_lines", lambda fd, dtr, rts: made.append((dtr, rts)))
    return made


@in_loop
async def test_a_port_without_lines_has_none(pty_ends: tuple[str, int]) -> None:
    stream = await open_stream(pty_ends[0])
    assert stream.control is None
    await stream.aclose()


@in_loop
async def test_lines_are_set_by_one_request(
    requests: list[tuple[bool | None, bool | None]], pty_ends: tuple[str, int]
) -> None:
    stream = await open_stream(pty_ends[0])
    assert stream.control is not None
    await stream.control.set_lines(dtr=False, rts=True)
    await stream.control.set_lines(rts=False)
    assert requests == [(False, True), (None, False)]
    await stream.aclose()


@in_loop
async def test_the_speed_changes_and_bytes_still_come(
    requests: list[tuple[bool | None, bool | None]], pty_ends: tuple[str, int]
) -> None:
    device, terminal = pty_ends
    stream = await open_stream(device, baud=9600)
    receiving = asyncio.create_task(stream.receive())
    assert stream.control is not None
    await stream.control.set_baud(57600)
    assert stream.line_rate_baud == 57600
    attributes = termios.tcgetattr(terminal)
    assert attributes[5] == termios.B57600
    assert attributes[6][termios.VMIN] == 1  # by which an empty read is told from the end
    assert not receiving.done()
    await stream.aclose()
    with pytest.raises(BrokenError, match="closed on this side"):
        await receiving


@in_loop
async def test_a_speed_that_is_refused_leaves_the_old_one(
    monkeypatch: pytest.MonkeyPatch, requests: list[tuple[bool | None, bool | None]], pty_ends: tuple[str, int]
) -> None:
    def refuse(port: object, baud: int) -> None:
        raise ValueError(f"Failed to set custom baud rate ({baud}): [Errno 22] Invalid argument")

    monkeypatch.setattr("serial.Serial._set_special_baudrate", refuse)
    device, terminal = pty_ends
    stream = await open_stream(device, baud=9600)
    assert stream.control is not None
    with pytest.raises(TransportError, match=f"{device} refuses 123457 baud: Failed to set"):
        await stream.control.set_baud(123457)
    assert stream.line_rate_baud == 9600
    assert termios.tcgetattr(terminal)[5] == termios.B9600
    await stream.aclose()


@in_loop
async def test_what_the_port_cannot_do_is_told_and_the_stream_goes_on(
    requests: list[tuple[bool | None, bool | None]], pty_ends: tuple[str, int]
) -> None:
    stream = await open_stream(pty_ends[0])
    assert stream.control is not None
    with pytest.raises(TransportError, match="refuses its signals"):
        await stream.control.signals()
    await stream.send(b"x")
    await stream.aclose()
    with pytest.raises(BrokenError, match="closed on this side"):
        await stream.control.signals()


@in_loop
async def test_ports_that_pyserial_has_by_url_have_them_too() -> None:
    """loop:// has its RTS wired to its CTS, and its DTR to its DSR."""
    stream = await open_stream("loop://")
    assert stream.control is not None
    await stream.control.set_lines(dtr=False, rts=True)
    assert await stream.control.signals() == Signals(cts=True, dsr=False, ri=False, cd=True)
    await stream.control.set_lines(dtr=True, rts=False)
    assert await stream.control.signals() == Signals(cts=False, dsr=True, ri=False, cd=True)
    await stream.control.set_break(True)
    await stream.control.set_break(False)
    await stream.aclose()


@in_loop
async def test_a_hard_reset_pulls_rts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    changes: list[str] = []
    for hook, line in (("_update_dtr_state", "dtr"), ("_update_rts_state", "rts")):
        monkeypatch.setattr(LoopPort, hook, lambda port, line=line: changes.append(f"{line}={getattr(port, line):d}"))
    stream = await open_stream("loop://", reset_on_open="hard")
    assert changes == ["dtr=0", "rts=1", "rts=0", "dtr=1", "rts=1"]
    await stream.aclose()


@in_loop
async def test_lines_that_were_not_to_be_touched_at_the_opening_can_be_set_later() -> None:
    stream = await open_stream("loop://", reset_on_open="never")
    assert stream.control is not None
    await stream.control.set_lines(rts=False)
    assert not (await stream.control.signals()).cts
    await stream.aclose()


@in_loop
async def test_a_port_that_vanishes_in_its_reset_is_told(
    monkeypatch: pytest.MonkeyPatch, requests: list[tuple[bool | None, bool | None]], pty_ends: tuple[str, int]
) -> None:
    def vanish(fd: int, dtr: bool | None, rts: bool | None) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(_posix, "set_lines", vanish)
    with pytest.raises(OpenError, match="vanished as it was reset: open it again when it is back"):
        await open_stream(pty_ends[0], reset_on_open="hard")
