"""The project's one tree of errors.

WebReplError
├── TransportError           the wire
│   ├── OpenError            it could not be opened; the message says what to do
│   │   └── AddressError      nor ever will be: what was written names nothing
│   ├── EndOfStreamError     the other side closed it in good order
│   └── BrokenError          it ended otherwise: unplugged, vanished, closed under us
├── LocalProtocolError       our side broke the protocol: a bug here
├── RemoteProtocolError      the other side broke the protocol
└── BoardError               the board refused or failed, with an errno
"""


class WebReplError(Exception):
    """Root of every error that this project raises on purpose."""


class TransportError(WebReplError):
    """The wire failed."""


class OpenError(TransportError):
    """A transport could not be opened; the message is one line that says what to do."""


class AddressError(OpenError):
    """What was written names nothing that can be opened, now or later; the message says what to do."""


class EndOfStreamError(TransportError):
    """The other side closed the stream in good order."""


class BrokenError(TransportError):
    """The stream ended without a goodbye: unplugged, reset, or closed while in use."""


class LocalProtocolError(WebReplError):
    """Our own side broke the protocol."""


class RemoteProtocolError(WebReplError):
    """The other side broke the protocol."""


class BoardError(WebReplError):
    """An operation on the board failed.

    Args:
        code: a POSIX errno as MicroPython numbers them (2 ENOENT, 28 ENOSPC, 30 EROFS ...), 1 to 65535;
            it becomes the code of the WebREPL reply.
        message: one line for the log.
    """

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code
