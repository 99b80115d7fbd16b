"""WebREPL's binary records: what a client asks and what it is answered.

Request, 82 bytes, little-endian: sig[2] op[1] flags[1] offset[8] size[4] name_len[2] name[64].
Reply, 4 bytes, little-endian: sig[2] code[2]; code 0 is success.

Source: micropython extmod/modwebrepl.c, struct webrepl_file and write_webrepl_resp.
"""

import struct

from .errors import LocalProtocolError, RemoteProtocolError

PUT_FILE = 1
GET_FILE = 2
GET_VER = 3

REQUEST_BYTES = 82
REPLY_BYTES = 4
NAME_BYTES_MAX = 64

_REQUEST = "<2sBBQLH64s"
_REPLY = "<2sH"


class Request:
    """One request.

    Args:
        op: PUT_FILE, GET_FILE, GET_VER, or one that this side does not know.
        name: the file's name, at most 64 bytes.
        size: the file's size in bytes (put only), 0 to 4,294,967,295.
        offset: position in the file in bytes; 0 in the standard's operations.
        flags: 0 in the standard's operations.
    """

    def __init__(self, op, name=b"", size=0, offset=0, flags=0):
        self.op = op
        self.name = name
        self.size = size
        self.offset = offset
        self.flags = flags


def encode_request(request):
    """Encode a Request as 82 bytes.

    Raises:
        LocalProtocolError: the name is longer than 64 bytes.
    """
    if len(request.name) > NAME_BYTES_MAX:
        raise LocalProtocolError("name longer than 64 bytes")
    return struct.pack(
        _REQUEST, b"WA", request.op, request.flags, request.offset, request.size, len(request.name), request.name
    )


def decode_request(data):
    """Decode exactly 82 bytes into a Request.

    Raises:
        RemoteProtocolError: another length, a wrong signature, or a name length beyond 64.
    """
    if len(data) != REQUEST_BYTES:
        raise RemoteProtocolError("a request has 82 bytes, not %d" % len(data))
    sig, op, flags, offset, size, name_len, name = struct.unpack(_REQUEST, data)
    if sig != b"WA":
        raise RemoteProtocolError("a request starts with 'WA'")
    if name_len > NAME_BYTES_MAX:
        raise RemoteProtocolError("name length %d beyond 64" % name_len)
    return Request(op, bytes(name[:name_len]), size, offset, flags)


def encode_reply(code):
    """Encode a reply; code is 0 for success, else an errno, 0 to 65535."""
    return struct.pack(_REPLY, b"WB", code)


def decode_reply(data):
    """Decode exactly 4 bytes into a reply's code.

    Raises:
        RemoteProtocolError: another length or a wrong signature.
    """
    if len(data) != REPLY_BYTES:
        raise RemoteProtocolError("a reply has 4 bytes, not %d" % len(data))
    sig, code = struct.unpack(_REPLY, data)
    if sig != b"WB":
        raise RemoteProtocolError("a reply starts with 'WB'")
    return code
