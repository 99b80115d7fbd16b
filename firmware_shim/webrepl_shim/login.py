"""The password on the wire, asked for as the firmware's WebREPL does; loaded only when there is one."""

from struct import pack

from webrepl_link.link import BINARY, BINARY_PART, TEXT, UP

from .service import Service as Base

_EACCES = 13


class Service(Base):
    """Serves the terminal and the files when the password has been typed, in each session.

    Args:
        stream, timer, baud: as for webrepl_shim.service.Service.
        password: what to type.
    """

    def __init__(self, stream, timer, baud, password):
        self._password = password.encode()
        self._typed = b""
        self.active = False
        super().__init__(stream, timer, baud, None)

    def accept(self, kind, value):
        """Take an event of the link."""
        link = self.link
        if kind == UP:
            self.active = False
            self._typed = b""
            link.send_text(b"Password: ")
        if kind == UP or self.active:
            super().accept(kind, value)
        elif kind == TEXT:
            link.consumed(TEXT, len(value))
            for byte in value:
                self._type(byte)
        elif kind in (BINARY, BINARY_PART):
            link.consumed(BINARY, len(value))
            if kind == BINARY:
                link.send_binary(pack("<2sH", b"WB", _EACCES))

    def _type(self, byte):
        if byte not in b"\r\n":
            self._typed = self._typed[:63] + bytes((byte,))
            return
        if self._typed == self._password:
            self.active = True
            self.link.send_text(b"\r\nWebREPL connected\r\n>>> ")
        elif self._typed:
            self.link.send_text(b"\r\nAccess denied\r\nPassword: ")
        self._typed = b""
