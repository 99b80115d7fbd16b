"""PyPI: webrepl, a library with a command around it; the handshake and frames of webrepl_cli.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clients.running import run_python

if TYPE_CHECKING:
    from clients.conftest import Bridge

CONNECT = """
    import webrepl
    repl = webrepl.Webrepl(host=host, port=port, password=password)
    assert repl.connected
"""


def test_files(bridge: Bridge) -> None:
    body = bytes(range(256)) * 20
    (bridge.folder / "up.bin").write_bytes(body)
    result = run_python(
        bridge,
        CONNECT
        + """
    import os, tempfile
    local = os.path.join(tempfile.mkdtemp(), "x")
    open(local, "wb").write(bytes(range(256)) * 30)
    repl.put_file(local, "down.bin")
    repl.get_file("up.bin", local)
    result = [open(local, "rb").read().hex(), repl.get_file_content("down.bin").hex(), repl.get_ver()]
    """,
    )
    assert result[0] == body.hex()
    assert result[1] == (bytes(range(256)) * 30).hex()
    assert result[2][0] == 1
    assert (bridge.folder / "down.bin").read_bytes() == bytes(range(256)) * 30


def test_commands(bridge: Bridge) -> None:
    """It waits for a text frame that is `\\r\\n` and right behind it one that is `>>> `, as a board sends them.

    It ends commands with `\\r\\n`. A board ignores the `\\n`; MicroPython's unix port takes it for an Enter of its
    own and prompts twice, so that what it answers may come with the answer to the next command.
    """
    code = """
    result = "".join(repl.sendcmd(cmd).decode() for cmd in ("x = 20 + 3", "print(x)", "x * 2", "1/0", "", "", ""))
    """
    result = run_python(bridge, CONNECT + code)
    assert "print(x)\r\n23\r\n" in result
    assert "x * 2\r\n46\r\n" in result
    assert "ZeroDivisionError" in result


def test_a_wrong_password(bridge: Bridge) -> None:
    code = """
    import webrepl
    result = webrepl.Webrepl(host=host, port=port, password="wrong").connected
    """
    assert run_python(bridge, code) is False
