# As put.py, but a block holds whole files: the sizes of name and content, 2 bytes each, name, content. A name
# that ends in "/" is a directory. "." says that one is there. Files come into being beside the folder, and are moved
# into it: a directory that is full takes littlefs long to change.
def _put_files(check, folder, size, mode, block):
    import micropython, sys, uio, uos, uselect
    from ubinascii import crc32

    if crc32("%s %d" % (folder, size)) != check:
        raise OSError(74)
    poll = uselect.poll()
    poll.register(sys.stdin, 1)
    read = sys.stdin.buffer.read
    micropython.kbd_intr(-1)
    try:
        while size:
            print(end="\x06")
            if not poll.poll(60000):
                raise OSError(110)
            count = int.from_bytes(read(2), "little")
            data = read(min(count & 32767, block) + 4)
            if crc32(data, ~count) != 0x2144DF1C:
                raise OSError(74)
            data = uio.BytesIO(memoryview(data)[:-4])
            if count > 32767:
                import deflate

                data = deflate.DeflateIO(data, deflate.RAW, 12)
            head = data.read(4)
            while head:
                name = data.read(head[0] | head[1] << 8)
                count = head[2] | head[3] << 8
                size -= 4 + len(name) + count
                name = name.decode()
                if name[-1] == "/":
                    try:
                        uos.mkdir(name[:-1])
                    except OSError as e:
                        if e.errno != 17:
                            raise
                else:
                    with open(folder + "~", "wb") as f:
                        if f.write(data.read(count)) != count:
                            raise OSError(28)
                    uos.rename(folder + "~", name)
                print(end=".")
                head = data.read(4)
    except:
        # What is still on its way must not become code at the prompt.
        while poll.poll(30):
            read(1)
        raise
    finally:
        micropython.kbd_intr(3)
