"""What our records ask for beyond the bytes of a file: lists, stat, whole trees, space. Loaded at the first of them.

In small steps, between which the board's program goes on. See docs/protocol.md, "Records beyond the standard".
"""

import os
from struct import pack
from time import gmtime

from micropython import const

from webrepl_link.codec import crc32

_LIST = const(6)
_STAT = const(7)
_REMOVE = const(8)
_RENAME = const(9)
_MKDIR = const(10)
_RMDIR = const(11)

_DEEP = const(1)
_HASHED = const(2)
_IS_DIRECTORY = const(0x4000)
_BLOCK_BYTES = const(1024)  # hashed in one step
_EPOCH_S = const(946684800)  # from 1970 to 2000, when some boards' time begins

_EEXIST = const(17)
_ENOTDIR = const(20)
_EISDIR = const(21)


def is_directory(path):
    """Return whether it is one; there has to be something."""
    return os.stat(path)[0] & _IS_DIRECTORY


def entry(path, flags):
    """Yield the entry of a file or directory, without its name, after b"" for each step."""
    found = os.stat(path)
    time = found[8]
    if time and gmtime(0)[0] == 2000:
        time += _EPOCH_S
    crc = 0
    if found[0] & _IS_DIRECTORY:
        yield pack("<BLLL", 0x64, 0, time, 0)
        return
    if flags & _HASHED:
        with open(path, "rb") as file:
            while True:
                block = file.read(_BLOCK_BYTES)
                if not block:
                    break
                crc = crc32(block, crc)
                yield b""
    yield pack("<BLLL", 0x66, found[6], time, crc)


def entries(top, flags):
    """Yield the entries of a directory, or of all that is in it, each in pieces, with b"" in between."""
    top = top or os.getcwd()
    if top[-1] != "/":
        top += "/"
    directories = [""]
    while directories:
        where = directories.pop()
        for item in list(os.ilistdir((top + where)[:-1] or "/")):
            name = where + item[0]
            yield from entry(top + name, flags)
            encoded = name.encode()
            yield pack("<H", len(encoded)) + encoded
            if flags & _DEEP and item[1] == _IS_DIRECTORY:
                directories.append(name + "/")


class List:
    """A list, to be read like a file."""

    def __init__(self, top, flags):
        os.listdir(top)  # fails as it should
        self.entries = entries(top, flags)
        self.data = b""

    def read(self, size):
        """Return the next bytes; None if there are none yet."""
        if len(self.data) < size:
            for piece in self.entries:
                self.data += piece
                return None
        data = self.data[:size]
        self.data = self.data[size:]
        return data

    def close(self):
        """Do nothing; as a file has it."""


def remove(top):
    """Remove a directory with all that is in it; yield b"" after each step."""
    paths = [top]
    while paths:
        path = paths[-1]
        below = []
        for item in list(os.ilistdir(path)):
            if item[1] == _IS_DIRECTORY:
                below.append(path + "/" + item[0])
            else:
                os.remove(path + "/" + item[0])
                yield b""
        if below:
            paths += below
        else:
            os.rmdir(paths.pop())
            yield b""


def make(path, flags):
    """Make a directory, with those above it if wanted."""
    if flags & _DEEP:
        at = path.find("/", 1)
        while at > 0:
            make_if_missing(path[:at])
            at = path.find("/", at + 1)
        make_if_missing(path)
    else:
        os.mkdir(path)


def make_if_missing(path):
    """Make a directory unless it is there."""
    try:
        os.mkdir(path)
    except OSError as error:
        if error.errno != _EEXIST or not is_directory(path):
            raise


def steps(op, flags, size, name):
    """Do what a request asks, and yield what is to be answered in the end; b"" before: there is more to do.

    Args:
        op: 7 to 12.
        flags: those of the request.
        size: that of the request.
        name: in UTF-8.
    """
    path = name.decode()
    answer = b""
    if op == _STAT:
        for answer in entry(path or os.getcwd(), flags):
            if not answer:
                yield b""
    elif op == _REMOVE:
        if not is_directory(path):
            os.remove(path)
        elif flags & _DEEP:
            yield from remove(path)
        else:
            raise OSError(_EISDIR)
    elif op == _RENAME:
        os.rename(name[:size].decode(), name[size:].decode())
    elif op == _MKDIR:
        make(path, flags)
    elif op == _RMDIR:
        if not is_directory(path):
            raise OSError(_ENOTDIR)
        os.rmdir(path)
    else:
        space = os.statvfs(path or os.getcwd())
        answer = pack("<QQ", space[1] * space[2], space[1] * space[3])
    yield b"WB\0\0" + answer
