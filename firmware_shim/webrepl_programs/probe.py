def probe():
    import sys

    version = sys.implementation[1]
    print(version[0], version[1], version[2])
    try:
        import time

        print(time.gmtime(0)[0])
    except (ImportError, AttributeError):
        print(1970)
    try:
        __import__("deflate")
        print(1)
    except ImportError:
        print(0)
    try:
        import gc
        import micropython
        import os
        import select
        from binascii import crc32

        micropython.kbd_intr(3)
        sys.stdin.buffer, sys.stdout.buffer, select.poll, os.rename, crc32
        if gc.mem_free() < 96000:
            gc.collect()  # takes long
        print(gc.mem_free())
    except (ImportError, AttributeError):
        print(0)
