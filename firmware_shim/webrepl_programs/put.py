# Wire: each "\x06" asks for a block: bytes of the file, then their CRC-32, little-endian. The CRC-32 of both together
# is a constant. A damaged block ends the program with EBADMSG (74); the host then goes on with mode "ab".
# Ctrl-C is data meanwhile, so only the protocol can end this; or a minute of silence.
def put(name, temp, mode, size, block):
    import micropython, os, select, sys
    from binascii import crc32

    poll = select.poll()
    poll.register(sys.stdin, 1)
    buf = memoryview(bytearray(block + 4))
    micropython.kbd_intr(-1)
    try:
        with open(temp, mode) as f:
            while size:
                sys.stdout.write("\x06")
                n = min(size, block)
                size -= n
                n += 4
                got = 0
                while got < n:
                    if not poll.poll(60000):
                        raise OSError(110)
                    got += sys.stdin.buffer.readinto(buf[got:n])
                if crc32(buf[:n]) != 0x2144DF1C:
                    raise OSError(74)
                f.write(buf[: n - 4])
        os.rename(temp, name)
    except:
        # What is still on its way must not become code at the prompt.
        while poll.poll(30):
            sys.stdin.buffer.read(1)
        raise
    finally:
        micropython.kbd_intr(3)
