"""The shim in a MicroPython of its own, beside a REPL on a pty, calling a bridge: `dialing_vm.py PTY URL TOKEN [CA]`.

As shim_vm.py, but its wire is the WebSocket that it opens by itself.
"""

import os
import sys
from select import POLLIN, poll

import stand_ins

import webrepl_shim
import webrepl_shim.dialed  # while the host's files are there to import from
import webrepl_shim.files
import webrepl_shim.service

PIECE_BYTES = 512
RESET = b"soft reboot\r\n"


def read(repl, unread):
    """Return some of the REPL's output, up to the announcement of a reset."""
    output = b""
    while len(output) < PIECE_BYTES and output[-len(RESET) :] != RESET and unread.poll(0):
        output += repl.read(1)  # a file's read waits for all that it is asked for
    return output


def main():
    device, url, token = sys.argv[1:4]
    ca = None
    if len(sys.argv) > 4:
        with open(sys.argv[4], "rb") as file:
            ca = file.read()
    webrepl_shim.start_websocket(url, token, ca)
    events = poll()
    with open(device, "r+b") as repl:
        exec(os.getenv("MOUNT"))
        events.register(repl, POLLIN)
        shown = b""
        while True:
            if events.poll(stand_ins.next_due_ms()):
                output = read(repl, events)
                shown = (shown + output)[-len(RESET) :]
                while output:
                    output = output[stand_ins.Terminal.stream.write(output) :]
                if shown == RESET:
                    webrepl_shim.start_websocket(url, token, ca)  # as boot.py would
            stand_ins.run_due()
            typed = stand_ins.typed()
            if typed:
                repl.write(typed)


main()
