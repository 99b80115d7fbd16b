PUT_FILE: int
GET_FILE: int
GET_VER: int
PUT_PART: int
GET_PART: int
LIST: int
STAT: int
REMOVE: int
RENAME: int
MAKE_DIRECTORY: int
REMOVE_DIRECTORY: int
SPACE: int
PUT_FILES: int
DEEP: int
HASHED: int
KEEP: int
PACED: int
FLAGS: dict[int, int]
REQUEST_BYTES: int
REPLY_BYTES: int
ENTRY_BYTES: int
SPACE_BYTES: int
NAME_BYTES_MAX: int
LONG_NAME_BYTES_MAX: int
FILE: int
DIRECTORY: int

class Request:
    op: int
    name: bytes
    size: int
    offset: int
    flags: int
    def __init__(self, op: int, name: bytes = b"", size: int = 0, offset: int = 0, flags: int = 0) -> None: ...

class Entry:
    kind: int
    size: int
    time: int
    crc: int
    name: bytes
    def __init__(self, kind: int, size: int = 0, time: int = 0, crc: int = 0, name: bytes = b"") -> None: ...

def encode_request(request: Request) -> bytes: ...
def request_bytes(head: bytes) -> int: ...
def decode_request(data: bytes) -> Request: ...
def encode_reply(code: int) -> bytes: ...
def decode_reply(data: bytes) -> int: ...
def encode_entry(entry: Entry) -> bytes: ...
def decode_entry(data: bytes) -> Entry: ...
def encode_listed(entry: Entry) -> bytes: ...
def decode_list(data: bytes) -> list[Entry]: ...
def encode_space(total: int, free: int) -> bytes: ...
def decode_space(data: bytes) -> tuple[int, int]: ...
