# Wire: each "\x06" asks for a block: bytes of the file, then their CRC-32, little-endian. The CRC-32 of both together
# is a constant. A damaged block ends the program with EBADMSG (74); the host then goes on with mode "ab".
# Ctrl-C is data meanwhile, so only the protocol can end this; or a minute of silence.
def _put(check, name, size, mode, block):
    import micropython, os, select, sys
    from binascii import crc32

    if crc32("%s %d" % (name, size)) != check:
        raise OSError(74)
    poll = select.poll()
    poll.register(sys.stdin, 1)
    read = sys.stdin.buffer.read
    micropython.kbd_intr(-1)
    try:
        with open(name + "~", mode) as f:
            while size:
                print(end="\x06")
                if not poll.poll(60000):
                    raise OSError(110)
                data = read(min(size, block) + 4)
                if crc32(data) != 0x2144DF1C:
                    raise OSError(74)
                size -= f.write(memoryview(data)[:-4])
        os.rename(name + "~", name)
    except:
        # What is still on its way must not become code at the prompt.
        while poll.poll(30):
            read(1)
        raise
    finally:
        micropython.kbd_intr(3)
