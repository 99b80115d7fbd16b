PUT_FILE: int
GET_FILE: int
GET_VER: int
REQUEST_BYTES: int
REPLY_BYTES: int
NAME_BYTES_MAX: int

class Request:
    op: int
    name: bytes
    size: int
    offset: int
    flags: int
    def __init__(self, op: int, name: bytes = b"", size: int = 0, offset: int = 0, flags: int = 0) -> None: ...

def encode_request(request: Request) -> bytes: ...
def decode_request(data: bytes) -> Request: ...
def encode_reply(code: int) -> bytes: ...
def decode_reply(data: bytes) -> int: ...
