"""A stream over a pySerial port that no event loop can watch: one thread reads it, one writes it.

For Windows, and for `loop://`, `spy://` and the like everywhere. Both threads sit in
blocking calls. The reader hands over one piece at a time and goes on when the loop has taken it and has
room; whatever waits meanwhile waits in the operating system.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from webrepl_transports._buffered import INPUT_LIMIT_BYTES, BufferedStream, run_apart

if TYPE_CHECKING:
    from collections.abc import Callable

    import serial

    from webrepl_link.errors import BrokenError

log = logging.getLogger(__name__)

UNCANCELLABLE_READ_S = 0.25
"""How long a read may block on a port that has no `cancel_read`; its stream takes up to so long to close."""

_NUDGE_S = 0.02
_GIVE_UP_S = 15.0


class ThreadedStream(BufferedStream):
    """A serial port with a reader and a writer thread.

    Args:
        port: open, with `timeout` None, or `UNCANCELLABLE_READ_S` if it has no `cancel_read`.
        description: how to name it to a person.
        reliable: whether it keeps bytes from getting lost.
        line_rate_baud: bits per second on the line, None for no such limit.
        ended: makes the error from what pySerial raised.
        close_port: closes the port; runs in a thread when the others have ended.
    """

    def __init__(
        self,
        port: serial.Serial,
        description: str,
        *,
        reliable: bool,
        line_rate_baud: int | None,
        ended: Callable[[Exception], BrokenError],
        close_port: Callable[[], None],
    ) -> None:
        super().__init__(description, reliable=reliable, line_rate_baud=line_rate_baud)
        self._loop = asyncio.get_running_loop()
        self._port = port
        self._make_error = ended
        self._close_port = close_port
        self._stopping = threading.Event()
        self._go_on_reading = threading.Event()
        self._chunks: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._stopped: asyncio.Future[None] | None = None
        self._reader = threading.Thread(target=self._read, name=f"read {description}", daemon=True)
        self._writer = threading.Thread(target=self._write, name=f"write {description}", daemon=True)
        self._reader.start()
        self._writer.start()

    # BufferedStream, on the loop

    def _hand_over(self, chunk: bytes) -> bool:
        self._chunks.put(chunk)
        return False

    def _pause_input(self) -> None:
        """Nothing to do: `_arrived` lets the reader go on only while there is room."""

    def _resume_input(self) -> None:
        self._go_on_reading.set()

    def _close_wire(self) -> None:
        self._stopping.set()
        self._go_on_reading.set()
        self._chunks.put(None)
        self._stopped = run_apart(self._loop, self._stop)

    async def _wait_closed(self) -> None:
        assert self._stopped is not None
        await asyncio.shield(self._stopped)

    def _arrived(self, data: bytes) -> None:
        self._feed(data)
        if self._ended is not None or not self._input_paused:
            self._go_on_reading.set()

    def _written(self) -> None:
        if self._ended is None:
            self._handed_over()

    # The threads

    def _read(self) -> None:
        try:
            while not self._stopping.is_set():
                data = self._port.read(1)
                if not data or self._stopping.is_set():
                    continue
                if waiting := self._port.in_waiting:
                    data += self._port.read(min(waiting, INPUT_LIMIT_BYTES))
                self._go_on_reading.clear()
                self._tell_loop(self._arrived, data)
                self._go_on_reading.wait()
        except Exception as error:  # whatever a pySerial backend raises when its port is gone
            self._failed(error)

    def _write(self) -> None:
        try:
            while (chunk := self._chunks.get()) is not None and not self._stopping.is_set():
                self._port.write(chunk)
                self._tell_loop(self._written)
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if not self._stopping.is_set():
            self._tell_loop(self._finish, self._make_error(error))

    def _tell_loop(self, call: Callable[..., None], *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the loop was closed under an open stream: nobody is left to tell
            self._stopping.set()
            self._go_on_reading.set()

    def _stop(self) -> None:
        """Free both threads from their blocking calls, wait for them, close the port. Runs in a thread.

        A cancellation only reaches a call that is already blocking, so it is repeated until the thread has
        ended. `loop://` does not let go of a full queue when its write is cancelled: discarding the output
        does.
        """
        cancellable = hasattr(self._port, "cancel_read")
        if not cancellable:
            self._close_port()
        deadline = time.monotonic() + _GIVE_UP_S
        for thread, cancel in ((self._writer, "cancel_write"), (self._reader, "cancel_read")):
            rounds = 0
            while thread.is_alive() and time.monotonic() < deadline:
                with contextlib.suppress(Exception):
                    if cancellable:
                        getattr(self._port, cancel)()
                        if thread is self._writer and rounds > 2:
                            self._port.reset_output_buffer()
                thread.join(_NUDGE_S)
                rounds += 1
            if thread.is_alive():
                log.warning("%s: a thread still hangs in the driver; it is left behind", self.description)
        if cancellable:
            self._close_port()
