"""PyPI: belay, which runs functions on a board through raw REPL; the handshake and frames of webrepl_cli.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.running import run_python

if TYPE_CHECKING:
    from clients.conftest import Bridge


def test_functions_on_the_board(bridge: Bridge) -> None:
    code = """
    import belay
    device = belay.Device(url, password=password, startup="")

    @device.task
    def triple(value):
        return value * 3

    @device.task
    def count(upto):
        for number in range(upto):
            yield number

    try:
        device("1/0")
    except belay.PyboardException as error:
        failure = str(error)
    result = [triple("grün "), list(count(5)), device("sum(range(100))"), failure, device.implementation.name]
    device.close()
    """
    tripled, counted, total, failure, implementation = run_python(bridge, code)
    assert tripled == "grün " * 3
    assert counted == [0, 1, 2, 3, 4]
    assert total == 4950
    assert "ZeroDivisionError" in failure
    assert implementation == "micropython"


def test_a_function_longer_than_a_block_of_256_bytes(bridge: Bridge) -> None:
    code = """
    import belay
    device = belay.Device(url, password=password, startup="")
    text = "ä€" * 400
    device("text = " + repr(text))
    result = device("text") == text
    device.close()
    """
    assert run_python(bridge, code) is True


def test_sync_of_a_folder(bridge: Bridge) -> None:
    code = """
    import belay, os, pathlib, tempfile
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "lib").mkdir()
    (folder / "lib" / "one.py").write_text("ONE = 1\\n")
    (folder / "data.bin").write_bytes(bytes(range(256)))
    device = belay.Device(url, password=password, startup="")
    device.sync(folder, minify=False, mpy_cross_binary=None)
    result = device("__import__('os').listdir('/')")
    device.close()
    """
    assert "data.bin" in run_python(bridge, code)
    assert (bridge.folder / "data.bin").read_bytes() == bytes(range(256))
    assert (bridge.folder / "lib" / "one.py").read_text() == "ONE = 1\n"


def test_a_wrong_password(bridge: Bridge) -> None:
    code = """
    import belay
    try:
        belay.Device(url, password="wrong", startup="")
        result = "let in"
    except belay.AuthenticationError as error:
        result = str(error)
    """
    assert run_python(bridge, code) == "Incorrect password: 'wrong'"
