"""The process that is the demo board: becomes MicroPython's unix VM, arguments and all.

Not for import: `python -P _demo_vm.py [ARGUMENT...]`. It writes one newline when the VM starts,
so that whoever started it knows from then on whether MicroPython wants Ctrl-C as a signal.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # Linux, prctl(2)


def main() -> None:
    """Run the VM on this process's standard streams until it ends."""
    if sys.platform == "linux":
        # A VM that is busy would outlive a killed bridge and keep a core busy for ever.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    from micropython_unix import main as run_micropython

    signal.signal(signal.SIGINT, signal.SIG_DFL)  # away with CPython's handler; MicroPython sets its own
    os.write(1, b"\n")
    sys.exit(run_micropython())


if __name__ == "__main__":
    main()
