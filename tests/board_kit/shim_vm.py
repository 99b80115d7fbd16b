"""The shim in a MicroPython of its own, beside a REPL on a pty; MicroPython runs this.

    shim_vm.py PORT PTY                the wire is a TCP port, of which the newest client has the line
    shim_vm.py URL PTY TOKEN [CA]      the wire is a WebSocket that the shim opens by itself

On a board the shim and the REPL share an interpreter. Here os.dupterm is a loop that carries bytes between the two.
MOUNT in the environment is a program that makes the board's file system.
"""

import os
import sys
from select import POLLIN, poll
from socket import getaddrinfo, socket

import stand_ins

import webrepl_shim
import webrepl_shim.dialed
import webrepl_shim.files  # while the host's files are there to import from
import webrepl_shim.service
import webrepl_shim.tree

EAGAIN = 11
SOL_SOCKET, SO_REUSEADDR = 1, 2
PIECE_BYTES = 512
RESET = b"soft reboot\r\n"


class Line(stand_ins.Uart):
    """A UART on a socket, if there is one."""

    def __init__(self, events):
        super().__init__()
        self.events = events
        self.client = None

    def take(self, client):
        """Serve this client from now on, or nobody."""
        if self.client:
            self.events.unregister(self.client)
            self.client.close()
        self.client = client
        if client:
            client.setblocking(False)
            self.events.register(client, POLLIN)
            self.coming = b""

    def any(self):
        try:
            piece = self.client and self.client.recv(65536)
            if piece == b"":
                self.take(None)
            self.coming += piece or b""
        except OSError as error:
            if error.errno != EAGAIN:
                self.take(None)
        return len(self.coming)

    def write(self, data):
        try:
            return self.client.send(data) if self.client else len(data)
        except OSError as error:
            return None if error.errno == EAGAIN else len(data)


def read(repl, unread):
    """Return some of the REPL's output, up to the announcement of a reset."""
    output = b""
    while len(output) < PIECE_BYTES and output[-len(RESET) :] != RESET and unread.poll(0):
        output += repl.read(1)  # a file's read waits for all that it is asked for
    return output


def serve(events, repl, start, server=None, line=None):
    events.register(repl, POLLIN)
    unread = poll()
    unread.register(repl, POLLIN)
    shown = b""
    while True:
        for source, _ in events.poll(stand_ins.next_due_ms()):
            if source is server:
                line.take(server.accept()[0])
            elif source is repl:
                output = read(repl, unread)
                shown = (shown + output)[-len(RESET) :]
                while output:
                    output = output[stand_ins.Terminal.stream.write(output) :]
                if shown == RESET:
                    start()  # as boot.py would
            elif source is line.client:
                line.on_idle(line)
        stand_ins.run_due()
        typed = stand_ins.typed()
        if typed:
            repl.write(typed)


def main():
    where, device = sys.argv[1:3]
    events = poll()
    wire = ()
    if "://" in where:
        ca = None
        if len(sys.argv) > 4:
            with open(sys.argv[4], "rb") as file:
                ca = file.read()

        def start():
            webrepl_shim.dialed.start(where, sys.argv[3], ca)

    else:
        server = socket()
        server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        server.bind(getaddrinfo("127.0.0.1", int(where))[0][-1])
        server.listen(1)
        line = Line(events)
        wire = server, line
        events.register(server, POLLIN)

        def start():
            webrepl_shim.start(line)

    start()
    with open(device, "r+b") as repl:
        exec(os.getenv("MOUNT"))
        print("READY")
        serve(events, repl, start, *wire)


main()
