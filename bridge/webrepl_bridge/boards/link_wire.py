"""Where a stream, a clock, the link and the terminal meet."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from webrepl_link.errors import TransportError
from webrepl_link.host import HostLink
from webrepl_link.link import OTHER_VERSION, TEXT, UP, VERSION

from ..protocol.link_watch import TextWatch
from ..protocol.repl_tracker import Mode
from ..protocol.terminal import Terminal
from .wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from webrepl_transports import ByteStream

RECEIVE_BYTES = 65536
TEXT_ROOM_BYTES = 4096
BINARY_ROOM_BYTES = 16384
TEXT_AHEAD_BYTES = 64
"""How much text is handed to the link before its turn: a Ctrl-C comes behind it."""

KEEPALIVE_MS = 2000
"""After so long a silence the board is asked for a sign of life."""

SILENCE_MS = 5000
"""Without one for so long, the people at the terminal are told."""

AGE_MS_MAX = 1 << 29
"""The link counts milliseconds in 30 bits: before that many have passed the session should be renewed."""

GONE = "there is no shim on the board any more: its REPL prints where the link's frames should come"


class ShimGoneError(TransportError):
    """A plain REPL has taken the place of the board's shim.

    Args:
        at_prompt: whether it has been seen at a prompt.
    """

    def __init__(self, *, at_prompt: bool) -> None:
        super().__init__(GONE)
        self.at_prompt = at_prompt


class LinkWire(Wire):
    """Runs the link on a stream, and the terminal on the link.

    Args:
        stream: the wire, open; closed by its owner.
        random_bits: gives so many random bits.
        on_output: called with what the clients should see of the board's output.
        on_notice: called with what they should know.
        may_end: whether `run` ends when there is no shim any more.

    Attributes:
        terminal: the core that types without loss. After changing it, call `kick`.
        sessions: how many there have been; a transfer does not outlive its session.
        told: binary messages that have come in this session, for whoever asked for them.
        is_silent: whether the board has not been heard for SILENCE_MS.
    """

    def __init__(
        self,
        stream: ByteStream,
        random_bits: Callable[[int], int],
        on_output: Callable[[bytes], None],
        on_notice: Callable[[str], None],
        *,
        may_end: bool,
    ) -> None:
        super().__init__()
        self.terminal = Terminal()
        self.sessions = 0
        self.told: list[bytes] = []
        self.is_silent = False
        self._text_watch = TextWatch()
        self._may_end = may_end
        self._stream = stream
        self._random_bits = random_bits
        self._on_output = on_output
        self._on_notice = on_notice
        self._clock = asyncio.get_running_loop().time
        self._renewing = False  # this side gave up the last session
        self._other_version = 0
        self._epoch = 0.0
        self._new_link()

    def _new_link(self) -> None:
        self._epoch = self._clock()
        self._link = HostLink(
            self._random_bits(15),
            (self._stream.line_rate_baud or 0) // 10,
            message_bytes_max=0,
            text_room_bytes=TEXT_ROOM_BYTES,
            binary_room_bytes=BINARY_ROOM_BYTES,
            keepalive_ms=KEEPALIVE_MS,
        )
        self._text_watch.start(0)

    def counters(self) -> dict[str, int]:
        """Return what the link has mended, by the event."""
        link = self._link
        return {
            "bad_frames": link.bad_frames,
            "skipped_bytes": link.skipped_bytes,
            "resent_frames": link.resent_frames,
            "sessions": self.sessions,
        }

    def _now_ms(self) -> int:
        return int((self._clock() - self._epoch) * 1000)

    # The pump.

    async def _receive(self) -> None:
        while True:
            data = await self._stream.receive(RECEIVE_BYTES)
            now_ms = self._now_ms()
            self._link.receive_data(data, now_ms)
            self._text_watch.receive_data(data, self._link.heard_ms, now_ms)
            while (event := self._link.next_event()) is not None:
                self._take(*event)
            self._show()
            self.kick()

    async def _send(self) -> None:
        while True:
            self._work.clear()
            now_ms = self._now_ms()
            self._type(now_ms)
            while data := self._link.data_to_send(now_ms):
                await self._stream.send(data)
                now_ms = self._now_ms()
            self._show()
            self._note_silence(now_ms)
            self._changed.set()
            try:
                async with asyncio.timeout_at(self._epoch + self._next_deadline_ms() / 1000 + 0.001):
                    await self._work.wait()
            except TimeoutError:
                self.terminal.handle_timeout(self._now_ms())
                self._text_watch.handle_timeout(self._now_ms())
            self._judge_text()

    def _type(self, now_ms: int) -> None:
        while self._link.is_up and self._link.urgent.waiting_bytes < TEXT_AHEAD_BYTES:
            if not (data := self.terminal.data_to_send(now_ms)):
                break
            self._link.send_text(data)

    def _next_deadline_ms(self) -> int:
        deadlines = [self._link.next_deadline_ms()]
        if self._link.is_up and not self.is_silent:
            deadlines.append(self._link.heard_ms + SILENCE_MS)
        for core in (self.terminal, self._text_watch):
            if (deadline := core.next_deadline_ms()) is not None:
                deadlines.append(deadline)
        return min(deadlines)

    def _note_silence(self, now_ms: int) -> None:
        is_silent = self._link.is_up and now_ms >= self._link.heard_ms + SILENCE_MS
        if is_silent != self.is_silent:
            self.is_silent = is_silent
            self._on_notice("the board is silent: still trying" if is_silent else "the board is back")

    def _judge_text(self) -> None:
        if self._text_watch.gone:
            if self._may_end:
                raise ShimGoneError(at_prompt=self._text_watch.at_prompt)
            self._on_notice(GONE)
            self._text_watch.start(self._now_ms())

    def _show(self) -> None:
        if shown := self.terminal.data_to_show():
            self._on_output(shown)

    # Events.

    def _take(self, kind: int, value: int | bytes) -> None:
        if kind == UP:
            self._begin(bool(value))
        elif kind == OTHER_VERSION:
            version = cast("int", value)
            if version != self._other_version:
                self._other_version = version
                self._on_notice(
                    f"the board's shim speaks version {version:#x} of the link, and this bridge version {VERSION:#x}: "
                    "`webrepl-bridge shim install` makes them agree"
                )
        else:
            data = cast("bytes", value)
            self._link.consumed(kind, len(data))
            if kind == TEXT:
                self.terminal.receive_data(data, self._now_ms())
            else:
                self.told.append(data)

    def _begin(self, is_loss: bool) -> None:
        self.sessions += 1
        self.told.clear()
        self.terminal.carrier.reset()
        self.terminal.tracker.resume(Mode.UNKNOWN)
        if self.sessions == 1 or self._renewing:
            self.terminal.type(b"\x02")  # an idle board answers with its banner and its prompt
        else:
            self._on_notice("the board has started anew" + (": what was on its way to it is lost" if is_loss else ""))
        self._renewing = False

    # What the board's owner calls.

    @property
    def is_up(self) -> bool:
        """Whether there is a session."""
        return self._link.is_up

    @property
    def running_ms(self) -> int:
        """How long it is since the last line was entered."""
        return self._now_ms() - self.terminal.entered_ms

    @property
    def waiting_bytes(self) -> int:
        """How much of the binary messages is not on its way yet."""
        return self._link.bulk.waiting_bytes

    def tell(self, data: bytes) -> None:
        """Send a binary message in this session."""
        self._link.send_binary(data)
        self.kick()

    def tell_control(self, data: bytes) -> None:
        """Send a control message in this session, ahead of everything else."""
        self._link.send_control(data)
        self.kick()

    def renew(self) -> None:
        """Give up this session and begin another: what is under way in it is over for both sides."""
        self._renewing = True
        self._new_link()
        self.kick()
