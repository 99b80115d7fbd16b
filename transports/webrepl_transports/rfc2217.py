"""Serial ports of other machines: `rfc2217://HOST:PORT`, as ser2net, esp-link and pySerial's server offer them.

pySerial's own client is not used: it puts every byte that arrives into a queue without a limit, breaks off when the
server takes nothing for five seconds, and tells no reason when the connection ends.

The server's machine has opened the port, and so it has set DTR and RTS by its own habits; `keep` and `never` leave
them so. Where DTR hangs directly on the board's reset, as with esp-link, asserting it would stop the board.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from webrepl_link.errors import AddressError, BrokenError, OpenError, TransportError
from webrepl_transports._asyncio import AsyncioStream
from webrepl_transports._rfc2217 import Command, Control, ModemState, Rfc2217Client
from webrepl_transports.address import ResetOnOpen, split_host_port
from webrepl_transports.control import ControlLines, Signals, hard_reset
from webrepl_transports.tcp import connect

if TYPE_CHECKING:
    from webrepl_transports.address import OpenOptions

AGREEMENT_TIMEOUT_S = 3.0

ANSWER_TIMEOUT_S = 1.0
TRIES = 3
"""A server that reaches its port through another one passes over what comes before that connection stands."""

LINES_TIMEOUT_S = 0.5
"""For requests that some servers carry out and never answer, or, as ser2net where a port has no such lines, ignore."""

MAX_REPLIES_BYTES = 65536
"""More of our answers waiting for a server that takes none, and it is given up."""

FORMAT = (
    (Command.SET_DATASIZE, b"\x08"),
    (Command.SET_PARITY, b"\x01"),
    (Command.SET_STOPSIZE, b"\x01"),
    (Command.SET_CONTROL, bytes((Control.NO_FLOW_CONTROL,))),
)
"""8N1; RFC 2217, section 2."""


async def open_rfc2217(url: str, options: OpenOptions) -> Rfc2217Stream:
    """Connect to `rfc2217://HOST:PORT?baud=115200&reset_on_open=keep`, and set the port there to 8N1.

    Raises:
        AddressError: malformed URL, or no RFC 2217 there.
        OpenError: nothing listens, or answers, or the baud rate is refused.
    """
    host, port, query = split_host_port(url)
    options = options.with_query(query, "baud", "reset_on_open")
    stream = await connect(Rfc2217Stream(f"rfc2217://{host}:{port}", options.baud), host, port)
    try:
        await _set_up(stream, options)
    except BaseException as error:
        said = stream.said() if isinstance(error, BrokenError) else ""
        await stream.aclose()
        if isinstance(error, OpenError) or not isinstance(error, TransportError):
            raise
        raise OpenError(f"{stream.url}: the server says: {said}" if said else str(error)) from error
    return stream


async def _set_up(stream: Rfc2217Stream, options: OpenOptions) -> None:
    agreed = await stream.agrees()
    if not agreed:
        error = AddressError if agreed is False else OpenError
        raise error(f"{stream.url} has no RFC 2217: switch it on there, or use tcp:// for the bare bytes")
    await stream.control.set_baud(options.baud)
    if options.reset_on_open is ResetOnOpen.HARD:
        await hard_reset(stream.control)
    elif options.reset_on_open is ResetOnOpen.RELEASE:
        await stream.control.set_lines(dtr=False, rts=False)


class Rfc2217Stream(AsyncioStream):
    """A connection to a serial port's server."""

    control: RemoteLines

    def __init__(self, url: str, baud: int) -> None:
        super().__init__(f"{url} at {baud} baud", reliable=False, line_rate_baud=baud)
        self.url = url
        self.control = RemoteLines(self)
        self._protocol = Rfc2217Client()
        self._news = asyncio.Event()  # set: what `agrees` or `ask` waits for may have come
        self._answers: list[bytes] = []
        self._asked: Command | None = None
        self._ask_turn = asyncio.Lock()

    async def agrees(self) -> bool | None:
        """Wait until the server has said whether it does RFC 2217; None if it says nothing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AGREEMENT_TIMEOUT_S):
                while self._protocol.agreed is None:
                    await self._next_news()
        return self._protocol.agreed

    def tell(self, command: Command, value: bytes) -> None:
        """Send a command whose answer does not matter."""
        self._protocol.send_command(command, value)
        self._reply()

    async def ask(self, command: Command, *values: bytes, timeout_s: float) -> bytes | None:
        """Send a command with each of `values`, and give the last one's answer; None if the server gives none.

        Raises:
            BrokenError: the stream has ended.
        """
        async with self._ask_turn:
            self.raise_if_ended()
            self._asked = command
            self._answers.clear()
            for value in values:
                self._protocol.send_command(command, value)
            self._reply()
            try:
                async with asyncio.timeout(timeout_s):
                    while len(self._answers) < len(values):
                        await self._next_news()
            except TimeoutError:
                return None
            finally:
                self._asked = None
            return self._answers[-1]

    def said(self) -> str:
        """What has come as data, in one line: a server that cannot open its port says so, and closes."""
        return " ".join(self._incoming[:200].decode("ascii", "replace").split())

    @property
    def modem_state(self) -> int:
        """The `ModemState` bits that the server told last."""
        return self._protocol.modem_state

    async def _next_news(self) -> None:
        self._news.clear()
        self.raise_if_ended()
        await self._news.wait()

    # AsyncioStream

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin by saying what we want."""
        super().connection_made(transport)
        self._reply()

    def data_received(self, data: bytes) -> None:
        """Tell the board's bytes from the server's commands, and answer these."""
        was_suspended = self._protocol.suspended
        self._feed(self._protocol.receive_data(data))
        self._reply()
        while answer := self._protocol.next_answer():
            if answer[0] == self._asked:
                self._answers.append(answer[1])
        self._news.set()
        if was_suspended and not self._protocol.suspended and not self._writing_paused and self._ended is None:
            self._handed_over()

    def resume_writing(self) -> None:
        """The operating system has all; but the server may still want no more."""
        if self._protocol.suspended:
            self._writing_paused = False
        else:
            super().resume_writing()

    def _hand_over(self, chunk: bytes) -> bool:
        self._protocol.send_data(chunk)
        return super()._hand_over(self._protocol.data_to_send()) and not self._protocol.suspended

    def _close_wire(self) -> None:
        self._news.set()
        super()._close_wire()

    def _reply(self) -> None:
        if self._transport is None or not (data := self._protocol.data_to_send()):
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > MAX_REPLIES_BYTES:
            self._finish(BrokenError(f"{self.url}: the server asks, and does not take the answers"))


