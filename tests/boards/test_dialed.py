"""When the shim calls a bridge and when it gives a call up: by MicroPython, with time and WebSocket in hand."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from board_kinds import in_loop
from board_kit.micropython import micropython

PREAMBLE = """\
import sys
import stand_ins
from webrepl_shim import dialed

now = 0
dialed.ticks_ms = lambda: now

class WebSocket:
    made = []
    fails = False

    reason = ""

    def __init__(self, url, headers, ca, size_max):
        if WebSocket.fails:
            raise OSError("no network")
        self.asked = url, headers, ca
        self.is_open = self.is_closed = False
        self.messages = []
        self.unsent_bytes = 0
        self.sent = []
        self.breaks = False
        WebSocket.made.append(self)

    def step(self):
        if self.breaks:
            raise OSError("broken")

    def send(self, data):
        self.step()
        self.sent.append(data)

    def abort(self):
        self.is_closed = True

dialed.WebSocket = WebSocket

def run(ms):
    # Look every 20 ms, as the shim does; return at what times it called.
    global now
    calls = []
    for _ in range(ms // 20):
        before = len(WebSocket.made)
        stream.any()
        if len(WebSocket.made) > before:
            calls.append(now)
        now += 20
    return calls
"""


async def printed(folder: Path, code: str) -> list[str]:
    async with micropython(folder, f"{PREAMBLE}{code}\nprint('end')\n") as script:
        lines = []
        while (line := await script.line()) != "end":
            lines.append(line)
        return lines


@in_loop
async def test_calls_at_once_and_then_more_and_more_seldom(tmp_path: Path) -> None:
    code = """
stream = dialed.Dialed("ws://bridge/dial-in/me", "token")
WebSocket.fails = True
times = []
class Failing(WebSocket):
    def __init__(self, *asked):
        times.append(now)
        raise OSError("no network")
dialed.WebSocket = Failing
run(600000)
print(times)
"""
    (line,) = await printed(tmp_path, code)
    times = [int(number) for number in line.strip("[]").split(",")]
    assert times[0] == 0
    gaps = [after - before for before, after in pairwise(times)]
    longest = [min(1000 * 2**number, 60_000) for number in range(len(gaps))]
    assert all(most / 2 - 20 <= gap <= most + 40 for gap, most in zip(gaps, longest, strict=True))
    assert len(gaps) > 12


@in_loop
async def test_says_who_it_is(tmp_path: Path) -> None:
    code = """
stream = dialed.Dialed("wss://bridge/dial-in/me", "to ken", b"certificate")
stream.any()
print(WebSocket.made[0].asked)
for url, ca in (("wss://bridge/dial-in/me", None), ("http://bridge", False)):
    try:
        dialed.Dialed(url, "token", ca)
    except ValueError:
        print("no")
"""
    asked, *refused = await printed(tmp_path, code)
    assert asked == "('wss://bridge/dial-in/me', ('Authorization: Bearer to ken',), b'certificate')"
    assert refused == ["no", "no"]


@in_loop
async def test_gives_up_a_call_that_is_not_answered_or_falls_silent(tmp_path: Path) -> None:
    code = """
stream = dialed.Dialed("ws://bridge/dial-in/me", "token")
print(stream.status, dialed.status())
run(14900)
print(len(WebSocket.made), WebSocket.made[0].is_closed)
run(200)
print(WebSocket.made[0].is_closed, stream.status)
run(1100)
print(len(WebSocket.made))
websocket = WebSocket.made[1]
websocket.is_open = True
for _ in range(10):
    websocket.messages += [b"sign of ", "text", b"life"]
    print(stream.any(), stream.read(100), stream.status)
    run(19000)
    print(websocket.is_closed)
run(1100)
print(websocket.is_closed)
print(run(1100))  # after 1 s at most: it was a good call
"""
    lines = await printed(tmp_path, code)
    assert lines[:4] == ["calling stopped", "1 False", "True no answer", "2"]
    assert lines[4:24] == ["12 b'sign of life' connected", "False"] * 10
    assert lines[24] == "True"
    assert len(lines[25].split(",")) == 1
    assert lines[25] != "[]"


@in_loop
async def test_what_is_written(tmp_path: Path) -> None:
    code = """
stream = dialed.Dialed("ws://bridge/dial-in/me", "token")
print(stream.write(b"lost"))
stream.any()
websocket = WebSocket.made[0]
print(stream.write(b"lost"), websocket.sent)
websocket.is_open = True
print(stream.write(b"sent"), websocket.sent)
websocket.unsent_bytes = 5000
print(stream.write(b"later"), websocket.sent)
websocket.unsent_bytes = 0
websocket.breaks = True
print(stream.write(b"lost"), websocket.sent)
stream.any()
print(websocket.is_closed, stream.write(b"lost"), stream.status)
stream.close()
stream.close()
"""
    assert await printed(tmp_path, code) == [
        "4",
        "4 []",
        "4 [b'sent']",
        "None [b'sent']",
        "4 [b'sent']",
        "True 4 broken",
    ]
