"""Calling a bridge over a WebSocket: for a board that nobody can reach from outside. In boot.py, with the network up:

    import webrepl_shim.dialed
    webrepl_shim.dialed.start("ws://lab.example:8266/dial-in/kitchen", "the token")

The link's bytes go through it in binary messages, cut anywhere. While there is no connection what is written is lost,
as on a wire that is pulled out; the board calls again and again.
"""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

import webrepl_shim

from .websocket_client import WebSocket, random_bytes, split

_FIRST_MS = const(1000)
_LAST_MS = const(60000)
_OPEN_MS = const(15000)
_SILENT_MS = const(20000)  # the bridge says something every few seconds
_WAITING_BYTES = const(1024)
_MESSAGE_BYTES_MAX = const(4096)  # the bridge sends a frame of the link at a time

_dialed = None


def start(url, token, ca=None, timer=-1):
    """Call a bridge that accepts boards, again whenever the connection is lost, and serve the REPL and the files on it.

    Args:
        url: where, and what this board is to be called there: ws://HOST:PORT/dial-in/NAME, or wss://.
        token: what the bridge wants to hear (--board-token).
        ca: for wss, the certificate of the authority that the bridge's is signed by; False: take any.
        timer: as for webrepl_shim.start.

    Raises:
        ValueError: the URL is none, or ca is missing.
    """
    global _dialed
    dialed = Dialed(url, token, ca)
    stop()
    _dialed = dialed
    webrepl_shim.start(dialed, timer=timer)


def stop():
    """Hang up, and stop serving."""
    global _dialed
    webrepl_shim.stop()
    if _dialed:
        _dialed.close()
        _dialed = None


def status():
    """Return "connected", or what became of the last call."""
    return _dialed.status if _dialed else "stopped"


class Dialed:
    """What webrepl_shim.start takes.

    Args:
        url: as for start.
        token: as for start.
        ca: as for start.

    Attributes:
        status: "connected", or what became of the last call.

    Raises:
        ValueError: the URL is none, or ca is missing.
    """

    status = "calling"

    def __init__(self, url, token, ca=None):
        if split(url)[0] == "wss" and ca is None:
            raise ValueError("wss needs ca=")
        self._call = url, ("Authorization: Bearer " + token,), ca, _MESSAGE_BYTES_MAX
        self._websocket = None
        self._data = b""
        self._delay_ms = _FIRST_MS
        self._due = ticks_ms()  # when to dial; while there is a connection, when it counts as dead

    def any(self):
        """Return how many bytes read will return; dial if it is time."""
        websocket = self._websocket
        is_late = ticks_diff(ticks_ms(), self._due) >= 0
        ended = ""
        try:
            if not websocket:
                if is_late:
                    self._due = ticks_add(ticks_ms(), _OPEN_MS)
                    self._websocket = WebSocket(*self._call)
                return 0
            websocket.step()
            while websocket.messages:
                self._take(websocket.messages.pop(0))
                is_late = False
            if websocket.is_closed:
                ended = "ended: " + websocket.reason
            elif is_late:
                ended = "no answer"
        except OSError as error:
            ended = str(error) or "failed"
        if ended:
            self.status = ended
            self.close()
            self._due = ticks_add(ticks_ms(), self._delay_ms * (128 + random_bytes(1)[0] // 2) >> 8)
            self._delay_ms = min(2 * self._delay_ms, _LAST_MS)
        return len(self._data)

    def _take(self, message):
        if not isinstance(message, str):
            self._data += message
            self.status = "connected"
            self._delay_ms = _FIRST_MS
            self._due = ticks_add(ticks_ms(), _SILENT_MS)

    def read(self, _):
        """Return all that has come."""
        data = self._data
        self._data = b""
        return data

    def write(self, data):
        """Send; return how many bytes were taken, or None while too much waits."""
        websocket = self._websocket
        if websocket and websocket.is_open:
            if websocket.unsent_bytes > _WAITING_BYTES:
                return None
            try:
                websocket.send(data)
            except OSError:  # any will see
                pass
        return len(data)

    def close(self):
        """Hang up."""
        if self._websocket:
            self._websocket.abort()
            self._websocket = None
