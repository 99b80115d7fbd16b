"""What the bridge and the board both run, byte for byte the same files.

errors   the error root and what hangs below it
records  WebREPL's binary records: 82-byte requests, 4-byte replies
link     the reliable framed wire between the bridge and the board's shim: sessions, messages, credit
host     what only the bridge's side of it needs
arq      what link is made of: one lane of numbered frames that arrive exactly once and in order
codec    what link is made of: frames to bytes and back
blocks   what carries a stream of bytes over SPI
crc      CRC-32 for firmware that has none

These files run on MicroPython as well as on CPython: they import `struct` and `binascii`, nothing else (and `const`
from `micropython` where there is one). `.pyi` files beside them give the types.
"""
