"""The shim's pump, with a clock that stands still. `shim_pump.py NAME` runs one of the functions, under MicroPython."""

import sys

import stand_ins

stand_ins.hold_clock()

import os  # noqa: E402
import struct  # noqa: E402

import webrepl_shim  # noqa: E402
import webrepl_shim.service  # noqa: E402
from webrepl_link.link import BINARY, TEXT, Link  # noqa: E402
from webrepl_shim import guard  # noqa: E402


class DeafUart(stand_ins.Uart):
    """A UART of firmware that has no interrupt for received bytes."""

    def irq(self, handler, trigger):
        raise TypeError


class Rig:
    """The shim, and a peer at the other end of its wire.

    Attributes:
        text: what the peer has received.
        binary: of binary messages.
    """

    def __init__(self, uart=None, baud=0):
        self.uart = uart or stand_ins.Uart()
        self.text = self.binary = b""
        webrepl_shim.start(self.uart, baud=baud)
        self.service = webrepl_shim._service
        self.peer = Link(5, 0, 4096, 4096)
        stand_ins.Clock.sleep = self.run
        self.run(100)
        assert self.peer.is_up

    def run(self, duration_ms):
        """Let time pass."""
        end_ms = stand_ins.Clock.now_ms + duration_ms
        while stand_ins.Clock.now_ms < end_ms:
            stand_ins.Clock.now_ms += 1
            now_ms = stand_ins.Clock.now_ms
            stand_ins.run_due()
            data = self.peer.data_to_send(now_ms)
            if data:
                self.uart.arrive(data)
            written, self.uart.written = self.uart.written, b""
            if written:
                self.peer.receive_data(written, now_ms)
            event = self.peer.next_event()
            if event and event[0] == TEXT:
                self.peer.consumed(TEXT, len(event[1]))
                self.text += event[1]
            elif event and event[0] == BINARY:
                self.binary += event[1]


def output_after_a_lost_callback():
    rig = Rig()
    stand_ins.Timer.lost = 1
    rig.service.write(b"one ")
    rig.run(50)
    assert rig.text == b""
    assert not stand_ins.Timer.lost
    rig.service.write(b"two")
    rig.run(50)
    assert rig.text == b"one two", rig.text


def input_after_a_lost_callback_without_an_interrupt():
    rig = Rig(DeafUart())
    for _ in range(3):
        stand_ins.Timer.lost = 1
        rig.run(30)
        assert not stand_ins.Timer.lost
        rig.peer.send_text(b"x")
        rig.run(50)
        assert stand_ins.typed() == b"x"


def a_failing_stream():
    rig = Rig()
    for number in range(20):
        failures = [OSError(5), MemoryError(), ValueError("closed"), OSError(28)]
        rig.uart.failures = failures[: number % 5]
        rig.service.write(b"<%d>" % number)
        rig.run(3000)
        assert b"<%d>" % number in rig.text, rig.text
        assert stand_ins.Terminal.stream is rig.service
        rig.peer.send_text(b"x")
        rig.run(100)
        assert stand_ins.typed() == b"x"


class CountingUart(stand_ins.Uart):
    """A UART that counts what is written."""

    count = 0

    def write(self, data):
        self.count += len(data)
        return super().write(data)


def no_more_is_written_than_the_wire_takes():
    for baud in (9600, 115200, 921600):
        rig = Rig(CountingUart(), baud)
        start_ms, start = stand_ins.Clock.now_ms, rig.uart.count
        while stand_ins.Clock.now_ms < start_ms + 5000:
            rig.service.write(bytes(250))
        written = rig.uart.count - start
        taken = baud * (stand_ins.Clock.now_ms - start_ms) // 10_000
        assert written - 300 - baud // 1250 <= taken, (baud, written, taken)  # a frame and 8 ms may wait
        assert written > taken * 0.9 or baud == 921600, (baud, written, taken)


class SlowUart(stand_ins.Uart):
    """A UART whose wire takes ten bytes in a millisecond."""

    free_ms = 0

    def write(self, data):
        now_ms = stand_ins.Clock.now_ms
        if now_ms < self.free_ms:
            return None
        self.free_ms = now_ms + len(data) // 10
        return super().write(data)


def an_interrupt_of_a_program_that_prints():
    rig = Rig(SlowUart())
    for number in range(500):
        if number == 100:
            rig.peer.send_text(b"\x03")
        rig.service.write(b"number %d\r\n" % number)
        if stand_ins.Terminal.typed:
            break
    assert stand_ins.Terminal.typed == b"\x03"
    assert number < 150, number
    # It is raised at the next jump: that must not be one of the shim's.
    assert rig.service.write == rig.service.append
    rig.run(50)
    assert rig.service.write == rig.service.print
    assert rig.text.startswith(b"number 0\r\nnumber 1\r\nnumber 2\r\n"), rig.text


def no_file_in_the_middle_of_the_programs_own():
    rig = Rig(baud=115200)
    guard.busy = True
    rig.peer.send_binary(struct.pack("<2sBBQIH64s", b"WA", 2, 0, 0, 0, 7, b"missing"))
    rig.peer.send_text(b"x")
    rig.service.write(b"output")
    rig.run(200)
    assert rig.text == b"output", rig.text
    assert rig.service.files is None
    assert stand_ins.typed() == b""
    guard.busy = False
    rig.run(200)
    assert rig.binary == struct.pack("<2sH", b"WB", 2), rig.binary
    assert stand_ins.typed() == b"x"


class Device:
    """A block device; what is scheduled runs in the middle of it."""

    def __init__(self, calls):
        self._calls = calls

    def readblocks(self, *arguments):
        self._calls.append(("read", guard.busy, arguments))

    def writeblocks(self, *arguments):
        self._calls.append(("write", guard.busy, arguments))
        raise OSError(5)

    def ioctl(self, *arguments):
        self._calls.append(("ioctl", guard.busy, arguments))
        return 7


def guarded_devices():
    calls = []
    device = guard.Guard(Device(calls))
    assert device.readblocks(1, b"") is None
    device.readblocks(1, b"", 0)
    assert device.ioctl(4, 0) == 7
    for arguments in ((2, b""), (2, b"", 3)):
        try:
            device.writeblocks(*arguments)
        except OSError:
            assert not guard.busy
    assert calls == [
        ("read", True, (1, b"")),
        ("read", True, (1, b"", 0)),
        ("ioctl", True, (4, 0)),
        ("write", True, (2, b"")),
        ("write", True, (2, b"", 3)),
    ], calls


def numbers():
    """Return the session numbers of some starts."""
    offers = set()
    for _ in range(8):
        webrepl_shim.start(stand_ins.Uart())
        offers.add(webrepl_shim._service.link._offer)
        stand_ins.Clock.now_ms += 7
    return offers


def sessions_without_randomness():
    del os.urandom
    assert len(numbers()) == 8


def sessions_without_a_clock():
    webrepl_shim.service.ticks_us = lambda: 0
    assert len(numbers()) > 4


def garbage():
    rig = Rig()
    rig.uart.arrive(b"\xa5" * 3000 + bytes(range(256)) * 10 + b"\r\nMicroPython v1.25.0\r\n>>> ")
    rig.run(100)
    link = rig.service.link
    assert len(link._data) <= 265
    assert link.bad_frames
    assert link.skipped_bytes > 5000
    rig.service.write(b"still there")
    rig.run(100)
    assert rig.text == b"still there"
    assert rig.service.link is link


globals()[sys.argv[1]]()
