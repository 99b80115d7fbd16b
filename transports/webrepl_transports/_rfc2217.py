"""The client's side of RFC 2217, a serial port over telnet, pure: bytes in; the board's bytes, answers and bytes out.

Source: RFC 2217; pySerial's rfc2217.py and esp-link's serbridge.c for what servers do with it.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum

from webrepl_transports.telnet import BINARY, COM_PORT, SUPPRESS_GO_AHEAD, DataReceived, Telnet

FROM_SERVER = 100
"""What is added to a command's number in its answer."""


class Command(IntEnum):
    """Commands of the COM port option, as the client numbers them; RFC 2217, section 2."""

    SET_BAUDRATE = 1
    SET_DATASIZE = 2
    SET_PARITY = 3
    SET_STOPSIZE = 4
    SET_CONTROL = 5
    NOTIFY_MODEMSTATE = 7
    SUSPEND = 8
    RESUME = 9


class Control(IntEnum):
    """Values of SET_CONTROL; RFC 2217, section 3."""

    NO_FLOW_CONTROL = 1
    BREAK_ON = 5
    BREAK_OFF = 6
    DTR_ON = 8
    DTR_OFF = 9
    RTS_ON = 11
    RTS_OFF = 12


class ModemState(IntEnum):
    """Bits of NOTIFY_MODEMSTATE; RFC 2217, section 2."""

    CTS = 16
    DSR = 32
    RI = 64
    CD = 128


class Rfc2217Client:
    """One connection.

    Attributes:
        modem_state: the last `ModemState` bits that the server has told.
        suspended: whether the server wants no data for now.
    """

    def __init__(self) -> None:
        self.modem_state = 0
        self.suspended = False
        self._telnet = Telnet(
            ours=(BINARY, SUPPRESS_GO_AHEAD, COM_PORT),
            theirs=(BINARY, SUPPRESS_GO_AHEAD),
            if_they_like=(COM_PORT,),
        )
        self._answers: deque[tuple[int, bytes]] = deque()

    @property
    def agreed(self) -> bool | None:
        """Whether the server takes commands; None while it has not said."""
        return self._telnet.may(COM_PORT)

    def receive_data(self, data: bytes) -> bytes:
        """Take bytes of the server, cut anywhere, and give the board's among them; nothing is raised."""
        self._telnet.receive_data(data)
        plain = []
        while (event := self._telnet.next_event()) is not None:
            if isinstance(event, DataReceived):
                plain.append(event.data)
            elif event.option == COM_PORT and event.value:
                self._take_answer(event.value[0] - FROM_SERVER, event.value[1:])
        return b"".join(plain)

    def next_answer(self) -> tuple[int, bytes] | None:
        """Return the oldest answer, once, as the command and the value that holds now; None if there is none."""
        return self._answers.popleft() if self._answers else None

    def send_command(self, command: Command, value: bytes) -> None:
        """Queue a command; the server answers with the value that holds afterwards."""
        self._telnet.send_subnegotiation(COM_PORT, bytes((command,)) + value)

    def send_data(self, data: bytes) -> None:
        """Queue bytes for the board."""
        self._telnet.send_data(data)

    def data_to_send(self) -> bytes:
        """Return what goes to the server, once."""
        return self._telnet.data_to_send()

    def _take_answer(self, command: int, value: bytes) -> None:
        if command == Command.NOTIFY_MODEMSTATE and value:
            self.modem_state = value[0]
        elif command in (Command.SUSPEND, Command.RESUME):
            self.suspended = command == Command.SUSPEND
        self._answers.append((command, value))
