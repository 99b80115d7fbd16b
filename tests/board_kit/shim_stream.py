"""The shim on a stream that is no UART: `shim_stream.py PORT socket|usb|password`; MicroPython runs this.

A TCP port is its wire. The REPL's place takes a loop that answers what is typed in capitals.
"""

import sys
from socket import getaddrinfo, socket
from time import sleep_ms

import stand_ins

import webrepl_shim
from webrepl_shim import ports

SOL_SOCKET, SO_REUSEADDR = 1, 2


class CDCInterface:
    """A second serial interface on USB, as micropython-lib's usb-device-cdc has it, on a socket."""

    wire = None
    timeout = 1000
    is_active = False

    def init(self, timeout):
        self.timeout = timeout

    def readinto(self, buffer):
        assert self.is_active
        assert self.timeout == 0
        return self.wire.readinto(buffer)

    def write(self, data):
        assert self.is_active
        return self.wire.write(data)


class Device:
    """What usb.device.get() returns."""

    def init(self, interface, builtin_driver):
        assert builtin_driver
        interface.is_active = True


def stand_in_usb(wire):
    CDCInterface.wire = wire
    usb, device, cdc = stand_ins.Namespace(), stand_ins.Namespace(), stand_ins.Namespace()
    usb.device = device
    device.get = Device
    cdc.CDCInterface = CDCInterface
    sys.modules.update({"usb": usb, "usb.device": device, "usb.device.cdc": cdc})


def main():
    port, kind = sys.argv[1:]
    server = socket()
    server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    server.bind(getaddrinfo("127.0.0.1", int(port))[0][-1])
    server.listen(1)
    print("READY")
    wire = server.accept()[0]
    wire.setblocking(False)
    stand_in_usb(wire)
    webrepl_shim.start(ports.usb() if kind == "usb" else wire, password=kind == "password" or None)
    while True:
        sleep_ms(min(stand_ins.next_due_ms(), 20))
        stand_ins.run_due()
        typed = stand_ins.typed()
        if typed:
            stand_ins.Terminal.stream.write(typed.upper())


main()
