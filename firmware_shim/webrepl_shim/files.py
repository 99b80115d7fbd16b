"""Put, get and version: WebREPL's binary records as the firmware serves them, but with an answer to every request.

Binary messages are one stream of bytes in each direction, as in the standard. What is put goes into NAME~ and is
renamed when it is whole. It is collected and written all at once, and only then the peer gets room for more: while
flash is erased the CPU stands still and the wire must be silent.
"""

import os
from struct import pack, unpack_from
from sys import implementation

from micropython import const

_BINARY = const(0x25)  # as in webrepl_link.link
_FRAME_BYTES = const(255)
_CHUNK_BYTES = const(1018)  # with its length before it, four whole frames
_REQUEST_BYTES = const(82)
_NAME_BYTES_MAX = const(64)
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
    """

    def __init__(self, link):
        self._link = link
        self._file = None
        self._name = None  # of the file that is put
        self._head = b""  # the beginning of a request
        self._size = 0  # of the file that is put, and `left` so much has not come
        self.left = 0
        self._pieces = []  # not written yet
        self._wanted = 0  # chunks of the get that are asked for
        self._code = 0  # of what has failed

    def receive(self, data):
        """Take bytes of binary messages."""
        while data:
            if self.left:
                piece = data[: self.left]
                self.left -= len(piece)
                self._pieces.append(piece)
            elif data[0] == 0 and not self._head:
                piece = data[:1]
                self._link.consumed(_BINARY, 1)
                if self._file:  # else it was asked for before the end of the file was known
                    self._wanted += 1
            else:
                self.abandon()
                piece = data[: _REQUEST_BYTES - len(self._head)]
                self._link.consumed(_BINARY, len(piece))
                self._head += piece
                if len(self._head) == _REQUEST_BYTES:
                    self._request(self._head)
                    self._head = b""
            data = data[len(piece) :]

    def control(self, data):
        """Take a control message: A, and how many bytes of the put in progress are sent although it is given up."""
        if data[0] == _ABANDON and self._file:
            self._code = _ECANCELED
            if self._name:
                self.left = max(0, unpack_from("<L", data, 1)[0] - self._size + self.left)

    def abandon(self):
        """Forget what is half done."""
        if self._file:
            self._file.close()
            if self._name:
                _remove(self._name + "~")
        self._file = self._name = None
        self._pieces = []
        self.left = self._wanted = 0

    def work(self):
        """Write what has come, or read what is asked for; return whether something was done."""
        bulk = self._link.bulk
        if self._name:
            if self.left and bulk.room - bulk.grant >= _FRAME_BYTES:
                return False  # the peer may still send
            self._store()
            return True
        if self._wanted and bulk.waiting_bytes <= _FRAME_BYTES:
            self._wanted -= 1
            chunk = b""
            try:
                if not self._code:
                    chunk = self._file.read(_CHUNK_BYTES)
            except OSError as error:
                self._code = error.errno
            self._link.send_binary(pack("<H", len(chunk)) + chunk)
            if not chunk:
                self._reply(self._code)
                self.abandon()
            return True
        return False

    def _reply(self, code):
        self._link.send_binary(pack("<2sH", b"WB", code))

    def _request(self, head):
        op = head[2]
        size, name_bytes = unpack_from("<LH", head, 12)
        self._code = 0
        if op == 3:
            self._link.send_binary(bytes(implementation.version[:3]))
            return
        try:
            if head[:2] != b"WA" or name_bytes > _NAME_BYTES_MAX:
                raise OSError(_EINVAL)
            name = head[18 : 18 + name_bytes].decode()
            if op == 1:
                self._file = open(name + "~", "wb")
                self._name = name
                self.left = self._size = size
            elif op == 2:
                self._file = open(name, "rb")
            else:
                raise OSError(_ENOSYS)
            self._reply(0)
        except OSError as error:
            self._reply(error.errno)
        except ValueError:  # not UTF-8
            self._reply(_EINVAL)

    def _store(self):
        pieces = self._pieces
        self._pieces = []
        size = 0
        name = self._name
        try:
            for piece in pieces:
                size += len(piece)
                if not self._code and self._file.write(piece) != len(piece):
                    self._code = _ENOSPC
            if not self.left:
                self._file.close()
                if not self._code:
                    try:
                        os.rename(name + "~", name)
                    except OSError as error:
                        if error.errno != _EEXIST:  # as FAT says
                            raise
                        os.remove(name)
                        os.rename(name + "~", name)
        except OSError as error:
            self._code = error.errno
        self._link.consumed(_BINARY, size)
        if not self.left:
            if not self._code:
                self._name = None  # there is nothing to remove
            self._reply(self._code)
            self.abandon()


def _remove(name):
    try:
        os.remove(name)
    except OSError:
        pass
