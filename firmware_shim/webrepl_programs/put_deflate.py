# As put.py, but a block says its length first, in 2 bytes: bit 15 for one that is stored as it is; others are inflated.
# The CRC-32 is over the length, too.
def _put_deflate(check, name, size, mode, block):
    import deflate, io, micropython, os, select, sys
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
                head = read(2)
                count = head[0] | (head[1] & 127) << 8
                if count > block:
                    raise OSError(74)
                data = read(count + 4)
                if crc32(data, crc32(head)) != 0x2144DF1C:
                    raise OSError(74)
                data = memoryview(data)[:-4]
                if head[1] > 127:
                    size -= f.write(data)
                    continue
                data = deflate.DeflateIO(io.BytesIO(data), deflate.RAW, 12)
                piece = 1
                while piece:
                    piece = data.read(2048)
                    size -= f.write(piece)
        os.rename(name + "~", name)
    except:
        # What is still on its way must not become code at the prompt.
        while poll.poll(30):
            read(1)
        raise
    finally:
        micropython.kbd_intr(3)
