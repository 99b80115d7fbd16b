# Wire: "\x06" says that the file is open. Each "\x06" from the host is answered with a block, a line in base64: bytes
# of the file, then their CRC-32, little-endian, which goes on from their offset. No bytes are the end of the file.
# Anything else from the host ends the program.
def _get(check, name, start, size, block):
    import sys
    from binascii import b2a_base64, crc32

    if crc32("%s %d %d" % (name, start, size)) != check:
        raise OSError(74)
    with open(name, "rb") as f:
        f.seek(start)
        say = sys.stdout.buffer.write
        say(b"\x06")
        while sys.stdin.read(1) == "\x06":
            data = f.read(min(block, size))
            size -= len(data)
            say(b2a_base64(data + crc32(data, start).to_bytes(4, "little")))
            start += len(data)
