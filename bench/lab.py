"""Many boards in one bridge: loss and latency while all of them print, memory, and what it costs when none does.

The boards are ptys that answer like a REPL, in one process; the clients are in another. Each line that a board prints
has its number and the time in it. What these two processes need is told beside what the bridge needs: where it comes to
all cores together, the latency is theirs as much as the bridge's.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pty
import resource
import tempfile
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import quantiles

from clients.official import HANDSHAKE

from .boards_and_bridges import PASSWORD, bridge_on, cpu_s

BOARDS = 200
CLIENTS = 2
TICK_S = 0.02
"""How often a board prints: a USB-serial chip hands over what it has every 16 ms or less."""

LINES_A_TICK = 5
LINE_BYTES = 46
"""5 lines of 46 bytes in 20 ms: 11.5 kB/s, all that 115200 baud can carry."""

PRINT_S = 5
IDLE_S = 5
BANNER = b'\r\nMicroPython v1.25.0 on 2025-04-15; bench\r\nType "help()" for more information.\r\n>>> '


def main(rounds: int) -> None:
    """Print the figures."""
    del rounds  # one is long enough
    print(f"{BOARDS} boards with {CLIENTS} clients each, every board printing at 11.5 kB/s")
    with _boards(BOARDS) as (devices, boards), tempfile.TemporaryDirectory() as folder:
        few_kb = _memory_with(devices[:1], Path(folder))
        with bridge_on(None, "--config", _configuration(devices, Path(folder))) as bridge:
            clients, ours = multiprocessing.Pipe()
            process = multiprocessing.Process(target=_run_clients, args=(bridge.port, ours), daemon=True)
            process.start()
            assert clients.recv() == "ready"
            before_s = bridge.cpu_s()
            time.sleep(IDLE_S)
            idle = (bridge.cpu_s() - before_s) / IDLE_S
            before_s, own_before_s = bridge.cpu_s(), _own_cpu_s()
            boards.send(PRINT_S)
            lines = boards.recv()
            busy, own = (bridge.cpu_s() - before_s) / PRINT_S, (_own_cpu_s() - own_before_s) / PRINT_S
            many_kb = memory_kb(bridge.pid)
            clients.send("count")
            seen: _Seen = clients.recv()
            process.terminate()
    percentiles = quantiles(seen.latencies_ms, n=100)
    print(f"  lines printed             {lines:10,}   at {BOARDS * LINES_A_TICK / TICK_S:,.0f} a second")
    print(
        f"  lost or out of order      {lines * CLIENTS - seen.lines + seen.out_of_order:10,}   of {lines * CLIENTS:,}"
    )
    print(f"  board to client, median   {percentiles[49]:10.1f} ms")
    print(f"  99th percentile           {percentiles[98]:10.1f} ms")
    print(f"  processor, printing       {100 * busy:10.1f} % of one core")
    print(f"  boards and clients        {100 * own:10.1f} %, of {os.cpu_count()} cores")
    print(f"  processor, idle           {100 * idle:10.2f} %")
    print(f"  memory for each board     {(many_kb - few_kb) / (BOARDS - 1):10.0f} kB, with its clients")


def _configuration(devices: list[str], folder: Path) -> str:
    path = folder / f"lab{len(devices)}.toml"
    path.write_text("".join(f'[boards.b{number}]\nurl = "{device}"\n' for number, device in enumerate(devices)))
    return str(path)


def _memory_with(devices: list[str], folder: Path) -> int:
    with bridge_on(None, "--config", _configuration(devices, folder)) as bridge:
        time.sleep(2)
        return memory_kb(bridge.pid)


def _own_cpu_s() -> float:
    """Processor time of the boards and the clients."""
    return sum(cpu_s(child.pid) for child in multiprocessing.active_children() if child.pid)


def memory_kb(pid: int) -> int:
    """Memory that a process has in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() // 1024


# The boards.


