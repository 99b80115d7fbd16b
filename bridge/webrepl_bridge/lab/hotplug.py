"""When serial ports may have come or gone: from inotify on Linux, by looking at the list elsewhere.

A board that is plugged in makes udev create a node in /dev, give it its permissions, and link to it. So each event is
told at once, and again after SETTLE_S, when udev must be done.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from webrepl_transports import list_ports

if TYPE_CHECKING:
    from asyncinotify import Inotify

    from webrepl_transports import SerialPort

log = logging.getLogger(__name__)

SETTLE_S = (0.3, 1.0)
"""When to look again after an event: permissions and links come later than the node."""

POLL_S = 1.0
"""How often the ports are listed where the system tells nothing, and only while somebody waits for one."""

DEVICES = "/dev"


class PortWatch:
    """Tells whoever waits for a port when to look for it.

    Attributes:
        changes: how often there was something to look for. Note it before looking, and give it to `change` afterwards.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._changed = asyncio.Event()
        self._waiting = 0
        self._wanted = asyncio.Event()
        self._folders = {DEVICES}
        self._asked = self._answered = 0
        self._listing = asyncio.Lock()
        self._listed: list[SerialPort] = []
        self._inotify: Inotify | None = None

    async def change(self, seen: int) -> None:
        """Wait until there is something to look for that was not there when `changes` was `seen`."""
        self._waiting += 1
        self._wanted.set()
        try:
            while self.changes == seen:
                await self._changed.wait()
        finally:
            self._waiting -= 1

    async def ports(self) -> list[SerialPort]:
        """List the ports as they are now; those who ask at the same time share one look."""
        self._asked += 1
        asked = self._asked
        async with self._listing:
            if self._answered < asked:
                answered = self._asked
                self._listed = await asyncio.to_thread(list_ports)
                self._answered = answered
            return self._listed

    def follow(self, device: str) -> None:
        """Watch the folder of `device` too, or that in which it will appear."""
        folder = os.path.dirname(os.path.abspath(device))
        while not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        if folder not in self._folders:
            self._folders.add(folder)
            self._watch(folder)

    async def run(self) -> NoReturn:
        """Watch until cancelled."""
        with contextlib.ExitStack() as stack:
            self._inotify = _open_inotify(stack)
            if self._inotify is None:
                await self._poll()
            for folder in self._folders:
                self._watch(folder)
            to_come: list[float] = []
            while True:
                try:
                    async with asyncio.timeout(to_come[0] if to_come else None):
                        await self._inotify.get()
                    to_come = list(SETTLE_S)
                except TimeoutError:
                    del to_come[0]
                self._tell()

    async def _poll(self) -> NoReturn:
        while True:
            before = None  # something may have come and gone while nobody waited
            while self._waiting:
                if (now := await asyncio.to_thread(self._look)) != before:
                    before = now
                    self._tell()
                await asyncio.sleep(POLL_S)
            self._wanted.clear()
            await self._wanted.wait()

    def _look(self) -> object:
        listed = [(port.device, port.usb_id, port.serial_number) for port in list_ports()]
        return listed, {folder: os.listdir(folder) for folder in self._folders if os.path.isdir(folder)}

    def _tell(self) -> None:
        self.changes += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def _watch(self, folder: str) -> None:
        if self._inotify is not None:
            from asyncinotify import Mask

            mask = Mask.CREATE | Mask.DELETE | Mask.MOVED_TO | Mask.MOVED_FROM | Mask.ATTRIB | Mask.ONLYDIR
            with contextlib.suppress(OSError):  # it has just gone
                self._inotify.add_watch(folder, mask)


def _open_inotify(stack: contextlib.ExitStack) -> Inotify | None:
    if sys.platform != "linux":
        return None
    from asyncinotify import Inotify

    try:
        return stack.enter_context(Inotify())
    except OSError as error:
        log.warning("the system does not tell when boards are plugged in (%s): looking every %g s", error, POLL_S)
        return None
