# Prints the check when it is done, as in change.py. Without recursion: the stack is small.
def _remove_deep(check, path):
    import os

    if _crc32(path) != check:
        raise OSError(74)
    todo = [path]
    while todo:
        path = todo[-1]
        names = []
        if os.stat(path)[0] & 0xF000 != 0x4000:
            os.remove(path)
        else:
            names = os.listdir(path)
            if not names:
                os.rmdir(path)
        if names:
            todo += [path + "/" + name for name in names]
        else:
            todo.pop()
    print(check)
