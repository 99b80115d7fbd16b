# Prints a line for each entry: size, time, CRC-32, name, which ends in "/" if it is a directory. Depth 0 is the entry
# itself, 1 what is in it, 2 all that is below it: before the entries of a directory below is a line with its name. The
# last line is the CRC-32 of the arguments and of all lines before. A UART sends what is short while the next file is
# looked up. A list with CRC-32 does without times where it can: os.stat() looks everything up twice.
def _tree(where, depth, hashed):
    import os

    check = _crc32("%s %d %d" % (where, depth, hashed))
    stat = getattr(os, "stat", lambda name: (0, 0, 0, 0, 0, 0, os.size(name), 0, 0))
    get_entries = getattr(os, "ilistdir", os.listdir) if hashed else os.listdir
    base = where + "/" if depth and where and where[-1] != "/" else where
    todo = [""]
    while todo:
        folder = todo.pop()
        place = base + folder
        if folder:
            line = repr(folder)
            check = _crc32(line, check)
            print(line)
        entries = [""]
        if depth:
            entries = get_entries(place[:-1] or "/") if place else get_entries()
        for name in entries:
            state = 0
            if not isinstance(name, str):
                if len(name) > 3:
                    state = (name[1], 0, 0, 0, 0, 0, name[3], 0, 0)
                name = name[0]
            state = state or stat(place + name)
            crc = 0
            if state[0] & 0xF000 == 0x4000:
                name += "/"
                if depth > 1:
                    todo.append(folder + name)
            elif hashed:
                with open(place + name, "rb") as f:
                    data = f.read(1024)
                    while data:
                        crc = _crc32(data, crc)
                        data = len(data) == 1024 and f.read(1024)
            line = "%d %d %x %r" % (state[6], state[8], crc, name)
            check = _crc32(line, check)
            print(line)
    print(check)
