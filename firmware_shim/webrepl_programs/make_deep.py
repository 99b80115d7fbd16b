# Prints the check when it is done, as in change.py.
def _make_deep(check, path):
    import os

    if _crc32(path) != check:
        raise OSError(74)
    done = ""
    for part in path.split("/"):
        done += part
        if part.strip("."):
            try:
                os.stat(done)
            except OSError:
                os.mkdir(done)
        done += "/"
    if os.stat(path)[0] & 0xF000 != 0x4000:
        raise OSError(17)
    print(check)
