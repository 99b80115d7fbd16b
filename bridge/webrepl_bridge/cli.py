"""The command line."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from webrepl_link.errors import OpenError, WebReplError
from webrepl_transports import ResetOnOpen, list_ports

from .boards.auto import Framing
from .boards.opening import BoardOptions
from .boards.stock import WhileRunning
from .commands.shim import shim
from .frontends.app import bridge_version
from .frontends.passwords import generate_password
from .frontends.server import parse_listen
from .serve import BridgeOptions, run_bridge

DEFAULT_LISTEN = ":8266"


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--serial", metavar="PORT", help="Device, id:SERIALNUMBER, auto (default), or a URL such as tcp://HOST:PORT."
)
@click.option("--wait", is_flag=True, help="Wait for a board that is not there at the start, instead of giving up.")
@click.option("--demo", is_flag=True, help="No board: run a real MicroPython on this computer instead.")
@click.option("--baud", type=click.IntRange(min=1), default=115200, show_default=True, help="Speed of a serial line.")
@click.option(
    "--listen",
    metavar="[HOST]:PORT",
    multiple=True,
    default=(DEFAULT_LISTEN,),
    show_default=True,
    help="Address to serve clients on; can be repeated. Without HOST: every interface of this computer.",
)
@click.option("--password", envvar="WEBREPL_PASSWORD", help="Password for clients. Others can read a command line.")
@click.option(
    "--password-file", type=click.Path(path_type=Path), help="File with the password. Without one, one is made up."
)
@click.option(
    "--while-running",
    type=click.Choice([choice.value for choice in WhileRunning]),
    default=WhileRunning.INTERRUPT.value,
    show_default=True,
    help="What a file transfer does when a program is running on the board.",
)
@click.option(
    "--framing",
    type=click.Choice([choice.value for choice in Framing]),
    default=Framing.AUTO.value,
    show_default=True,
    help="What is on the wire: a bare REPL (none), the firmware's own WebREPL (plain), the shim's link, or found out "
    "by listening.",
)
@click.option(
    "--board-password",
    envvar="WEBREPL_BOARD_PASSWORD",
    default="",
    help="What the board's own WebREPL asks for, with plain framing; at most 9 characters.  [default: none]",
)
@click.option(
    "--reset-on-open",
    type=click.Choice([choice.value for choice in ResetOnOpen]),
    default=ResetOnOpen.KEEP.value,
    show_default=True,
    help="What opening the port does with DTR and RTS: keep running boards running, never touch the lines, "
    "release both, or hard: reset the board.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log every detail.")
@click.version_option(bridge_version(), prog_name="webrepl-bridge")
@click.pass_context
def cli(
    context: click.Context,
    *,
    serial: str | None,
    wait: bool,
    demo: bool,
    baud: int,
    listen: tuple[str, ...],
    password: str | None,
    password_file: Path | None,
    while_running: str,
    framing: str,
    board_password: str,
    reset_on_open: str,
    verbose: bool,
) -> None:
    """Serve a wired MicroPython board to every WebREPL client.

    Open the printed address in a browser, or use it with webrepl_cli.py, Thonny, mpfshell and the others.
    """
    if context.invoked_subcommand:
        return
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    if demo and serial:
        raise click.UsageError("--demo brings its own board; leave out --serial")
    for address in listen:
        try:
            parse_listen(address)
        except OpenError as error:
            raise click.UsageError(str(error)) from error
    chosen = _password(context, password, password_file)
    board = BoardOptions(
        url=serial or "auto",
        baud=baud,
        reset_on_open=ResetOnOpen(reset_on_open),
        while_running=WhileRunning(while_running),
        framing=Framing(framing),
        board_password=board_password,
    )
    options = BridgeOptions(
        board=board,
        wait=wait,
        demo=demo,
        listen=listen,
        password=chosen or generate_password(),
        name="demo" if demo else _board_name(serial or "board"),
    )

    def ready(board: str, ports: list[int]) -> None:
        made_up = "" if chosen else "   (made up for this run; --password-file keeps one)"
        host = _host_to_open(listen[0])
        click.echo(f"Board:     {board}")
        click.echo(f"Browser:   http://{host}:{ports[0]}/")
        click.echo(f"Clients:   ws://{host}:{ports[0]}/")
        click.echo(f"Password:  {options.password if not chosen else 'as you chose it'}{made_up}")
        click.echo("Ctrl-C stops the bridge.")
        sys.stdout.flush()

    try:
        asyncio.run(run_bridge(options, ready=ready))
    except WebReplError as error:
        _fail(error)


@cli.command()
def ports() -> None:
    """List the serial ports of this computer, and which of them look like boards."""
    found = list_ports()
    if not found:
        click.echo("No serial port is there. Plug a board in; a cable that only charges shows nothing.")
        return
    table = Table("Port", "What", "USB id", "Serial number", "Board?", box=None, pad_edge=False)
    for port in found:
        looks = "yes" if port.looks_like_board else ""
        table.add_row(port.device, port.what, port.usb_id or "", port.serial_number or "", looks)
    Console().print(table)


cli.add_command(shim)


def _password(context: click.Context, password: str | None, password_file: Path | None) -> str | None:
    if password_file is not None:
        if context.get_parameter_source("password") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError("give --password or --password-file, not both")
        try:
            password = password_file.read_text("utf-8").strip("\r\n")
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise click.UsageError(f"cannot read the password from {password_file}: {reason}") from error
    if password is None:
        return None
    if not password or re.search(r"[\r\n]", password):
        raise click.UsageError("the password must be one line, and not empty")
    return password


def _board_name(serial: str) -> str:
    """A name that fits into a path: `ttyUSB0` of `/dev/ttyUSB0`, `10.0.0.7-5000` of `socket://10.0.0.7:5000`."""
    last = re.split(r"[/\\]", serial.partition("?")[0].rstrip("/\\"))[-1].removeprefix("id:")
    return re.sub(r"[^\w.-]", "-", last) or "board"


def _host_to_open(listen: str) -> str:
    host = listen.rpartition(":")[0]
    return host if host and host not in ("0.0.0.0", "[::]") else "localhost"


def _fail(error: WebReplError) -> None:
    click.echo(f"webrepl-bridge: {error}", err=True)
    sys.exit(1)


def main() -> None:
    """The entry point of the command `webrepl-bridge`."""
    cli()