@contextmanager
def _boards(count: int) -> Iterator[tuple[list[str], Connection]]:
    """Run boards in a process; send it how long they shall print, and it sends back how many lines they have."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_run_boards, args=(count, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        process.terminate()


def _run_boards(count: int, bench: Connection) -> None:
    asyncio.run(_answer(count, bench))


async def _answer(count: int, bench: Connection) -> None:
    loop = asyncio.get_running_loop()
    boards, devices = [], []
    for _ in range(count):
        board, device = pty.openpty()
        tty.setraw(device)
        os.set_blocking(board, False)
        boards.append(board)
        devices.append(os.ttyname(device))
        loop.add_reader(board, lambda board=board: os.write(board, BANNER) if b"\x02" in os.read(board, 4096) else None)
    bench.send(devices)
    while True:
        print_s = await asyncio.to_thread(bench.recv)
        bench.send(await _print(boards, print_s))


async def _print(boards: list[int], print_s: float) -> int:
    clock = asyncio.get_running_loop().time
    started_s = clock()
    number = 0
    for tick in range(int(print_s / TICK_S)):
        for index, board in enumerate(boards):
            if index % 20 == 0:  # boards do not print in step
                await asyncio.sleep(max(0, started_s + (tick + index / len(boards)) * TICK_S - clock()))
            now_ns = time.monotonic_ns()
            lines = [b"%08d %020d %s\r\n" % (number + i, now_ns, b"." * 14) for i in range(LINES_A_TICK)]
            os.write(board, b"".join(lines))
        number += LINES_A_TICK
    return number * len(boards)


# The clients.


@dataclass
class _Seen:
    lines: int = 0
    out_of_order: int = 0
    latencies_ms: list[float] = field(default_factory=list)


class _Client(asyncio.Protocol):
    """Logs in, and notes when what comes; checks it only afterwards, as the processor is the bridge's meanwhile."""

    def __init__(self, path: str) -> None:
        self._path = path.encode()
        self._unread = b""
        self._text = b""
        self._phase = "handshake"
        self._came: list[tuple[int, bytes]] = []
        self.ready = asyncio.get_running_loop().create_future()

    @property
    def pieces(self) -> int:
        """How many have come."""
        return len(self._came)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(HANDSHAKE.replace(b"/", self._path, 1))

    def data_received(self, data: bytes) -> None:
        if self.ready.done():
            self._came.append((time.monotonic_ns(), data))
        else:
            self._log_in(data)

    def _log_in(self, data: bytes) -> None:
        self._unread += data
        if self._phase == "handshake":
            _, end, self._unread = self._unread.partition(b"\r\n\r\n")
            if not end:
                return
            self._phase = "password"
        self._take_frames()
        if self._phase == "password" and b"Password: " in self._text:
            self._transport.write(b"\x81%c%s\r" % (len(PASSWORD) + 1, PASSWORD.encode()))
            self._phase, self._text = "terminal", b""
        elif self._phase == "terminal" and b"connected" in self._text:
            self.ready.set_result(None)

    def _take_frames(self) -> None:
        at = 0
        while len(self._unread) >= at + 4:
            size = self._unread[at + 1]
            head = 2
            if size == 126:
                size, head = int.from_bytes(self._unread[at + 2 : at + 4], "big"), 4
            if len(self._unread) < at + head + size:
                break
            self._text += self._unread[at + head : at + head + size]
            at += head + size
        self._unread = self._unread[at:]

    def check(self, seen: _Seen) -> None:
        """Look at the lines that have come."""
        expected = 0
        for came_ns, data in self._came:
            self._unread += data
            self._take_frames()
            *lines, self._text = self._text.split(b"\n")
            for line in lines:
                if line.endswith(b"....\r"):
                    number, printed_ns = map(int, line[-LINE_BYTES + 1 :].split()[:2])
                    seen.out_of_order += number != expected
                    expected = number + 1
                    seen.lines += 1
                    seen.latencies_ms.append((came_ns - printed_ns) / 1e6)


def _run_clients(port: int, bench: Connection) -> None:
    asyncio.run(_look(port, bench))


async def _look(port: int, bench: Connection) -> None:
    loop = asyncio.get_running_loop()
    clients = []
    for number in range(BOARDS * CLIENTS):
        _, client = await loop.create_connection(
            lambda number=number: _Client(f"/b{number % BOARDS}"), "127.0.0.1", port
        )
        await client.ready
        clients.append(client)
    bench.send("ready")
    await asyncio.to_thread(bench.recv)
    before = -1
    while before != (now := sum(client.pieces for client in clients)):
        before = now
        await asyncio.sleep(0.5)
    seen = _Seen()
    for client in clients:
        client.check(seen)
    bench.send(seen)
