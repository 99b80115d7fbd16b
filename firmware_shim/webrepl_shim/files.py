"""Put, get and version: WebREPL's binary records as the firmware serves them, but with an answer to every request.

Binary messages are one stream of bytes in each direction, as in the standard. What is put goes into NAME~ and is
renamed when it is whole. It is collected and written all at once, and only then the peer gets room for more: while
flash is erased the CPU stands still and the wire must be silent.
"""

import os
from struct import pack, unpack_from
from sys import implementation

from micropython import const

from webrepl_link.link import BINARY

_ABANDON = const(0x41)
_REQUEST_BYTES = const(82)
_NAME_BYTES_MAX = const(64)
_CHUNK_BYTES = const(1018)  # with its length before it, four whole frames
_FRAME_BYTES = const(255)

_EIO = const(5)
_ENOMEM = const(12)
_EEXIST = const(17)
_EINVAL = const(22)
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
        self._size = 0
        self._left = 0  # bytes of the put that have not come
        self._pieces = []
        self._kept_bytes = 0  # in _pieces
        self._wanted = 0  # chunks of the get that are asked for
        self._code = 0  # of a put or get that has failed

    def receive(self, data):
        """Take bytes of a binary message."""
        while data:
            if self._left:
                piece = data[: self._left]
                self._left -= len(piece)
                self._put(piece)
            elif data[0] == 0 and not self._head:
                piece = data[:1]
                self._link.consumed(BINARY, 1)
                if self._file:  # else it was sent before the end of the file was known
                    self._wanted += 1
            else:
                self.abandon()
                piece = data[: _REQUEST_BYTES - len(self._head)]
                self._link.consumed(BINARY, len(piece))
                self._head += piece
                if len(self._head) == _REQUEST_BYTES:
                    self._request()
            data = data[len(piece) :]

    def control(self, data):
        """Take a control message: A, and how many bytes of the put in progress will have come when it is given up."""
        if self._file and data[0] == _ABANDON:
            self._code = _ECANCELED
            if self._name:
                self._left = max(0, unpack_from("<L", data, 1)[0] - self._size + self._left)
                self._put(b"")

    def abandon(self):
        """Forget what is half done."""
        if self._file:
            self._file.close()
            self._file = None
            if self._name:
                _remove(self._name + "~")
        self._name = None
        self._head = b""
        self._pieces = []
        self._kept_bytes = self._left = self._wanted = 0

    def work(self):
        """Send the next chunk of a get when the one before is nearly through."""
        while self._wanted and self._link.bulk.waiting_bytes <= _FRAME_BYTES:
            self._wanted -= 1
            chunk = b""
            if not self._code:
                try:
                    chunk = self._file.read(_CHUNK_BYTES)
                except OSError as error:
                    self._code = error.errno
            self._link.send_binary(pack("<H", len(chunk)) + chunk)
            if not chunk:
                self._wanted = 0
                self._file.close()
                self._file = None
                self._reply(self._code)

    def _reply(self, code):
        self._link.send_binary(pack("<2sH", b"WB", code))

    def _request(self):
        sig, op = unpack_from("<2sB", self._head)
        size, name_bytes = unpack_from("<LH", self._head, 12)
        name = self._head[18 : 18 + name_bytes]
        self._head = b""
        self._code = 0
        if op == 3:
            self._link.send_binary(bytes(implementation.version[:3]))
            return
        try:
            if sig != b"WA" or name_bytes > _NAME_BYTES_MAX:
                raise OSError(_EINVAL)
            name = name.decode()
            if op == 1:
                self._file = open(name + "~", "wb")
                self._name = name
                self._left = self._size = size
            elif op == 2:
                self._file = open(name, "rb")
            else:
                raise OSError(_ENOSYS)
        except OSError as error:
            self._reply(error.errno)
            return
        except ValueError:  # not UTF-8
            self._reply(_EINVAL)
            return
        self._reply(0)
        if op == 1 and not size:
            self._end_put()

    def _put(self, piece):
        self._pieces.append(piece)
        self._kept_bytes += len(piece)
        bulk = self._link.bulk
        if self._left and bulk.room - bulk.grant >= _FRAME_BYTES:
            return  # the peer may still send
        pieces = self._pieces
        self._pieces = []
        if not self._code:
            try:
                for piece in pieces:
                    if self._file.write(piece) != len(piece):
                        raise OSError(28)
            except OSError as error:
                self._code = error.errno
        self._link.consumed(BINARY, self._kept_bytes)
        self._kept_bytes = 0
        if not self._left:
            self._end_put()

    def _end_put(self):
        name = self._name
        try:
            self._file.close()
            if not self._code:
                _rename(name + "~", name)
        except OSError as error:
            self._code = error.errno
        self._file = self._name = None
        if self._code:
            _remove(name + "~")
        self._reply(self._code)


def _rename(old, new):
    try:
        os.rename(old, new)
    except OSError as error:
        if error.errno != _EEXIST:  # FAT
            raise
        os.remove(new)
        os.rename(old, new)


def _remove(name):
    try:
        os.remove(name)
    except OSError:
        pass
