"""The server's side of RFC 2217, a serial port over telnet, pure: bytes in, events and bytes out.

Every request of the RFC is answered, with what is so on a board's line: 8 data bits, no parity, one stop bit, no flow
control. The baud rate is answered as it was asked, because pySerial opens no port otherwise; whether it reaches the
board is for whoever takes the events. The answers wait in `data_to_send` until the events have been acted on, so that
a client that waits for one knows that it has happened.

Suspending and resuming the output is left to TCP, which does it anyway.

Source: RFC 2217; pySerial's rfc2217.py for what its clients need beyond it.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

from webrepl_transports.telnet import BINARY, COM_PORT, ECHO, SUPPRESS_GO_AHEAD, DataReceived, Telnet

SIGNATURE = b"webrepl-bridge"
TO_CLIENT = 100
"""What is added to a request's number in its answer."""

MODEM_STATE = 0xB0
"""CTS, DSR and carrier are on: nothing keeps a client from sending."""


@dataclass(frozen=True)
class BaudRequested:
    """The client wants the line at another speed than before."""

    baud: int


@dataclass(frozen=True)
class LinesRequested:
    """The client has changed DTR, RTS or both: both as they should be now, True for asserted."""

    dtr: bool
    rts: bool


@dataclass(frozen=True)
class PurgeRequested:
    """The client wants what waits to be forgotten: on its way to it, from it, or both."""

    to_client: bool
    to_board: bool


Event = DataReceived | BaudRequested | LinesRequested | PurgeRequested


class Rfc2217Server:
    """One connection.

    Args:
        baud: the speed of the line, as long as the client asks for no other.

    Attributes:
        baud: the speed that the client believes in.
        dtr: DTR as the client believes it to be: True, as on every port that has just been opened, until it is changed.
        rts: the same of RTS.
    """

    def __init__(self, baud: int) -> None:
        self.baud = baud
        self.dtr = self.rts = True
        self._break = False
        self._told_modem_state = False
        # It is offered and not asked for, as pySerial's server does: pySerial's client, asked while it is about to say
        # so by itself, does not say so at all.
        self._telnet = Telnet(
            ours=(BINARY, ECHO, SUPPRESS_GO_AHEAD, COM_PORT),
            theirs=(BINARY, SUPPRESS_GO_AHEAD),
            if_they_like=(COM_PORT,),
        )
        self._events: deque[Event] = deque()

    def receive_data(self, data: bytes) -> None:
        """Take bytes of the client, cut anywhere; whatever they are, nothing is raised."""
        for piece in _COMMANDS.split(data):  # answers in the order of the commands, telnet's own among them
            self._telnet.receive_data(piece)
            while (event := self._telnet.next_event()) is not None:
                if isinstance(event, DataReceived):
                    self._events.append(event)
                elif event.option == COM_PORT and event.value:
                    self._request(event.value[0], event.value[1:])
            if self._telnet.does(COM_PORT) and not self._told_modem_state:
                self._told_modem_state = True
                self._answer(_NOTIFY_MODEMSTATE, bytes((MODEM_STATE,)))

    def next_event(self) -> Event | None:
        """Return the oldest event, once; None if there is none."""
        return self._events.popleft() if self._events else None

    def send_data(self, data: bytes) -> None:
        """Queue the board's bytes for the client."""
        self._telnet.send_data(data)

    def data_to_send(self) -> bytes:
        """Return what goes to the client, once."""
        return self._telnet.data_to_send()

    def _answer(self, request: int, value: bytes) -> None:
        self._telnet.send_subnegotiation(COM_PORT, bytes((request + TO_CLIENT,)) + value)

    def _request(self, request: int, value: bytes) -> None:
        match request, value:
            case 0, b"":
                self._answer(request, SIGNATURE)
            case 1, bytes() if len(value) == 4:
                asked = int.from_bytes(value, "big")
                if asked not in (0, self.baud):  # 0 asks what it is
                    self.baud = asked
                    self._events.append(BaudRequested(asked))
                self._answer(request, self.baud.to_bytes(4, "big"))
            case ((2 | 3 | 4), _) if len(value) == 1:
                self._answer(request, b"\x08" if request == 2 else b"\x01")
            case 5, _ if len(value) == 1:
                self._control(value[0])
            case 6, _:
                self._answer(request, b"\0")
            case 7, _:
                self._answer(request, bytes((MODEM_STATE,)))
            case ((10 | 11), _) if len(value) == 1:
                self._answer(request, value)
            case 12, (b"\1" | b"\2" | b"\3"):
                self._events.append(PurgeRequested(bool(value[0] & 1), bool(value[0] & 2)))
                self._answer(request, value)
            case _:
                pass

    def _control(self, what: int) -> None:
        match what:
            case 4 | 5 | 6:
                self._break = what == 5 or (what == 4 and self._break)
                state = 5 if self._break else 6
            case 7 | 8 | 9:
                self._set_lines(self.dtr if what == 7 else what == 8, self.rts)
                state = 8 if self.dtr else 9
            case 10 | 11 | 12:
                self._set_lines(self.dtr, self.rts if what == 10 else what == 11)
                state = 11 if self.rts else 12
            case 13 | 14 | 15 | 16 | 18:
                state = 14  # no flow control towards the client
            case _:
                state = 1  # no flow control
        self._answer(_SET_CONTROL, bytes((state,)))

    def _set_lines(self, dtr: bool, rts: bool) -> None:
        if (dtr, rts) != (self.dtr, self.rts):
            self.dtr, self.rts = dtr, rts
            self._events.append(LinesRequested(dtr, rts))


_COMMANDS = re.compile(rb"(?=\xff)")
_SET_CONTROL = 5
_NOTIFY_MODEMSTATE = 7
