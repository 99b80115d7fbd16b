"""`webrepl-bridge ls`, `cp` and the rest, through a bridge and without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from client_kit import Way, way
from webrepl_bridge.cli import cli

FAILED, USAGE, NO_BOARD = 1, 2, 3


@pytest.fixture(params=["bridge", "serial"])
def there(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    with way(request.param, tmp_path / "board") as opened:
        yield opened


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this computer, with a tree in it, and the current one."""
    folder = tmp_path / "here"
    (folder / "src/lib/empty").mkdir(parents=True)
    (folder / "src/main.py").write_text("import lib.a\n")
    (folder / "src/lib/a.py").write_text("print('a')\n")
    (folder / "src/lib/b ä.py").write_text("")
    monkeypatch.chdir(folder)
    return folder


def tree_of(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def test_there_and_back(there: Way, here: Path) -> None:
    there.run("cp", "-r", "src", ":/")
    assert tree_of(there.folder / "src") == tree_of(here / "src")
    there.run("cp", "-r", ":/src", "back")
    assert tree_of(here / "back") == tree_of(here / "src")
    there.run("cp", ":/src/main.py", ":/src/lib/a.py", ".")
    assert (here / "a.py").read_text() == "print('a')\n"
    there.run("cp", "a.py", ":b.py")
    there.run("cp", ":b.py", ":c.py")
    assert (there.folder / "c.py").read_text() == "print('a')\n"


def test_what_is_in_a_directory(there: Way, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there.run("cp", "-r", "src/.", ":/")
    assert tree_of(there.folder) == tree_of(here / "src")
    there.run("rm", "-r", ":/lib", ":/main.py")
    monkeypatch.chdir(here / "src")
    there.run("cp", "-r", ".", ":/")
    assert tree_of(there.folder) == tree_of(here / "src")


def test_what_is_there_already_is_not_copied_again(there: Way, here: Path) -> None:
    there.run("cp", "-r", "src", ":")
    before = (there.folder / "src/main.py").stat().st_mtime_ns
    (here / "src/lib/a.py").write_text("print('b')\n")
    there.run("cp", "-r", "src", ":")
    assert (there.folder / "src/main.py").stat().st_mtime_ns == before
    assert (there.folder / "src/lib/a.py").read_text() == "print('b')\n"


def test_looking(there: Way, here: Path) -> None:
    there.run("cp", "-r", "src", ":")
    assert there.run("ls", ":src").stdout == "lib/\nmain.py\n"
    assert there.run("ls", ":/src/main.py").stdout.endswith("main.py\n")
    assert " 13 " in there.run("ls", "-l", ":src").stdout
    assert there.run("cat", ":src/main.py", ":src/lib/a.py").stdout == "import lib.a\nprint('a')\n"
    tree = there.run("tree", ":src").stdout
    assert [line.split()[-1] for line in tree.splitlines()][:3] == ["src", "lib/", "11"]
    assert "b ä.py" in tree
    assert "%" in there.run("df").stdout


def test_changing(there: Way, here: Path) -> None:
    there.run("mkdir", "-p", ":/a/b", ":/c")
    there.run("cp", "src/main.py", ":/a/b/")
    there.run("mv", ":/a/b/main.py", ":/c")
    there.run("mv", ":/c/main.py", ":/c/other.py")
    assert sorted(tree_of(there.folder)) == ["a", "a/b", "c", "c/other.py"]
    assert "is a directory" in there.run("rm", ":/a", code=FAILED).stderr
    there.run("rm", "-r", ":/a", ":/c/other.py")
    assert sorted(tree_of(there.folder)) == ["c"]
    assert there.run("rm", ":/a", code=FAILED).stderr == "webrepl-bridge: /a: no such file or directory\n"
    there.run("rm", "-f", ":/a")
    assert "exists" in there.run("mkdir", ":/c", code=FAILED).stderr


def test_sync(there: Way, here: Path) -> None:
    (there.folder / "lib").mkdir()
    (there.folder / "lib/old.py").write_text("old")
    would = there.run("sync", "--dry-run", "--delete", "--exclude", "b*", "src", ":/").stdout
    assert tree_of(there.folder) == {"lib": None, "lib/old.py": b"old"}
    assert would.splitlines() == [
        "remove  lib/old.py",
        "mkdir   lib/empty",
        "copy    lib/a.py  11",
        "copy    main.py  13",
    ]
    there.run("sync", "src", ":/")
    assert tree_of(there.folder) == {**tree_of(here / "src"), "lib/old.py": b"old"}
    assert there.run("sync", "src", ":/").stdout == ""
    there.run("sync", "--delete", "src", ":/")
    assert tree_of(there.folder) == tree_of(here / "src")
    (here / "src/main.py").unlink()
    there.run("sync", "--delete", ":/", "src")
    assert tree_of(there.folder) == tree_of(here / "src")


def test_a_file_where_a_directory_has_to_be(there: Way, here: Path) -> None:
    (there.folder / "lib").write_text("a file")
    assert "lib" in there.run("sync", "src", ":/", code=FAILED).stderr
    there.run("sync", "--delete", "src", ":/")
    assert tree_of(there.folder) == tree_of(here / "src")


def test_code(there: Way, here: Path) -> None:
    assert there.run("exec", "print('ä', 6*7)").stdout == "ä 42\n"
    assert there.run("exec", ":", "-", stdin="print(1)\nprint(2)\n").stdout == "1\n2\n"
    (here / "code.py").write_text("print('before')\nimport os\nos.stat('gone')\n")
    failed = there.run("run", "code.py", code=FAILED)
    assert failed.stdout == "before\n"
    assert failed.stderr.startswith("Traceback")
    assert "line 3, in <module>\nOSError: [Errno 2] ENOENT\n" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["cp", "gone.py", ":"], FAILED, "gone.py: no such file or directory"),
        (["cp", ":gone.py", "."], FAILED, "gone.py: no such file or directory"),
        (["cp", "src", ":"], FAILED, "cp -r"),
        (["cp", "src/main.py", ":nowhere/"], FAILED, "no such directory"),
        (["cp", "src/main.py", ":nowhere/main.py"], FAILED, "no such file or directory"),
        (["cp", "src/main.py", "other.py"], USAGE, "neither is on a board"),
        (["ls", ":gone"], FAILED, "gone: no such file or directory"),
        (["ls", "gone"], USAGE, "write NAME:gone, or :gone"),
        (["cat", ":gone"], FAILED, "gone: no such file or directory"),
        (["sync", "src/main.py", ":/"], FAILED, "not a directory"),
        (["mv", ":gone", ":there"], FAILED, "gone: no such file or directory"),
        (["exec", "print(1)", "print(2)"], USAGE, "not on a board"),
        (["exec", "a", "b", "c"], USAGE, "in quotes"),
        (["exec", "print('\x03')"], USAGE, "Ctrl-A"),
        (["run", "gone.py"], FAILED, "gone.py: No such file or directory"),
    ],
)
def test_what_fails_is_one_line(there: Way, here: Path, arguments: list[str], code: int, said: str) -> None:
    stderr = there.run(*arguments, code=code).stderr
    assert said in stderr
    assert "Traceback" not in stderr
    if code != USAGE:
        assert stderr.count("\n") == 1