class RemoteLines(ControlLines):
    """DTR, RTS, break and baud rate of the server's port. A server may leave requests for lines unanswered."""

    def __init__(self, stream: Rfc2217Stream) -> None:
        self._stream = stream

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """See `ControlLines.set_lines`; two requests, in the order that does not reset a board on the way."""
        requests = []
        if dtr is not None:
            requests.append(Control.DTR_ON if dtr else Control.DTR_OFF)
        if rts is not None:
            requests.append(Control.RTS_ON if rts else Control.RTS_OFF)
        await self._control(*(requests if dtr or rts else reversed(requests)))

    async def set_break(self, on: bool) -> None:
        """See `ControlLines.set_break`."""
        await self._control(Control.BREAK_ON if on else Control.BREAK_OFF)

    async def _control(self, *requests: Control) -> None:
        values = [bytes([request]) for request in requests]
        await self._stream.ask(Command.SET_CONTROL, *values, timeout_s=LINES_TIMEOUT_S)

    async def set_baud(self, baud: int) -> None:
        """See `ControlLines.set_baud`. The rest of the line's format goes before it, and so do the answers to that."""
        for _ in range(TRIES):
            for command, value in FORMAT:
                self._stream.tell(command, value)
            answer = await self._stream.ask(Command.SET_BAUDRATE, _value(baud), timeout_s=ANSWER_TIMEOUT_S)
            if answer is not None:
                break
        else:
            raise TransportError(f"{self._stream.url} does not answer when asked for {baud} baud")
        if answer != _value(baud):
            raise TransportError(
                f"{self._stream.url} cannot do {baud} baud, it stays at {int.from_bytes(answer, 'big')}: "
                "use the board's rate, mostly 115200"
            )
        self._stream.line_rate_baud = baud

    async def signals(self) -> Signals:
        """See `ControlLines.signals`; what the server told last."""
        state = self._stream.modem_state
        return Signals(
            cts=bool(state & ModemState.CTS),
            dsr=bool(state & ModemState.DSR),
            ri=bool(state & ModemState.RI),
            cd=bool(state & ModemState.CD),
        )


def _value(baud: int) -> bytes:
    return baud.to_bytes(4)
