"""WebREPL's binary records: put, get and version as the firmware serves them, but with an answer to every request.

Binary messages are one stream of bytes in each direction, as in the standard. What is put goes into NAME~ and is
renamed when it is whole. It is collected and written all at once, and only then the peer gets room for more: while
flash is erased the CPU stands still and the wire must be silent.

Attributes are called as something in the firmware where that is possible: a name that it does not have takes 20 bytes.
"""

import os
from struct import pack, unpack_from
from sys import implementation

from micropython import const

_CONTROL = const(0x21)  # as in webrepl_link.link
_BINARY = const(0x25)
_FRAME_BYTES = const(255)
_CHUNK_BYTES = const(1018)  # with its length before it, four whole frames
_REQUEST_BYTES = const(82)
_NAME_BYTES_MAX = const(64)  # in the standard's ops
_LONG_NAME_BYTES_MAX = const(2048)  # in our own
_KEEP = const(4)
_FLAGS = b"\x04\0\x03\x02\x01\0\x01\0\0"  # that belong to ops 4 to 12
_ALL_BYTES = const(0x3FFFFFFF)
_ABANDON = const(0x41)  # A

_EEXIST = const(17)
_EINVAL = const(22)
_ENOSPC = const(28)
_ENOSYS = const(38)
_ECANCELED = const(125)


class Files:
    """The file service of one link.

    Args:
        link: takes what is to be sent, and is told what has been stored.

    Attributes:
        size: how many bytes of a put have not come.
    """

    def __init__(self, link):
        self.link = link
        self.file = None
        self.path = None  # of the file that is put
        self.keep = 0  # whether what has come of it stays if it breaks
        self.steps = None  # of a request that has nothing to do with the bytes of a file
        self.data = b""  # the beginning of a request
        self.missing = _REQUEST_BYTES  # of it
        self.end = 0  # the size of the file that is put, or how much is left of one that is got
        self.size = 0
        self.parts = []  # of it, not written yet
        self.count = 0  # of chunks of the get that are asked for
        self.errno = 0  # of what has failed

    def accept(self, kind, data):
        """Take bytes of binary messages, or a control message.

        There is one: A, and how many bytes of the put in progress are sent although it is given up.
        """
        if kind == _CONTROL:
            if data[0] == _ABANDON and self.file:
                self.errno = _ECANCELED
                if self.path:
                    self.size = max(0, unpack_from("<L", data, 1)[0] - self.end + self.size)
            return
        while data:
            if self.size:
                piece = data[: self.size]
                self.size -= len(piece)
                self.parts.append(piece)
            elif data[0] == 0 and not self.data:
                piece = data[:1]
                self.link.consumed(_BINARY, 1)
                if self.file:  # else it was asked for before the end of the file was known
                    self.count += 1
            else:
                self.cancel()
                piece = data[: self.missing]
                self.link.consumed(_BINARY, len(piece))
                self.data += piece
                self.missing -= len(piece)
                if not self.missing:
                    self.take_request()
            data = data[len(piece) :]

    def take_request(self):
        """Take what has come of a request: its head, or all of it."""
        data = self.data
        size, name_bytes = unpack_from("<LH", data, 12)
        if len(data) == _REQUEST_BYTES and data[2] > 3 and _NAME_BYTES_MAX < name_bytes <= _LONG_NAME_BYTES_MAX:
            self.missing = name_bytes - _NAME_BYTES_MAX
            return
        self.data = b""
        self.missing = _REQUEST_BYTES
        self.errno = 0
        try:
            if data[:2] != b"WA" or name_bytes > len(data) - 18:
                raise OSError(_EINVAL)
            self.open(data[2], data[3], unpack_from("<Q", data, 4)[0], size, data[18 : 18 + name_bytes])
        except OSError as error:
            self.send(error.errno)
        except ValueError:  # not UTF-8
            self.send(_EINVAL)

    def cancel(self):
        """Forget what is half done."""
        if self.file:
            try:
                self.file.close()
            except OSError:  # what could not be written before
                pass
            try:
                if self.path and not self.keep:
                    os.remove(self.path + "~")
            except OSError:
                pass
        self.file = self.path = self.steps = None
        self.parts = []
        self.size = self.count = 0

    def run(self):
        """Write what has come, or read what is asked for; return whether something was done."""
        bulk = self.link.bulk
        if self.path:
            if self.size and bulk.room - bulk.grant >= _FRAME_BYTES:
                return False  # the peer may still send
            self.flush()
            return True
        if self.count and bulk.waiting_bytes <= _FRAME_BYTES:
            self.count -= 1
            chunk = b""
            try:
                if not self.errno:
                    chunk = self.file.read(min(_CHUNK_BYTES, self.end))
            except OSError as error:
                self.errno = error.errno
            if chunk is None:
                self.count += 1  # not yet
                return True
            self.end -= len(chunk)
            self.link.send_binary(pack("<H", len(chunk)) + chunk)
            if not chunk:
                self.send(self.errno)
                self.cancel()
            return True
        if self.steps:
            try:
                answer = next(self.steps)
                if answer:
                    self.link.send_binary(answer)
                    self.steps = None
            except OSError as error:
                self.send(error.errno)
                self.steps = None
            except ValueError:  # not UTF-8
                self.send(_EINVAL)
                self.steps = None
            return True
        return False

    def send(self, code):
        """Send a reply."""
        self.link.send_binary(pack("<2sH", b"WB", code))

    def open(self, op, flags, offset, size, name):
        """Take a request.

        Raises:
            OSError, ValueError: it cannot be done.
        """
        path = name.decode()
        if op == 3:
            self.link.send_binary(bytes(implementation.version[:3]))
            return
        if op < 4:
            flags = offset = 0
        elif op > 12:
            raise OSError(_ENOSYS)
        elif flags & ~_FLAGS[op - 4]:
            raise OSError(_EINVAL)
        if op in (1, 4):
            if offset and os.stat(path + "~")[6] != offset:
                raise OSError(_EINVAL)
            self.file = open(path + "~", "ab" if offset else "wb")
            self.path = path
            self.keep = flags & _KEEP
            self.size = self.end = size
        elif op in (2, 5):
            self.file = open(path, "rb")
            self.file.seek(offset)
            self.end = size if op == 5 else _ALL_BYTES
        elif op == 6:
            from .tree import List

            self.file = List(path, flags)
            self.end = _ALL_BYTES
        elif op > 6:
            from .tree import steps

            self.steps = steps(op, flags, size, name)
            return
        else:
            raise OSError(_ENOSYS)
        self.send(0)

    def flush(self):
        """Write what has come of a put, and end it when that is all."""
        parts = self.parts
        self.parts = []
        size = sum([len(piece) for piece in parts])
        path = self.path
        try:
            for piece in parts:
                if not self.errno and self.file.write(piece) != len(piece):
                    self.errno = _ENOSPC
            if not self.size:
                self.file.close()
                if not self.errno:
                    try:
                        os.rename(path + "~", path)
                    except OSError as error:
                        if error.errno != _EEXIST:  # as FAT says
                            raise
                        os.remove(path)
                        os.rename(path + "~", path)
        except OSError as error:
            self.errno = error.errno
        self.link.consumed(_BINARY, size)
        if not self.size:
            if not self.errno:
                self.path = None  # there is nothing to remove
            self.send(self.errno)
            self.cancel()
