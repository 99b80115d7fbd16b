"""`webrepl-bridge boards`, `interrupt`, `reset`, `bootloader`, `takeover`: asked of a bridge that runs."""

from __future__ import annotations

import base64
import json
import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import click
from rich.console import Console
from rich.table import Table

from webrepl_link.errors import WebReplError

from .options import bridge_options, given_password

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_S = 60.0
"""How long the bridge may take: a board that is held is brought to its prompt first."""

board_argument = click.argument("board")


class BridgeError(WebReplError):
    """A running bridge refuses what it is asked for, or there is none."""


def asking(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which bridge is asked, and how to get in."""
    with_certificate = click.option(
        "--ca", type=click.Path(path_type=Path), help="The bridge's certificate, if it has made its own."
    )
    return bridge_options(with_certificate(command))


@click.command()
@asking
@click.option("--json", "as_json", is_flag=True, help="As the bridge says it.")
def boards(*, as_json: bool, **bridge: Any) -> None:
    """Show what a running bridge serves: boards, clients, who has the REPL, files on their way; and other bridges."""
    said = _ask("GET", "/boards", **bridge)
    if as_json:
        click.echo(said.rstrip("\n"))
        return
    table = Table("Board", "On", "Firmware", "REPL", "Clients", "Files", box=None, pad_edge=False)
    state = json.loads(said)
    for board in state["boards"]:
        on = board.get("on") or board.get("absence") or ("connected" if board["connected"] else "not connected")
        mode = board.get("mode") or ""
        repl = f"{mode}, {board['holder']}" if board.get("holder") else mode
        clients = ", ".join(client["name"] for client in board.get("attached", ())) or str(board["clients"] or "")
        files = ", ".join(f"{one['kind']} {one['name']}" for one in board.get("files", ()))
        table.add_row(board["name"], on, board.get("version") or "", repl, clients, files)
    Console().print(table)
    for other in state.get("bridges", ()):
        click.echo(_printable(f"{other['name']}: {other['url']}"))


def _printable(text: str) -> str:
    """What anybody on the network may have said, without what a terminal would obey."""
    return "".join(character if character.isprintable() else "?" for character in text)


@click.command()
@board_argument
@asking
def interrupt(board: str, **bridge: Any) -> None:
    """Interrupt the program on a board, as Ctrl-C does."""
    _act(board, "interrupt", **bridge)


@click.command()
@board_argument
@click.option("--hard", is_flag=True, help="As the reset button does, not only the interpreter.")
@asking
def reset(board: str, *, hard: bool, **bridge: Any) -> None:
    """Restart a board's interpreter, or the board."""
    _act(board, "hard-reset" if hard else "soft-reset", **bridge)


@click.command()
@board_argument
@asking
def bootloader(board: str, **bridge: Any) -> None:
    """Start a board's boot loader."""
    _act(board, "bootloader", **bridge)


@click.command()
@board_argument
@click.option("--disconnect", is_flag=True, help="Disconnect all clients too.")
@asking
def takeover(board: str, *, disconnect: bool, **bridge: Any) -> None:
    """Take the REPL from a client that has it in raw or paste mode, and bring the board to its prompt."""
    _act(board, "takeover?disconnect" if disconnect else "takeover", **bridge)


def _act(board: str, action: str, **bridge: Any) -> None:
    _ask("POST", f"/boards/{quote(board, safe='')}/{action}", **bridge)


def _ask(method: str, path: str, **bridge: Any) -> str:
    """Ask the bridge, and return what it says; what fails is one line, and ends the command."""
    try:
        return query(method, path, **bridge)
    except BridgeError as error:
        _fail(str(error))


def query(
    method: str, path: str, *, url: str, password: str | None, password_file: Path | None, ca: Path | None
) -> str:
    """Ask the bridge, and return what it says.

    Raises:
        BridgeError: it refuses, or there is none; one line.
    """
    secret = given_password(password, password_file)
    if not url.startswith(("http://", "https://")):
        raise click.UsageError(f"{url!r} is no address of a bridge: write http://HOST:PORT")
    request = Request(url.rstrip("/") + path, method=method)
    if secret is not None:
        request.add_header("Authorization", "Basic " + base64.b64encode(f":{secret}".encode()).decode())
    try:
        context = ssl.create_default_context(cafile=str(ca)) if ca is not None else None
        with urlopen(request, timeout=TIMEOUT_S, context=context) as answer:
            return str(answer.read().decode())
    except HTTPError as error:
        reason = error.read().decode("utf-8", "replace").strip() or str(error)
        hint = ": --password or --password-file gives it" if error.code == 401 and secret is None else ""
        raise BridgeError(f"{reason.splitlines()[0].removesuffix('.')}{hint}") from error
    except URLError as error:
        cause = getattr(error.reason, "strerror", None) or error.reason
        raise BridgeError(f"no bridge answers at {url}: {cause}") from error
    except (OSError, ValueError) as error:
        raise BridgeError(f"no bridge answers at {url}: {error}") from error


def _fail(reason: str) -> NoReturn:
    click.echo(f"webrepl-bridge: {reason}", err=True)
    sys.exit(1)


commands = (boards, interrupt, reset, bootloader, takeover)
