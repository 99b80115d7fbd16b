"""MicroPython code that mounts a small file system in a board's RAM: one that can be filled."""

from __future__ import annotations


def ram_disk(kind: str, blocks: int) -> str:
    """Code that mounts a file system at /ram, with a file `old` on it.

    Args:
        kind: "VfsLfs2" or "VfsFat".
        blocks: how many blocks of 512 bytes it has.
    """
    return f"""\
import vfs
class Disk:
    def __init__(self, blocks):
        self.data = bytearray(512 * blocks)
    def readblocks(self, n, buf, offset=0):
        offset += 512 * n
        buf[:] = self.data[offset : offset + len(buf)]
    def writeblocks(self, n, buf, offset=0):
        offset += 512 * n
        self.data[offset : offset + len(buf)] = buf
    def ioctl(self, op, arg):
        return len(self.data) // 512 if op == 4 else 512 if op == 5 else 0
disk = Disk({blocks})
vfs.{kind}.mkfs(disk)
vfs.mount(vfs.{kind}(disk), '/ram')
with open('/ram/old', 'w') as f:
    f.write('the old file')
"""
