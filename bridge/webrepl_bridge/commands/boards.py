"""How commands say which board they mean, reach it, and end."""

from __future__ import annotations

import asyncio
import functools
import re
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import click

from webrepl_link.errors import TransportError, WebReplError

from ..client import ConnectedBoard, PasswordError, ProgramError, connect
from ..client.trees import BoardPlace, LocalPlace, Place
from .options import bridge_options, given_password

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

FAILED, NO_BOARD, INTERRUPTED = 1, 3, 130
"""Exit codes, beside 0 and click's 2 for a wrong command line."""

_ON_BOARD = re.compile(r"(|\w[\w.-]*):(.*)", re.DOTALL)
_AT_URL = re.compile(r"(wss?://(?:\[[^\]]*\]|[^/:\[]+)(?::\d+)?(?:/[^:]*)?)(?::(.*))?", re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")


@dataclass(frozen=True)
class BoardPath:
    """Something on a board, as it was written.

    Attributes:
        board: the board's name, or its URL; empty: the one that the options name.
        name: of the file or directory; empty: the current directory.
    """

    board: str
    name: str


def parse_path(text: str, *, has_drives: bool = sys.platform == "win32") -> BoardPath | None:
    """Understand `NAME:PATH`, `:PATH` or `ws://HOST:PORT/NAME:PATH`; None is returned for a file of this computer."""
    if match := _AT_URL.fullmatch(text):
        return BoardPath(match[1], match[2] or "")
    if has_drives and _DRIVE.match(text):
        return None
    match = _ON_BOARD.fullmatch(text)
    return BoardPath(match[1], match[2]) if match else None


class _BoardPathType(click.ParamType):  # type: ignore[type-arg]
    name = "board:path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> BoardPath:
        if isinstance(value, BoardPath):
            return value
        if (path := parse_path(value)) is None:
            self.fail(f"{value!r} is not on a board: write NAME:{value}, or :{value} for the only one", param, ctx)
        return path


BOARD_PATH = _BoardPathType()


class Boards:
    """The boards that a command uses, each reached once.

    Args:
        stack: what closes them.
        url: of the bridge whose boards are called by name, `http…` or `ws…`.
        serial: where the board is if there is no bridge.
        baud: speed of its line.
        password: the bridge's or the board's; None: not given.
    """

    def __init__(self, stack: AsyncExitStack, *, url: str, serial: str | None, baud: int, password: str | None) -> None:
        if not re.match("(http|ws)s?://", url):
            raise click.UsageError(f"{url!r} is no address of a bridge: write http://HOST:PORT")
        self._stack = stack
        self._bridge = re.sub("^http", "ws", url).rstrip("/")
        self._serial = serial
        self._baud = baud
        self._password = password
        self._connected: dict[str, ConnectedBoard] = {}

    async def at(self, path: BoardPath) -> ConnectedBoard:
        """Return the board of a path, connected.

        Raises:
            OpenError: it cannot be reached.
        """
        url = self._url(path.board)
        if url not in self._connected:
            password = ""
            if url.startswith(("ws://", "wss://")):
                password = self._password = self._ask() if self._password is None else self._password
            board = await self._stack.enter_async_context(connect(url, password=password, baud=self._baud))
            self._connected[url] = board
        return self._connected[url]

    async def place(self, text: str) -> Place:
        """Return the place that is written so, on a board or here."""
        path = parse_path(text)
        return LocalPlace(text) if path is None else BoardPlace((await self.at(path)).files, path.name)

    def _url(self, board: str) -> str:
        if "://" in board:
            return board
        if self._serial is None:
            return f"{self._bridge}/{board}"
        if board:
            raise click.UsageError(f"--serial names the board: write :PATH instead of {board}:PATH")
        return self._serial

    def _ask(self) -> str:
        if not sys.stdin.isatty():
            raise click.UsageError("which password? Give --password-file, or WEBREPL_PASSWORD in the environment")
        password: str = click.prompt("Password", hide_input=True, err=True)
        return password


_OPTIONS: list[Callable[..., Any]] = [
    click.option("--serial", metavar="PORT", help="The board's port, without a bridge; as for the bridge itself."),
    click.option("--baud", type=click.IntRange(min=1), default=115200, show_default=True, help="Speed of its line."),
    bridge_options,
]


def board_command(work: Callable[..., Coroutine[None, None, None]]) -> Callable[..., Any]:
    """Make a command of `work(boards, …)`: with the options that say where boards are, and an end with an exit code."""

    @functools.wraps(work)
    def run(
        *,
        serial: str | None,
        baud: int,
        url: str,
        password: str | None,
        password_file: Path | None,
        **arguments: Any,
    ) -> None:
        password = given_password(password, password_file)

        async def connected() -> None:
            async with _boards(url=url, serial=serial, baud=baud, password=password) as boards:
                await work(boards, **arguments)

        _finish(connected())

    command: Callable[..., Any] = run
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@asynccontextmanager
async def _boards(**where: Any) -> AsyncIterator[Boards]:
    async with AsyncExitStack() as stack:
        yield Boards(stack, **where)


def _finish(work: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(work)
    except PasswordError as error:
        _fail(NO_BOARD, f"{error.where} does not accept the password: give the right one with --password-file")
    except TransportError as error:
        _fail(NO_BOARD, str(error))
    except ProgramError as error:
        click.echo(error.traceback.replace("\r", "").strip(), err=True)
        sys.exit(FAILED)
    except WebReplError as error:
        _fail(FAILED, str(error))
    except BrokenPipeError:
        sys.exit(FAILED)
    except OSError as error:
        _fail(FAILED, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _fail(code: int, reason: str) -> NoReturn:
    click.echo(f"webrepl-bridge: {reason}", err=True)
    sys.exit(code)
