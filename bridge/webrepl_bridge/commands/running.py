"""`webrepl-bridge exec`, `run`, `repl`: code on a board, and its prompt."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from .boards import BOARD_PATH, BoardPath, Boards, board_command
from .console import raw_keys
from .files import HERE

if TYPE_CHECKING:
    from ..client import Terminal

CTRL_CLOSE_BRACKET = b"\x1d"


def _print(text: str) -> None:
    click.echo(text, nl=False)
    sys.stdout.flush()


@click.command(name="exec")
@click.argument("words", metavar="[BOARD:] CODE", nargs=-1, required=True)
@board_command
async def execute(boards: Boards, *, words: tuple[str, ...]) -> None:
    """Run CODE on a board and print what it prints; `-` is what comes on stdin.

    An exception on the board is printed on stderr, and the exit code is 1.
    """
    path, code = _board_and(words, "CODE")
    code = sys.stdin.read() if code == "-" else code
    await _execute(boards, path, code)


@click.command()
@click.argument("words", metavar="[BOARD:] FILE", nargs=-1, required=True)
@board_command
async def run(boards: Boards, *, words: tuple[str, ...]) -> None:
    """Run a FILE of this computer on a board, without storing it there, and print what it prints.

    An exception on the board is printed on stderr, and the exit code is 1.
    """
    path, name = _board_and(words, "FILE")
    try:
        code = await asyncio.to_thread(Path(name).read_text, "utf-8")
    except UnicodeError as error:
        raise click.UsageError(f"{name} is not text") from error
    await _execute(boards, path, code)


def _board_and(words: tuple[str, ...], what: str) -> tuple[BoardPath, str]:
    if len(words) > 2:
        raise click.UsageError(f"{what} has to be one argument: put it in quotes")
    *board, last = words
    return (BOARD_PATH.convert(board[0], None, None) if board else HERE), last


async def _execute(boards: Boards, path: BoardPath, code: str) -> None:
    board = await boards.at(path)
    try:
        await board.exec(code, _print)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


@click.command()
@click.argument("path", metavar="[BOARD:]", type=BOARD_PATH, default=HERE)
@board_command
async def repl(boards: Boards, *, path: BoardPath) -> None:
    """Be at a board's prompt; Ctrl-] leaves."""
    board = await boards.at(path)
    keys: asyncio.Queue[bytes] = asyncio.Queue()
    with board.terminal() as terminal:
        click.echo(f"{board.description}: Ctrl-] leaves", err=True)
        with raw_keys(keys.put_nowait):
            showing = asyncio.create_task(_show(terminal))
            typing = asyncio.create_task(_type(terminal, keys))
            done, rest = await asyncio.wait((showing, typing), return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await asyncio.wait(rest)
        click.echo(err=True)
        for task in done:
            task.result()
        await board.release()


async def _show(terminal: Terminal) -> NoReturn:
    out = sys.stdout.buffer
    while True:
        out.write(await terminal.read())
        out.flush()


async def _type(terminal: Terminal, keys: asyncio.Queue[bytes]) -> None:
    while True:
        pressed = await keys.get()
        typed, leave, _ = pressed.partition(CTRL_CLOSE_BRACKET)
        if typed:
            await terminal.write(typed)
        if leave or not pressed:
            return


commands = (execute, run, repl)
