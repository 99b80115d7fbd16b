def shim_info(uart):
    import sys

    print(getattr(sys.implementation, "_mpy", 0))
    print(*[path for path in sys.path if path.endswith("/lib")][:1])
    shim = sys.modules.get("webrepl_shim")
    print(int(bool(shim and shim._service)))
    try:
        from machine import UART
    except ImportError:
        print("no machine.UART")
        return
    if uart is None or shim:
        print()
        return
    try:
        print(UART(uart, 115200))
    except Exception as error:
        print("no UART:", error)


def shim_stop():
    import sys

    shim = sys.modules.get("webrepl_shim")
    if shim:
        shim.stop()


def shim_folder(path):
    import os

    try:
        print(*os.listdir(path), sep="\n")
    except OSError:
        pass


def shim_make(path):
    import os

    try:
        os.mkdir(path)
    except OSError as error:
        if error.errno != 17:
            raise


def shim_remove(remove, path):
    import os

    try:
        getattr(os, remove)(path)
    except OSError:
        pass
