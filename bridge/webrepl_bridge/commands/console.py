"""The terminal that a command runs in, key by key."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEYS_BYTES = 4096

if sys.platform == "win32":
    import msvcrt

    _EXTENDED = {"H": b"\x1b[A", "P": b"\x1b[B", "M": b"\x1b[C", "K": b"\x1b[D", "G": b"\x1b[H", "O": b"\x1b[F"}
    _EXTENDED |= {"S": b"\x1b[3~", "I": b"\x1b[5~", "Q": b"\x1b[6~"}

    def _key() -> bytes:
        """Wait for a key and return what a terminal sends for it."""
        char = msvcrt.getwch()
        if char in "\0\xe0":
            return _EXTENDED.get(msvcrt.getwch(), b"")
        return char.encode("utf-8", "surrogatepass")

    @contextmanager
    def raw_keys(on_keys: Callable[[bytes], None]) -> Iterator[None]:
        """Have every key as it is pressed, until the block ends; b"" when there will be no more."""
        loop = asyncio.get_running_loop()
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                loop.call_soon_threadsafe(on_keys, _key())

        os.system("")  # has the console understand escape sequences
        threading.Thread(target=read, name="keys", daemon=True).start()
        try:
            yield
        finally:
            done.set()

else:
    import termios
    import tty

    @contextmanager
    def raw_keys(on_keys: Callable[[bytes], None]) -> Iterator[None]:
        """Have every key as it is pressed, until the block ends; b"" when there will be no more."""
        loop = asyncio.get_running_loop()
        keyboard = sys.stdin.fileno()
        before = termios.tcgetattr(keyboard) if os.isatty(keyboard) else None

        def read() -> None:
            keys = os.read(keyboard, KEYS_BYTES)
            if not keys:
                loop.remove_reader(keyboard)
            on_keys(keys)

        if before is not None:
            tty.setraw(keyboard)
        loop.add_reader(keyboard, read)
        try:
            yield
        finally:
            loop.remove_reader(keyboard)
            if before is not None:
                termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
