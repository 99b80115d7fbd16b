"""Other streams than a UART; loaded when asked for."""

_BUFFER_BYTES = 512


class Port:
    """What start wants, made of a stream that does not wait: a socket, a USB interface.

    Args:
        stream: has readinto and write, which return None when there is nothing, or no room.
    """

    def __init__(self, stream):
        self._stream = stream
        self._buffer = bytearray(_BUFFER_BYTES)
        self._count = 0

    def any(self):
        """Return how many bytes read will return."""
        if not self._count:
            self._count = self._stream.readinto(self._buffer) or 0
        return self._count

    def read(self, _):
        """Return them."""
        data = bytes(self._buffer[: self._count])
        self._count = 0
        return data

    def write(self, data):
        """Write what there is room for; return how many bytes that was, or None."""
        return self._stream.write(data)


def usb():
    """Return a second serial interface on USB, for start; the board's first one stays.

    Raises:
        ImportError: the firmware has no machine.USBDevice, or the board no usb-device-cdc (`mip.install`).
    """
    import usb.device
    from usb.device.cdc import CDCInterface

    interface = CDCInterface()
    interface.init(timeout=0)
    usb.device.get().init(interface, builtin_driver=True)
    return interface
