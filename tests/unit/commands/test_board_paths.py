"""How something on a board is written."""

from __future__ import annotations

import pytest

from webrepl_bridge.commands.boards import BoardPath, parse_path
from webrepl_bridge.commands.progress import shown


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (":", BoardPath("", "")),
        (":main.py", BoardPath("", "main.py")),
        (":/lib/a:b", BoardPath("", "/lib/a:b")),
        ("lab1:", BoardPath("lab1", "")),
        ("lab-1.x:/main.py", BoardPath("lab-1.x", "/main.py")),
        ("ws://host", BoardPath("ws://host", "")),
        ("ws://host:8266", BoardPath("ws://host:8266", "")),
        ("ws://host:8266/lab1", BoardPath("ws://host:8266/lab1", "")),
        ("ws://host:8266/lab1:/main.py", BoardPath("ws://host:8266/lab1", "/main.py")),
        ("ws://host:8266/:main.py", BoardPath("ws://host:8266/", "main.py")),
        ("wss://host/far/lab1:a:b", BoardPath("wss://host/far/lab1", "a:b")),
        ("ws://[::1]:8266/lab1:/x", BoardPath("ws://[::1]:8266/lab1", "/x")),
        ("main.py", None),
        ("./odd:name", None),
        ("/tmp/odd:name", None),
    ],
)
def test_paths(text: str, path: BoardPath | None) -> None:
    assert parse_path(text) == path


def test_drives_of_windows_are_no_boards() -> None:
    assert parse_path(r"C:\main.py", has_drives=True) is None
    assert parse_path("c:/main.py", has_drives=True) is None
    assert parse_path("c:/main.py", has_drives=False) == BoardPath("c", "/main.py")
    assert parse_path("lab1:/main.py", has_drives=True) == BoardPath("lab1", "/main.py")


def test_names_do_nothing_to_a_terminal() -> None:
    assert shown("ä b") == "ä b"
    assert shown("\x1b[2J\n\udc80") == r"\x1b[2J\n\udc80"
