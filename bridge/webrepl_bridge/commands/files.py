"""`webrepl-bridge ls`, `tree`, `cat`, `cp`, `sync`, `mv`, `rm`, `mkdir`, `df`: a board's files."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, TypeVar

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from webrepl_link.errors import BoardError

from ..client.sync_plan import Copying, Making, Removal, Step
from ..client.trees import BoardPlace, LocalPlace, Place, copy_file, mirror
from ..protocol.errnos import EISDIR, ENOENT, ENOTDIR
from .boards import BOARD_PATH, BoardPath, Boards, board_command
from .progress import Progress, shown

if TYPE_CHECKING:
    from ..client import Entry


HERE = BoardPath("", "")
P = TypeVar("P", bound=Place)


@click.command()
@click.argument("paths", metavar="[BOARD:PATH]...", type=BOARD_PATH, nargs=-1)
@click.option("--long", "-l", "is_long", is_flag=True, help="With sizes and times.")
@board_command
async def ls(boards: Boards, *, paths: tuple[BoardPath, ...], is_long: bool) -> None:
    """List files and directories of a board."""
    for path in paths or (HERE,):
        files = (await boards.at(path)).files
        entry = await files.stat(path.name)
        for listed in await files.list(path.name) if entry.is_directory else [entry]:
            click.echo(_line(listed) if is_long else _with_slash(listed))


def _with_slash(entry: Entry) -> str:
    return shown(entry.name) + "/" * entry.is_directory


def _line(entry: Entry) -> str:
    changed = time.strftime("%Y-%m-%d %H:%M", time.gmtime(entry.time_s)) if entry.time_s else ""
    return f"{'' if entry.is_directory else entry.size_bytes:>10}  {changed:16}  {_with_slash(entry)}"


@click.command()
@click.argument("path", metavar="[BOARD:PATH]", type=BOARD_PATH, default=HERE)
@board_command
async def tree(boards: Boards, *, path: BoardPath) -> None:
    """Show a directory of a board with all that is in it."""
    root = Tree(Text(shown(path.name) or "."))
    branches = {"": root}
    for entry in await (await boards.at(path)).files.list(path.name, recursive=True):
        parent, _, name = entry.name.rpartition("/")
        size = "/" if entry.is_directory else f"  {entry.size_bytes:,}"
        branches[entry.name] = branches[parent].add(Text(shown(name) + size))
    Console().print(root)


@click.command()
@click.argument("paths", metavar="BOARD:PATH...", type=BOARD_PATH, nargs=-1, required=True)
@board_command
async def cat(boards: Boards, *, paths: tuple[BoardPath, ...]) -> None:
    """Print files of a board, byte by byte as they are."""
    out = sys.stdout.buffer
    for path in paths:
        async for piece in (await boards.at(path)).files.iterate(path.name):
            out.write(piece)
            out.flush()


@click.command()
@click.argument("paths", metavar="BOARD:PATH...", type=BOARD_PATH, nargs=-1, required=True)
@click.option("--recursive", "-r", is_flag=True, help="Directories with all that is in them, too.")
@click.option("--force", "-f", is_flag=True, help="It is no error if something is not there.")
@board_command
async def rm(boards: Boards, *, paths: tuple[BoardPath, ...], recursive: bool, force: bool) -> None:
    """Remove files of a board."""
    for path in paths:
        try:
            await (await boards.at(path)).files.remove(path.name, recursive=recursive)
        except BoardError as error:
            if not (force and error.code == ENOENT):
                raise


@click.command()
@click.argument("paths", metavar="BOARD:PATH...", type=BOARD_PATH, nargs=-1, required=True)
@click.option("--parents", "-p", is_flag=True, help="Those above it as well; it is no error if it is there.")
@board_command
async def mkdir(boards: Boards, *, paths: tuple[BoardPath, ...], parents: bool) -> None:
    """Make directories on a board."""
    for path in paths:
        await (await boards.at(path)).files.mkdir(path.name, parents=parents)


@click.command()
@click.argument("source", metavar="BOARD:PATH", type=BOARD_PATH)
@click.argument("target", metavar="BOARD:PATH", type=BOARD_PATH)
@board_command
async def mv(boards: Boards, *, source: BoardPath, target: BoardPath) -> None:
    """Rename a file or directory of a board, or move it into a directory."""
    if source.board != target.board:
        raise click.UsageError("mv stays on one board: use cp, then rm")
    files = (await boards.at(source)).files
    old = BoardPlace(files, source.name)
    new = await _landing(old, BoardPlace(files, target.name))
    await files.rename(old.name, new.name)


@click.command()
@click.argument("paths", metavar="[BOARD:PATH]...", type=BOARD_PATH, nargs=-1)
@board_command
async def df(boards: Boards, *, paths: tuple[BoardPath, ...]) -> None:
    """Show how much space a board's file system has, in bytes."""
    table = Table("Board", "Total", "Used", "Free", "Use", box=None, pad_edge=False)
    for path in paths or (HERE,):
        board = await boards.at(path)
        space = await board.files.space(path.name)
        used_bytes = space.total_bytes - space.free_bytes
        numbers = [f"{number:,}" for number in (space.total_bytes, used_bytes, space.free_bytes)]
        use = f"{100 * used_bytes / space.total_bytes:.0f} %" if space.total_bytes else ""
        table.add_row(Text(f"{path.board}:{shown(path.name)}"), *numbers, use)
    Console().print(table)


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.argument("target", metavar="TARGET")
@click.option("--recursive", "-r", is_flag=True, help="Directories with all that is in them, too.")
@board_command
async def cp(boards: Boards, *, sources: tuple[str, ...], target: str, recursive: bool) -> None:
    """Copy files to a board, from it, or between boards, as in `cp -r lib main.py lab1:/`.

    A file is stored whole or the old one stays. One that was broken off goes on where it was when it is copied again,
    and of directories what is there already is not sent again.
    """
    end = await boards.place(target)
    starts = [await boards.place(source) for source in sources]
    _check_ways(starts, end)
    is_into = target.endswith(("/", ":")) or len(starts) > 1
    with Progress() as progress:
        for start in starts:
            item = await start.item()
            if item is None:
                raise BoardError(ENOENT, f"{start}: no such file or directory")
            landing = await _landing(start, end, is_into=is_into)
            if not item.is_directory:
                step = Copying(start.base_name, item.size_bytes)
                progress.begin([step])
                progress.step(step)
                await copy_file(start, landing, progress.progress)
            elif recursive:
                await mirror(start, landing, progress)
            else:
                raise BoardError(EISDIR, f"{start}: it is a directory; cp -r copies it")


