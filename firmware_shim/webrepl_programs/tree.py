# Prints a line for each entry: whether it is a directory, size, time, CRC-32, name. Depth 0 is the entry itself, 1 what
# is in it, 2 all that is below it. The last line is the CRC-32 of the arguments and of all lines before.
def _tree(where, depth, hashed):
    import os

    check = _crc32("%s %d %d" % (where, depth, hashed))
    stat = getattr(os, "stat", lambda name: (0, 0, 0, 0, 0, 0, os.size(name), 0, 0))
    base = where + "/" if depth and where and where[-1] != "/" else where
    todo = [""]
    while todo:
        folder = todo.pop()
        place = base + folder
        names = [""]
        if depth:
            names = os.listdir(place[:-1] or "/") if place else os.listdir()
        for name in names:
            name = folder + name
            state = stat(base + name)
            is_directory = state[0] & 0xF000 == 0x4000
            crc = 0
            if hashed and not is_directory:
                with open(base + name, "rb") as f:
                    data = 1
                    while data:
                        data = f.read(512)
                        crc = _crc32(data, crc)
            line = "%d %d %d %d %r" % (is_directory, state[6], state[8], crc, name)
            check = _crc32(line, check)
            print(line)
            if is_directory and depth > 1:
                todo.append(name + "/")
    print(check)
