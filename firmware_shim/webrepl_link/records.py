"""WebREPL's binary records: what a client asks and what it is answered.

Request, 82 bytes, little-endian: sig[2] op[1] flags[1] offset[8] size[4] name_len[2] name[64]; in ops that are not the
standard's (4 and beyond), what does not fit of a longer name follows.
Reply, 4 bytes, little-endian: sig[2] code[2]; code 0 is success.
Entry, 13 bytes, little-endian: kind[1] size[4] time[4] crc[4]; in a list name_len[2] name[] follow.
Space, 16 bytes, little-endian: total[8] free[8].

Source: micropython extmod/modwebrepl.c, struct webrepl_file and write_webrepl_resp; ops from 4 on: docs/protocol.md.
"""

import struct

from .errors import LocalProtocolError, RemoteProtocolError

PUT_FILE = 1
GET_FILE = 2
GET_VER = 3
PUT_PART = 4
GET_PART = 5
LIST = 6
STAT = 7
REMOVE = 8
RENAME = 9
MAKE_DIRECTORY = 10
REMOVE_DIRECTORY = 11
SPACE = 12
PUT_FILES = 13

DEEP = 1
HASHED = 2
KEEP = 4
PACED = 8
FLAGS = {PUT_PART: KEEP | PACED, LIST: DEEP | HASHED, STAT: HASHED, REMOVE: DEEP, MAKE_DIRECTORY: DEEP}
"""The flags that belong to an op; none to one that is not here."""

REQUEST_BYTES = 82
REPLY_BYTES = 4
ENTRY_BYTES = 13
SPACE_BYTES = 16
NAME_BYTES_MAX = 64
LONG_NAME_BYTES_MAX = 2048

FILE = 0x66
DIRECTORY = 0x64

_REQUEST = "<2sBBQLH64s"
_REPLY = "<2sH"
_ENTRY = "<BLLL"
_SPACE = "<QQ"


class Request:
    """One request.

    Args:
        op: PUT_FILE and so on, or one that this side does not know.
        name: the file's name, at most 64 bytes, in ops beyond the standard's 2048.
        size: the size of the file in bytes (put), or what the op says, 0 to 4,294,967,295.
        offset: position in the file in bytes; 0 in the standard's operations.
        flags: 0 in the standard's operations.
    """

    def __init__(self, op, name=b"", size=0, offset=0, flags=0):
        self.op = op
        self.name = name
        self.size = size
        self.offset = offset
        self.flags = flags


def _name_bytes_max(op):
    return LONG_NAME_BYTES_MAX if op >= PUT_PART else NAME_BYTES_MAX


def encode_request(request):
    """Encode a Request as 82 bytes, and what does not fit of its name.

    Raises:
        LocalProtocolError: the name is too long.
    """
    name = request.name
    if len(name) > _name_bytes_max(request.op):
        raise LocalProtocolError("name longer than %d bytes" % _name_bytes_max(request.op))
    head = struct.pack(
        _REQUEST,
        b"WA",
        request.op,
        request.flags,
        request.offset,
        request.size,
        len(name),
        name[:NAME_BYTES_MAX],
    )
    return head + name[NAME_BYTES_MAX:]


def request_bytes(head):
    """Return how many bytes the request has that begins with these 82."""
    name_len = struct.unpack_from("<H", head, 16)[0]
    return REQUEST_BYTES + (max(0, name_len - NAME_BYTES_MAX) if head[2] >= PUT_PART else 0)


def decode_request(data):
    """Decode all bytes of a request into a Request.

    Raises:
        RemoteProtocolError: another length, a wrong signature, or a name that is too long.
    """
    if len(data) < REQUEST_BYTES or len(data) != request_bytes(data):
        raise RemoteProtocolError("a request has 82 bytes, or as many as its name needs, not %d" % len(data))
    sig, op, flags, offset, size, name_len, name = struct.unpack(_REQUEST, data[:REQUEST_BYTES])
    if sig != b"WA":
        raise RemoteProtocolError("a request starts with 'WA'")
    if name_len > _name_bytes_max(op):
        raise RemoteProtocolError("name length %d beyond %d" % (name_len, _name_bytes_max(op)))
    return Request(op, bytes(name + data[REQUEST_BYTES:])[:name_len], size, offset, flags)


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


class Entry:
    """A file or directory.

    Args:
        kind: FILE or DIRECTORY.
        size: in bytes; 0 of a directory.
        time: of the last change, in seconds since 1970; 0 if there is none.
        crc: CRC-32 of the content, if it was asked for.
        name: in a list, at most 65,535 bytes.
    """

    def __init__(self, kind, size=0, time=0, crc=0, name=b""):
        self.kind = kind
        self.size = size
        self.time = time
        self.crc = crc
        self.name = name


def encode_entry(entry):
    """Encode an Entry without its name, as the answer to a stat."""
    return struct.pack(_ENTRY, entry.kind, entry.size, entry.time, entry.crc)


def decode_entry(data):
    """Decode 13 bytes into an Entry without a name.

    Raises:
        RemoteProtocolError: another length or kind.
    """
    if len(data) != ENTRY_BYTES or data[0] not in (FILE, DIRECTORY):
        raise RemoteProtocolError("not an entry: %d bytes" % len(data))
    kind, size, time, crc = struct.unpack(_ENTRY, data)
    return Entry(kind, size, time, crc)


def encode_listed(entry):
    """Encode an Entry with its name, as it is in a list."""
    return encode_entry(entry) + struct.pack("<H", len(entry.name)) + entry.name


def decode_list(data):
    """Decode a whole list into Entries.

    Raises:
        RemoteProtocolError: it is cut, or has something else in it.
    """
    entries = []
    start = 0
    while start < len(data):
        named = start + ENTRY_BYTES + 2
        if named > len(data):
            raise RemoteProtocolError("a list that is cut")
        entry = decode_entry(data[start : start + ENTRY_BYTES])
        start = named + struct.unpack_from("<H", data, named - 2)[0]
        if start > len(data):
            raise RemoteProtocolError("a list that is cut")
        entry.name = bytes(data[named:start])
        entries.append(entry)
    return entries


def encode_space(total, free):
    """Encode the answer to SPACE, both in bytes."""
    return struct.pack(_SPACE, total, free)


def decode_space(data):
    """Decode 16 bytes into (total, free).

    Raises:
        RemoteProtocolError: another length.
    """
    if len(data) != SPACE_BYTES:
        raise RemoteProtocolError("space has 16 bytes, not %d" % len(data))
    return struct.unpack(_SPACE, data)
