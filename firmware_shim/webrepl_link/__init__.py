"""What the bridge and the board both run, byte for byte the same files.

errors   the error root and what hangs below it
records  WebREPL's binary records: 82-byte requests, 4-byte replies

These files run on MicroPython as well as on CPython: they import `struct` and `binascii`, nothing else.
"""