def test_the_old_file_stays_where_there_is_no_space(there: Way, here: Path) -> None:
    (here / "big").write_bytes(bytes(50_000))
    there.run("exec", FULL_DISK)
    there.run("cp", "src/main.py", ":/full/file")
    assert "no space left" in there.run("cp", "big", ":/full/file", code=FAILED).stderr
    assert there.run("cat", ":/full/file").stdout == "import lib.a\n"


FULL_DISK = """
import os
class RamBlocks:
    def __init__(self, count):
        self.data = bytearray(count * 512)
    def readblocks(self, block, buf, off=0):
        start = block * 512 + off
        buf[:] = self.data[start:start + len(buf)]
    def writeblocks(self, block, buf, off=0):
        start = block * 512 + off
        self.data[start:start + len(buf)] = buf
    def ioctl(self, op, arg):
        return {4: len(self.data) // 512, 5: 512, 6: 0}.get(op)
blocks = RamBlocks(60)
os.VfsLfs2.mkfs(blocks)
os.mount(os.VfsLfs2(blocks), '/full')
"""


def test_a_wrong_password(tmp_path: Path) -> None:
    with way("bridge", tmp_path) as there:
        said = there.run("ls", "--password", "wrong", ":", code=NO_BOARD).stderr
    assert "does not accept the password: give the right one with --password-file" in said


def test_no_password(tmp_path: Path) -> None:
    with way("bridge", tmp_path) as there:
        result = CliRunner(env={"WEBREPL_PASSWORD": None}).invoke(cli, ["ls", *there.options[:2], ":"])
    assert result.exit_code == USAGE
    assert "--password-file" in result.stderr


def test_a_password_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    with way("bridge", tmp_path) as there:
        arguments = ["df", f"{there.url}:/", "--password-file", str(tmp_path / "password")]
        assert CliRunner().invoke(cli, arguments).exit_code == 0


def test_no_bridge_and_no_board() -> None:
    for where in (["--url", "http://127.0.0.1:1", "--password", "x"], ["--serial", "/dev/ttyNoSuchBoard"]):
        result = CliRunner().invoke(cli, ["ls", *where, ":"])
        assert result.exit_code == NO_BOARD
        assert result.stderr.count("\n") == 1


def test_options_in_front_of_a_command_are_not_dropped() -> None:
    result = CliRunner().invoke(cli, ["--serial", "/dev/ttyUSB0", "ls", ":"])
    assert result.exit_code == USAGE
    assert "behind it" in result.stderr
    result = CliRunner().invoke(cli, ["ls", "--serial", "/dev/ttyUSB0", "lab1:"])
    assert result.exit_code == USAGE
    assert "write :PATH" in result.stderr
