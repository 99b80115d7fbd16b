# Prints the check when it is done: damaged code may do nothing without an error. In some file systems remove() takes
# directories, and rmdir() files.
def _change(check, what, name, *names):
    import os

    if _crc32(" ".join((what, name) + names)) != check:
        raise OSError(74)
    if what in ("remove", "rmdir") and hasattr(os, "stat"):
        is_directory = os.stat(name)[0] & 0xF000 == 0x4000
        if is_directory != (what == "rmdir"):
            raise OSError(21 if is_directory else 20)
    getattr(os, what)(name, *names)
    print(check)
