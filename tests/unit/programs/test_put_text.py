"""The program `put_text` where there is no rename and little space, as on a micro:bit; run here, not on a board."""

from __future__ import annotations

import io
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from webrepl_bridge.boards.programs import program
from webrepl_bridge.protocol.text_transfers import checksum

ENOENT, ENOSPC = 2, 28


class Files(dict[str, bytes]):
    """A file system of `space` bytes with `open` and `remove` only."""

    def __init__(self, space: int) -> None:
        super().__init__()
        self.space = space

    def open(self, name: str, mode: str) -> io.BytesIO:
        if mode == "rb":
            return io.BytesIO(self[name])
        self[name] = b""
        return _Written(self, name)

    def remove(self, name: str) -> None:
        if name not in self:
            raise OSError(ENOENT)
        del self[name]


class _Written(io.BytesIO):
    def __init__(self, files: Files, name: str) -> None:
        super().__init__()
        self._files = files
        self._name = name

    def write(self, data: Any) -> int:
        if sum(map(len, self._files.values())) + len(data) > self._files.space:
            raise OSError(ENOSPC)
        self._files[self._name] += data
        return len(data)


def put(files: Files, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes) -> None:
    monkeypatch.setitem(sys.modules, "os", SimpleNamespace(remove=files.remove))
    scope: dict[str, Any] = {"open": files.open}
    exec(program("put_text"), scope)
    writer = scope["Put"](name, name + "~")
    try:
        check = checksum(content, checksum((name + name + "~").encode()))
        with pytest.raises(OSError, match="74"):
            writer.add(0, content[:-1], check)
        writer.add(0, content, check)
        writer.add(0, content, check)  # the answer got lost
        writer.end(len(content), check)
    except OSError:
        writer.give_up()
        raise


def test_the_new_file_takes_the_place_of_the_old(monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(space=1000)
    files["file"] = b"old"
    put(files, monkeypatch, "file", b"new" * 50)
    assert files == {"file": b"new" * 50}


def test_without_space_for_two_the_old_file_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(space=1000)
    files["file"] = b"old" * 50
    with pytest.raises(OSError, match="28"):
        put(files, monkeypatch, "file", b"new" * 200)
    assert files == {"file": b"old" * 50}
