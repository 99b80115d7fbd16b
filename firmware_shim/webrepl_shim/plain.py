"""The firmware's own WebREPL on a bare stream: RFC 6455 frames, no handshake, no mask; no flow control, no checksum."""

import os

try:
    import _webrepl
    import websocket
except ImportError:
    raise ImportError("plain framing needs firmware with websocket and _webrepl; use framing='link'")


class Service:
    """The firmware's WebREPL as dupterm; it asks for the password at once.

    Args:
        stream: where the frames go.
        timer: not used.
        baud: not used.
        password: to be typed first; None: an empty one.
    """

    def __init__(self, stream, timer, baud, password):
        self._stream = stream
        _webrepl.password(password or "")
        os.dupterm(_webrepl._webrepl(websocket.websocket(stream, False)))
        try:
            # So that Ctrl-C and files get through while a program runs.
            stream.irq(os.dupterm_notify, stream.IRQ_RXIDLE)
        except (AttributeError, ValueError, TypeError):
            pass

    def stop(self):
        """Give the REPL back."""
        try:
            self._stream.irq(None, 0)
        except (AttributeError, ValueError, TypeError):
            pass
        os.dupterm(None)
