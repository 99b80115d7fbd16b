"""SPI as a stream: blocks, exchanged by whoever clocks; docs/protocol.md, "Blocks on SPI". Loaded when asked for."""

from micropython import const

from webrepl_link.blocks import OVERHEAD_BYTES, Blocks

_ROOM_BYTES = const(512)  # of what came, or of what is to be sent
_TURNS = const(12)  # at most so many exchanges in a call
_READY_PAUSE_MS = const(1000)  # an edge of the ready line may be missed
_ARMED_MS = const(10)


class Controller:
    """The board clocks.

    Args:
        spi: a machine.SPI, mode 0.
        cs: a machine.Pin, an output.
        ready: a machine.Pin, an input that is high while the adapter has something; None: there is no such line.
        block_bytes: the size of a block, the same as at the other end.

    Attributes:
        pause_ms: when to call `any` again if nothing happens.
    """

    def __init__(self, spi, cs, ready=None, block_bytes=128):
        self._spi = spi
        self._cs = cs
        self._begin(ready, block_bytes)
        if ready:
            self.IRQ_RXIDLE = ready.IRQ_RISING
        cs(1)

    def _begin(self, call, block_bytes):
        self._blocks = Blocks(block_bytes)
        self._block = None  # to be sent
        self._came = bytearray(block_bytes)
        self._received = b""
        self._call = call
        if call:
            self.irq = call.irq
        self.pause_ms = 1

    def _is_called(self):
        return self._call and self._call()

    def _move(self):
        """Exchange a block; return whether it came to that."""
        self._cs(0)
        try:
            self._spi.write_readinto(self._block, self._came)
        finally:
            self._cs(1)
        return True

    def _turn(self):
        blocks = self._blocks
        blocks.has_room = len(self._received) < _ROOM_BYTES
        if not self._block:
            self._block = blocks.block_to_send()
        if not self._move():
            return False
        self._block = None
        self._received += blocks.receive_block(bytes(self._came))
        return True

    def _set_pause(self):
        blocks = self._blocks
        if self._received or (blocks.waiting_bytes and blocks.may_send()) or self._is_called():
            self.pause_ms = 0
        else:
            self.pause_ms = _READY_PAUSE_MS if self._call else blocks.pause_ms

    def any(self):
        """Make an exchange, and more while they bring something; return how many bytes read will return."""
        for _ in range(_TURNS):
            if len(self._received) >= _ROOM_BYTES or not self._turn():
                break
            if self._blocks.pause_ms and not self._is_called():
                break
        self._set_pause()
        return len(self._received)

    def read(self, _):
        """Return them."""
        data = self._received
        self._received = b""
        return data

    def write(self, data):
        """Take bytes to send, all or none; where nobody takes them they are dropped, as on a wire."""
        blocks = self._blocks
        if blocks.waiting_bytes <= _ROOM_BYTES:
            blocks.send(data)
        elif blocks.pause_ms < blocks.pause_max_ms:
            return 0
        # What does not fill a block waits for what comes behind it, until the next call of any.
        while blocks.waiting_bytes >= blocks.block_bytes - OVERHEAD_BYTES and blocks.may_send():
            if len(self._received) >= _ROOM_BYTES or not self._turn():
                break
        self._set_pause()
        return len(data)


class Peripheral(Controller):
    """The other side clocks, and pyb.SPI waits for it: only when the controller holds CS low, or there is something.

    Args:
        spi: a pyb.SPI, such as pyb.SPI(1).
        cs: a machine.Pin, an input that CS is wired to; the SPI's own NSS pin will do, the driver does not use it.
        ready: a machine.Pin, an output, wired to the controller's ready line.
        block_bytes: the size of a block, the same as at the other end.
    """

    def __init__(self, spi, cs, ready, block_bytes=128):
        self._spi = spi
        self._cs = cs
        self._ready = ready
        self._begin(cs, block_bytes)
        self.IRQ_RXIDLE = cs.IRQ_FALLING
        ready(0)
        self._reset()

    def _reset(self):
        self._spi.init(self._spi.PERIPHERAL, polarity=0, phase=0)

    def _is_called(self):
        return not self._cs()

    def _move(self):
        if not (self._is_called() or self._blocks.waiting_bytes or self._block[4]):
            return False
        self._ready(1)
        try:
            self._spi.send_recv(self._block, self._came, timeout=_ARMED_MS)
        except OSError:  # the controller did not clock; without this the driver says that it is busy, from then on
            self._reset()
            return False
        finally:
            self._ready(0)
        return True


def start_spi(spi, cs, ready=None, block_bytes=128, password=None, timer=-1):
    """Start on SPI, the board as the controller.

    Args:
        spi: a machine.SPI, mode 0.
        cs: a machine.Pin, an output.
        ready: a machine.Pin, an input that is high while the adapter has something; None: there is no such line.
        block_bytes: the size of a block, the same as at the other end.
        password: as for webrepl_shim.start.
        timer: as for webrepl_shim.start.
    """
    from . import start

    start(Controller(spi, cs, ready, block_bytes), "link", password, 0, timer)
