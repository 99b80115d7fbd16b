"""Programs for the board, made as small as the wire wants them."""

from __future__ import annotations

import ast
import functools
import importlib.resources
import io
import keyword
import re
import string
import token
import tokenize

_LAYOUT = {token.COMMENT, token.NL, token.ENCODING, token.ENDMARKER}


@functools.cache
def program(name: str) -> bytes:
    """Return the source of `webrepl_programs/<name>.py`, compact.

    Every byte of it crosses the wire before a transfer can start: 87 microseconds each at 115200 baud.
    """
    source = importlib.resources.files("webrepl_programs").joinpath(f"{name}.py").read_text("utf-8")
    return compact(source).encode()


def compact(source: str) -> str:
    """Return Python `source` that does the same with fewer characters.

    Comments and needless blanks go, and the names of local variables and parameters become one letter. So the
    source must call no function of its own by keyword.
    """
    short_names = _short_names(ast.parse(source))
    written = io.StringIO()
    depth = 0
    at_line_start = True
    previous = ""
    for kind, text, *_ in tokenize.generate_tokens(io.StringIO(source).readline):
        if kind in _LAYOUT:
            continue
        if kind == token.INDENT:
            depth += 1
        elif kind == token.DEDENT:
            depth -= 1
        elif kind == token.NEWLINE:
            written.write("\n")
            at_line_start = True
        else:
            if previous != ".":
                text = short_names.get(text, text)
            if at_line_start:
                written.write(" " * depth)
                at_line_start = False
            elif _is_word(previous) and _is_word(text):
                written.write(" ")
            written.write(text)
            previous = text
    return _join_suites(written.getvalue())


def _join_suites(source: str) -> str:
    # A suite of one simple statement goes on the line of its header.
    return re.sub(r"^( *)(\S.*:)\n\1 (?!\S.*:$)(\S.*)\n(?!\1 )", r"\1\2\3\n", source, flags=re.MULTILINE)


def _short_names(tree: ast.AST) -> dict[str, str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    local = {arg.arg for function in functions for arg in function.args.args}
    for function in functions:
        names = (node for node in ast.walk(function) if isinstance(node, ast.Name))
        local |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
    taken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - local
    letters = (letter for letter in string.ascii_letters if letter not in taken)
    return dict(zip(sorted(local), letters, strict=False))


def _is_word(text: str) -> bool:
    return text[:1].isalnum() or text[:1] == "_" or keyword.iskeyword(text)
