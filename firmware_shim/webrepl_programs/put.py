# Wire: each "\x06" asks for a block: its length in 2 bytes, little-endian, with bit 15 for what is to be inflated; its
# bytes; the CRC-32 of both, little-endian, so that the CRC-32 of all is a constant. The first that is to be inflated
# where there is no `inflate` yet is the source of it. A damaged block ends the program with EBADMSG (74); the host then
# goes on with mode "ab". Ctrl-C is data meanwhile, so only the protocol can end this; or a minute of
# silence, in which `poll` gives nothing and `from_bytes` fails.
# A module's name with a "u" spares a search of the file system, which is slow.
def _put(check, name, size, mode, block, inflate):
    import micropython, sys, uos, uselect
    from ubinascii import crc32

    if crc32("%s %d" % (name, size)) != check:
        raise OSError(74)
    poll = uselect.poll()
    poll.register(sys.stdin, 1)
    poll = poll.poll
    read = sys.stdin.buffer.read
    interrupt = micropython.kbd_intr
    interrupt(-1)
    try:
        with open(name + "~", mode) as f:
            while size:
                print(end="\x06")
                count = int.from_bytes(poll(60000) and read(2), "little")
                data = read(min(count & 32767, block) + 4)
                if crc32(data, ~count) != 0x2144DF1C:
                    raise OSError(74)
                data = memoryview(data)[:-4]
                if count < 32768:
                    size -= f.write(data)
                elif inflate:
                    size -= inflate(f, data)
                else:
                    exec(data)
                    inflate = _inflate
        uos.rename(name + "~", name)
    except:
        # What is still on its way must not become code at the prompt.
        while poll(30):
            read(1)
        raise
    finally:
        interrupt(3)
