"""Block devices that say when they are in use: the shim touches no file in the middle of the program's own operation.

What is scheduled, as the shim's `trigger` is, runs between two steps of any Python code, so also in a driver that is
written in Python; and on rp2 whenever the flash has read or written a block (rp2_flash.c, mp_event_handle_nowait). The
file system is half way in something then, and bears nothing else beside it.

To import this is to mount the root of an rp2 anew, as its _boot.py does, but guarded; no file may be open for writing
then. What is not littlefs over the whole flash stays as it is. It is not in a function: that would stay in memory.
"""

import os

busy = False  # whether a device is in use


class Guard:
    """A block device for os.mount: os.mount(Guard(sdcard), "/sd").

    Nothing is allocated: a file that is collected as garbage is closed while the heap is locked. And no jump, where
    what is scheduled would run, is outside of the time that counts as busy.

    Args:
        device: the real one.
    """

    def __init__(self, device):
        self.id = device

    def readblocks(self, index, buffer, start=None):
        """Read blocks, or a part of one."""
        global busy
        busy = True
        try:
            if start is None:
                return self.id.readblocks(index, buffer)
            return self.id.readblocks(index, buffer, start)
        finally:
            busy = False

    def writeblocks(self, index, buffer, start=None):
        """Erase and write blocks, or write a part of one."""
        global busy
        busy = True
        try:
            if start is None:
                return self.id.writeblocks(index, buffer)
            return self.id.writeblocks(index, buffer, start)
        finally:
            busy = False

    def ioctl(self, key, value):
        """Control it."""
        global busy
        busy = True
        try:
            return self.id.ioctl(key, value)
        finally:
            busy = False


try:
    from rp2 import Flash

    root = os.VfsLfs2(Guard(Flash()), progsize=256)
except (ImportError, OSError):
    pass
else:
    path = os.getcwd()
    os.umount("/")
    os.mount(root, "/")
    os.chdir(path)
    del root, path, Flash
