"""The password on the wire, asked for as the firmware's WebREPL does; loaded only when there is one."""

from struct import pack

from webrepl_link.link import BINARY, BINARY_PART, TEXT, UP

_EACCES = 13


class Login:
    """Stands before the terminal and the files until the password has been typed, in each session.

    Args:
        password: what to type.
    """

    def __init__(self, password):
        self._password = password.encode()
        self._typed = b""
        self.is_in = False

    def take(self, link, kind, value):
        """Look at an event; return whether it is for the others."""
        if kind == UP:
            self.is_in = False
            self._typed = b""
            link.send_text(b"Password: ")
            return True
        if self.is_in:
            return True
        if kind == TEXT:
            link.consumed(TEXT, len(value))
            for byte in value:
                self._type(link, byte)
        elif kind in (BINARY, BINARY_PART):
            link.consumed(BINARY, len(value))
            if kind == BINARY:
                link.send_binary(pack("<2sH", b"WB", _EACCES))
        return False

    def _type(self, link, byte):
        if byte not in b"\r\n":
            self._typed = self._typed[:63] + bytes((byte,))
        elif self._typed == self._password:
            self.is_in = True
            link.send_text(b"\r\nWebREPL connected\r\n>>> ")
        elif self._typed:
            link.send_text(b"\r\nAccess denied\r\nPassword: ")
        self._typed = b"" if byte in b"\r\n" else self._typed
