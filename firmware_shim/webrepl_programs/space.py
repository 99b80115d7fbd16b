# Prints the bytes that the file system has in all, those that are free, and the CRC-32 of the argument and both.
def _space(path):
    import os

    state = os.statvfs(path or os.getcwd())
    line = "%d %d" % (state[1] * state[2], state[0] * state[3])
    print(line, _crc32(path + line))
