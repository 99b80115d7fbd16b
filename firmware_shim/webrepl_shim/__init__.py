"""WebREPL on any stream, beside the program that runs: terminal and files over a UART, a USB interface, a socket.

Board only. In boot.py:

    import webrepl_shim
    webrepl_shim.start_uart(1, 115200)

service  the link's pump and the dupterm stream
guard    a block device that tells when it is in use: files wait until the program has done with its own
files    put, get and version: WebREPL's binary records; loaded at the first of them
tree     lists, stat, trees, space: the records beyond the standard; loaded at the first of them
spi      SPI as a stream; loaded when asked for
ports    streams of a second USB interface or a socket; loaded when asked for
login    the password on the wire; loaded when there is one
plain    the firmware's own WebREPL on a stream, instead of the link; loaded when asked for
dialed   calling a bridge over a WebSocket: websocket_client and websocket_frames, which are of use without the rest
"""

_service = None


def start(stream, framing="link", password=None, baud=0, timer=-1):
    """Serve the REPL and the files over a stream; the program goes on. Ends what was started before.

    Args:
        stream: something that never waits: a machine.UART with timeout=0, a non-blocking socket, ports.usb().
        framing: "link", for real wires; "plain": the firmware's own WebREPL, where it has the module _webrepl.
        password: to be typed before the terminal and the files are served; True: PASS of webrepl_cfg.py;
            None: the wire is enough.
        baud: the wire's speed, so that little waits in the stream's buffers; 0: not known.
        timer: the id of a machine.Timer to use; -1: a virtual one.

    Raises:
        ImportError: framing "plain" and the firmware does not have what it takes; or no webrepl_cfg.
    """
    global _service
    stop()
    if password is True:
        from webrepl_cfg import PASS as password
    if framing == "plain":
        from .plain import Service
    elif password:
        from .login import Service
    else:
        from .service import Service
    _service = Service(stream, timer, baud, password)


def start_uart(uart, baud=115200, framing="link", password=None, timer=-1, **pins):
    """Start on a UART, at 8N1.

    Args:
        uart: its number, as for machine.UART.
        baud: its speed.
        framing: as for start.
        password: as for start.
        timer: as for start.
        pins: tx=, rx= and what else machine.UART takes.
    """
    from machine import UART

    start(UART(uart, baud, timeout=0, rxbuf=448, txbuf=360, **pins), framing, password, baud, timer)


def start_spi(*args, **kwargs):
    """Start on SPI, the board as the controller; webrepl_shim.spi.start_spi says with what."""
    from .spi import start_spi

    start_spi(*args, **kwargs)


def stop():
    """Stop serving; the REPL stays where it was before."""
    global _service
    if _service:
        _service.stop()
        _service = None