@click.command()
@click.argument("source", metavar="SOURCE")
@click.argument("target", metavar="TARGET")
@click.option("--delete", is_flag=True, help="Remove what is only in TARGET.")
@click.option("--dry-run", "-n", is_flag=True, help="Only show what would be done.")
@click.option("--exclude", metavar="PATTERN", multiple=True, help="Leave names like this alone, such as '*.pyc'.")
@board_command
async def sync(
    boards: Boards, *, source: str, target: str, delete: bool, dry_run: bool, exclude: tuple[str, ...]
) -> None:
    """Make the directory TARGET like SOURCE, as in `sync src lab1:/`.

    What differs in size or CRC-32 is copied, to a board or from it. Each step is printed.
    """
    start, end = await boards.place(source), await boards.place(target)
    _check_ways([start], end)
    item = await start.item()
    if item is None or not item.is_directory:
        raise BoardError(ENOTDIR, f"{start}: not a directory")
    with Progress(say=_say) as progress:
        await mirror(start, end, progress, delete=delete, dry_run=dry_run, exclude=exclude)


def _say(step: Step) -> str:
    match step:
        case Removal(name):
            return f"remove  {shown(name)}"
        case Making(name):
            return f"mkdir   {shown(name)}"
        case Copying(name, size_bytes):
            return f"copy    {shown(name)}  {size_bytes:,}"


def _check_ways(starts: list[Place], end: Place) -> None:
    if isinstance(end, LocalPlace) and any(isinstance(start, LocalPlace) for start in starts):
        raise click.UsageError("neither is on a board: write NAME:PATH, or :PATH for the only one")


async def _landing(start: Place, end: P, *, is_into: bool = False) -> P:
    """Return where `start` goes if it is told to go to `end`: into it, if that is a directory."""
    item = await end.item()
    if item is not None and item.is_directory:
        if not start.base_name:
            return end  # the root's content
        landing = end.below(start.base_name)
        assert isinstance(landing, type(end))
        return landing
    if is_into and item is not None:
        raise BoardError(ENOTDIR, f"{end}: not a directory")
    if is_into:
        raise BoardError(ENOENT, f"{end}: no such directory")
    return end


commands = (ls, tree, cat, cp, sync, mv, rm, mkdir, df)
