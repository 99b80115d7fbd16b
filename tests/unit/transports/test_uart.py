"""Serial ports, beyond what every stream promises."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace

import pytest
import serial
from serial.tools.list_ports_common import ListPortInfo

from stream_kit import PtyPeer, in_loop
from webrepl_transports import BrokenError, ByteStream, OpenOptions, open_stream, uart
from webrepl_transports._threaded import ThreadedStream

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals")


@pytest.fixture
def pty_ends() -> Iterator[tuple[str, int]]:
    import pty

    master, slave = pty.openpty()
    yield os.ttyname(slave), master
    os.close(slave)
    os.close(master)


async def receive_exactly(stream: ByteStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += await stream.receive()
    return data


@in_loop
async def test_auto_and_id_open_the_port_that_they_name(
    monkeypatch: pytest.MonkeyPatch, pty_ends: tuple[str, int]
) -> None:
    device, master = pty_ends
    board = ListPortInfo(device)
    board.vid, board.pid, board.serial_number = 0x10C4, 0xEA60, "0001"
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda: [board])
    for url in ("auto", "id:0001", "uart://auto?baud=9600"):
        stream = await open_stream(url)
        await stream.send(b"hello")
        assert os.read(master, 5) == b"hello"
        assert stream.description.startswith(device)
        await stream.aclose()


@in_loop
async def test_says_what_it_is(pty_ends: tuple[str, int]) -> None:
    stream = await open_stream(f"uart://{pty_ends[0]}?baud=57600")
    assert (stream.description, stream.line_rate_baud) == (f"{pty_ends[0]} at 57600 baud", 57600)
    assert not stream.reliable
    await stream.aclose()


@in_loop
async def test_unplugging_is_named(pty_ends: tuple[str, int]) -> None:
    import pty

    master, slave = pty.openpty()
    device = os.ttyname(slave)
    stream = await open_stream(device)
    os.close(slave)
    os.close(master)
    with pytest.raises(BrokenError, match=f"^{device} vanished: unplugged, or the board reset its USB$"):
        await stream.receive()
    await stream.aclose()


@in_loop
async def test_every_byte_passes_unchanged_in_both_directions(pty_ends: tuple[str, int]) -> None:
    device, master = pty_ends
    peer = PtyPeer(master)
    stream = await open_stream(device)
    every_byte = bytes(range(256))
    await stream.send(every_byte)
    assert await peer.receive() == every_byte
    await peer.send(every_byte)
    assert await receive_exactly(stream, 256) == every_byte
    await stream.aclose()


@in_loop
async def test_a_wakeup_without_bytes_is_no_disconnection(pty_ends: tuple[str, int]) -> None:
    """As when another program has read them first; pySerial takes this for a lost device."""
    failures: list[str] = []
    stream = await open_stream(pty_ends[0])
    assert isinstance(stream, uart.WatchedStream)
    descriptor = uart._Descriptor(stream._opened.port.fileno(), lambda: failures.append("vanished"))
    assert descriptor.read(1024) == b""
    assert failures == []
    await stream.aclose()


@pytest.mark.parametrize("watch", [True, False])
@in_loop
async def test_a_send_notices_the_end_even_while_nobody_receives(watch: bool) -> None:
    import pty

    master, slave = pty.openpty()
    stream = await uart.open_uart(os.ttyname(slave), OpenOptions(), watch=watch)
    os.close(slave)
    peer = PtyPeer(master)
    with suppress(TimeoutError):
        async with asyncio.timeout(0.3):  # until the stream has so much that it reads no more
            await peer.send(bytes(1_000_000))
    peer.vanish()
    with pytest.raises(BrokenError, match="vanished"):
        await stream.send(b"x")
    await stream.aclose()


@in_loop
async def test_asks_for_low_latency(monkeypatch: pytest.MonkeyPatch, pty_ends: tuple[str, int]) -> None:
    asked = []
    monkeypatch.setattr("serial.Serial.set_low_latency_mode", lambda port, on: asked.append(on))
    stream = await open_stream(pty_ends[0])
    await stream.aclose()
    assert asked == [True]


@in_loop
async def test_an_opening_that_nobody_waits_for_any_more_is_closed(
    monkeypatch: pytest.MonkeyPatch, pty_ends: tuple[str, int]
) -> None:
    reached, go_on, closed = threading.Event(), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    really_open, really_close = serial.Serial.open, serial.Serial.close

    def slow_open(port: serial.Serial) -> None:
        reached.set()
        go_on.wait(10)
        really_open(port)

    def noticed_close(port: serial.Serial) -> None:
        really_close(port)
        loop.call_soon_threadsafe(closed.set)

    monkeypatch.setattr(serial.Serial, "open", slow_open)
    monkeypatch.setattr(serial.Serial, "close", noticed_close)
    opening = asyncio.create_task(open_stream(pty_ends[0]))
    await asyncio.to_thread(reached.wait, 10)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    go_on.set()
    await closed.wait()
    stream = await open_stream(pty_ends[0])
    await stream.aclose()


def test_output_that_the_driver_cannot_get_rid_of_is_discarded_at_the_close(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    opened = object.__new__(uart.OpenPort)
    opened.is_terminal = True
    opened.line_rate_baud = 1_000_000
    opened.port = SimpleNamespace(out_waiting=3, reset_output_buffer=lambda: did.append("discard"))  # type: ignore[assignment]
    monkeypatch.setattr(uart, "_DRAIN_EXTRA_S", 0.01)
    opened._drain()
    assert did == ["discard"]


@in_loop
async def test_loop_keeps_the_order() -> None:
    data = bytes(range(256)) * 200
    stream = await open_stream("loop://")
    assert isinstance(stream, ThreadedStream)
    sending = asyncio.create_task(stream.send(data))
    assert await receive_exactly(stream, len(data)) == data
    await sending
    await stream.aclose()


@in_loop
async def test_loop_that_nobody_reads_stops_the_sender_and_still_closes() -> None:
    before = set(threading.enumerate())
    stream = await open_stream("loop://")
    sending = asyncio.create_task(stream.send(bytes(1_000_000)))
    await stream.receive(1)  # so the sender is in the middle of it
    await stream.aclose()
    with pytest.raises(BrokenError, match="loop:// was closed on this side"):
        await sending
    left = {thread.name for thread in set(threading.enumerate()) - before}
    assert not [name for name in left if "loop://" in name]


@in_loop
async def test_spy_sees_the_traffic(pty_ends: tuple[str, int], capsys: pytest.CaptureFixture[str]) -> None:
    device, master = pty_ends
    stream = await open_stream(f"spy://{device}")
    assert isinstance(stream, ThreadedStream)
    await stream.send(b"over there")
    assert os.read(master, 10) == b"over there"
    await stream.aclose()
    assert "over there" in capsys.readouterr().err


@in_loop
async def test_hwgrep_finds_and_watches_a_port(monkeypatch: pytest.MonkeyPatch, pty_ends: tuple[str, int]) -> None:
    board = ListPortInfo(pty_ends[0])
    board.description = "My Board"
    board.vid, board.pid = 0x2E8A, 0x0005
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda include_links=False: [board])
    stream = await open_stream("hwgrep://My.Board")
    assert isinstance(stream, uart.WatchedStream)
    await stream.aclose()


@in_loop
async def test_threads_go_on_when_the_stream_is_received_from_again(pty_ends: tuple[str, int]) -> None:
    device, master = pty_ends
    peer = PtyPeer(master)
    stream = await uart.open_uart(device, OpenOptions(), watch=False)
    data = bytes(500_000)
    for _ in range(3):
        sending = asyncio.create_task(peer.send(data))
        assert await receive_exactly(stream, len(data)) == data
        await sending
    await stream.aclose()
