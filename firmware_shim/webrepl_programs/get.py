# Wire: "\x06" says that the file is open. Each "\x06" from the host is answered with a block: its length in 2 bytes,
# the bytes, the CRC-32 of all that since the start, little-endian; length 0 is the end. Anything else ends the program.
# The CRC goes on from the one before, and from the file's offset at first: no block can pass for another.
def _get(check, name, start, size, block):
    import sys
    from ubinascii import crc32

    if crc32("%s %d %d" % (name, start, size)) != check:
        raise OSError(74)
    say = sys.stdout.buffer.write
    buf = memoryview(bytearray(block + 6))
    with open(name, "rb") as f:
        f.seek(start)
        say(b"\x06")
        while sys.stdin.read(1) == "\x06":
            n = f.readinto(buf[2 : min(block, size) + 2])
            size -= n
            buf[:2] = n.to_bytes(2, "little")
            start = crc32(buf[: n + 2], start)
            buf[n + 2 : n + 6] = start.to_bytes(4, "little")
            say(buf[: n + 6])
