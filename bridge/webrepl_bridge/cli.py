"""The command line."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webrepl_link.errors import WebReplError
from webrepl_transports import ResetOnOpen

from .boards.auto import Framing
from .boards.stock import WhileRunning
from .commands import control, files, running
from .commands.ports import ports
from .commands.shim import shim
from .config import (
    DEFAULT_LISTEN,
    ConfigError,
    LabTable,
    certificate_of,
    plan_of,
    read_config,
    with_settings,
)
from .demo import demo_board
from .frontends.app import bridge_version
from .frontends.dial_in import PATH as DIAL_IN_PATH
from .frontends.passwords import generate_password
from .lab.naming import is_name, name_of_url
from .lab.plan import Door
from .protocol.wiring import Wiring
from .serve import run_bridge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .lab.lab import Lab
    from .lab.plan import LabPlan, Listener


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--serial",
    metavar="PORT",
    multiple=True,
    help="Device, id:SERIALNUMBER, auto (default), or a URL such as tcp://HOST:PORT; can be repeated.",
)
@click.option(
    "--board",
    metavar="[NAME=]URL",
    multiple=True,
    help="The same, with the name that clients call it by; can be repeated.",
)
@click.option("--auto-boards", is_flag=True, help="Serve every board that is plugged in, now or later.")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="File that describes the boards, in TOML."
)
@click.option("--default", metavar="NAME", help="Which of several boards is at / of the address.")
@click.option(
    "--accept-boards",
    metavar="[PATH]",
    is_flag=False,
    flag_value=DIAL_IN_PATH,
    help=f"Let boards in that call, at PATH/NAME.  [without PATH: {DIAL_IN_PATH}]",
)
@click.option("--board-token", envvar="WEBREPL_BOARD_TOKEN", help="What boards that call must know.")
@click.option("--board-token-file", type=click.Path(path_type=Path), help="File with that.")
@click.option("--wait", is_flag=True, help="Wait for a board that is not there at the start, instead of giving up.")
@click.option("--demo", is_flag=True, help="No board: run a real MicroPython on this computer instead.")
@click.option("--baud", type=click.IntRange(min=1), help="Speed of a serial line.  [default: 115200]")
@click.option(
    "--listen",
    metavar="[HOST]:PORT",
    multiple=True,
    help=f"Address to serve clients on; can be repeated. Without HOST: every interface of this computer.  "
    f"[default: {DEFAULT_LISTEN}]",
)
@click.option(
    "--rfc2217",
    metavar="[HOST]:PORT",
    multiple=True,
    help="Address for tools that take rfc2217://, such as mpremote; can be repeated. There is no password, so "
    "without HOST it is for this computer only.",
)
@click.option(
    "--tcp", metavar="[HOST]:PORT", multiple=True, help="The same for tools that take socket://, and for terminals."
)
@click.option(
    "--mdns", is_flag=True, help="Announce the bridge on the network by multicast DNS, and list other bridges."
)
@click.option(
    "--record",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Record what the boards print there, in files that asciinema plays.",
)
@click.option("--password", envvar="WEBREPL_PASSWORD", help="Password for clients. Others can read a command line.")
@click.option(
    "--password-file", type=click.Path(path_type=Path), help="File with the password. Without one, one is made up."
)
@click.option(
    "--watch-password", envvar="WEBREPL_WATCH_PASSWORD", help="Password for clients that only watch.  [default: none]"
)
@click.option("--watch-password-file", type=click.Path(path_type=Path), help="File with that password.")
@click.option(
    "--max-clients",
    type=click.IntRange(min=1),
    help="How many may be at a board at once; 1 is what firmware does.  [default: 100]",
)
@click.option(
    "--scrollback",
    metavar="CHARS",
    type=click.IntRange(min=0),
    help="How much of what was shown before a browser that comes late is shown.  [default: 16000]",
)
@click.option(
    "--while-running",
    type=click.Choice([choice.value for choice in WhileRunning]),
    help="What a file transfer does when a program is running on the board.  [default: interrupt]",
)
@click.option(
    "--framing",
    type=click.Choice([choice.value for choice in Framing]),
    help="What is on the wire: a bare REPL (none), the firmware's own WebREPL (plain), the shim's link, or found out "
    "by listening.  [default: auto]",
)
@click.option(
    "--board-password",
    envvar="WEBREPL_BOARD_PASSWORD",
    help="What the board's own WebREPL asks for, with plain framing; at most 9 characters.  [default: none]",
)
@click.option(
    "--wiring",
    type=click.Choice([choice.value for choice in Wiring]),
    help="Where DTR and RTS go on the board, for a hard reset and the boot loader.  [default: auto]",
)
@click.option(
    "--reset-on-open",
    type=click.Choice([choice.value for choice in ResetOnOpen]),
    help="What opening the port does with DTR and RTS: keep running boards running, never touch the lines, "
    "release both, or hard: reset the board.  [default: keep]",
)
@click.option(
    "--tls", type=click.Choice(["self-signed"]), help="Serve https and wss, with a certificate made for this computer."
)
@click.option("--tls-cert", type=click.Path(path_type=Path), help="Serve https and wss with this certificate (PEM).")
@click.option("--tls-key", type=click.Path(path_type=Path), help="The certificate's key (PEM).")
@click.option(
    "--allow-origin",
    metavar="ORIGIN",
    multiple=True,
    help="Pages of this origin may use the bridge too, such as https://lab.example.com; can be repeated.",
)
@click.option("--verbose", "-v", is_flag=True, help="Log every detail.")
@click.version_option(bridge_version(), prog_name="webrepl-bridge")
@click.pass_context
def cli(
    context: click.Context,
    /,
    *,
    serial: tuple[str, ...],
    board: tuple[str, ...],
    config_file: Path | None,
    wait: bool,
    demo: bool,
    verbose: bool,
    **settings: Any,
) -> None:
    """Serve a wired MicroPython board to every WebREPL client.

    Open the printed address in a browser, or use it with webrepl_cli.py, Thonny, mpfshell and the others.
    """
    if context.invoked_subcommand:
        sources = {context.get_parameter_source(name) for name in context.params}
        if click.core.ParameterSource.COMMANDLINE in sources:
            raise click.UsageError(f"the options of {context.invoked_subcommand} are written behind it")
        return
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    if demo and (serial or board or settings["auto_boards"] or config_file):
        raise click.UsageError("--demo brings its own board; leave out the others")
    named = _named_boards(serial, board)
    if demo:
        named = {"demo": "auto"}
    elif not (named or settings["auto_boards"] or settings["accept_boards"] or config_file):
        named = {"auto": "auto"}
    on_command_line = {
        name: value for name, value in settings.items() if not (value is None or value is False or value == ())
    }
    for name in ("password", "watch_password"):
        if settings[f"{name}_file"] is not None:
            if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"give {option} or {option}-file, not both")
            on_command_line.pop(name, None)  # from the environment
    made_up = generate_password()

    def load() -> LabPlan:
        table = read_config(config_file) if config_file else LabTable()
        table = with_settings(table, on_command_line)
        certificate = certificate_of(table, Path(click.get_app_dir("webrepl-bridge")) / "tls")
        return plan_of(table, made_up, boards=named, required=not wait, certificate=certificate)

    try:
        asyncio.run(_bridge(load, demo=demo, made_up=made_up))
    except WebReplError as error:
        click.echo(f"webrepl-bridge: {error}", err=True)
        sys.exit(2 if isinstance(error, ConfigError) else 1)


async def _bridge(load: Callable[[], LabPlan], *, demo: bool, made_up: str) -> None:
    plan = load()
    async with AsyncExitStack() as stack:
        if demo:
            device = await stack.enter_async_context(demo_board())
            plan = replace(plan, boards={name: replace(board, url=device) for name, board in plan.boards.items()})
        await run_bridge(
            plan,
            ready=lambda lab, ports: _greet(lab, ports, plan, made_up=plan.password == made_up),
            reload=None if demo else load,
        )


def _greet(lab: Lab, ports: Mapping[Listener, int], plan: LabPlan, *, made_up: bool) -> None:
    """Say what people need to know at the start.

    Args:
        lab: the boards.
        ports: the port of each address.
        plan: what is bridged.
        made_up: whether nobody has chosen the password.
    """
    tools = {listener: port for listener, port in ports.items() if listener.door is not Door.WEBREPL}
    ports = {listener: port for listener, port in ports.items() if listener not in tools}
    (listener, port), *_ = ports.items()
    address = f"{_host_to_open(listener.address)}:{port}"
    s = "s" if plan.certificate else ""
    several = len(lab.sessions) > 1 or not lab.default
    own = {name.board: f"{_host_to_open(name.address)}:{number}" for name, number in ports.items() if name.board}
    for name, keeper in lab.keepers.items():
        if several:
            at = f"ws{s}://{own[name]}/" if name in own else f"ws{s}://{address}/{name}"
            click.echo(f"Board:     {name}   {at}   {keeper.description}")
        else:
            click.echo(f"Board:     {keeper.description}")
    click.echo(f"Browser:   http{s}://{address}/")
    click.echo(f"Clients:   ws{s}://{address}/{'NAME' if not lab.default else ''}")
    for listener, port in tools.items():
        scheme = "socket" if listener.door is Door.TCP else "rfc2217"
        of = f"   {listener.board}" if listener.board else ""
        click.echo(f"Tools:     {scheme}://{_host_to_open(listener.address)}:{port}{of}   (no password)")
    if plan.accept_boards:
        click.echo(f"Boards:    ws{s}://{address}{plan.accept_boards}/NAME   (for those that call; with the token)")
    if plan.certificate:
        click.echo(f"TLS:       SHA-256 {plan.certificate.fingerprint()}")
    hint = "   (made up for this run; --password-file keeps one)"
    click.echo(f"Password:  {plan.password + hint if made_up else 'as you chose it'}")
    click.echo("Ctrl-C stops the bridge.")
    sys.stdout.flush()


def _named_boards(serial: tuple[str, ...], board: tuple[str, ...]) -> dict[str, str]:
    """The boards of the command line: URLs by name."""
    named: dict[str, str] = {}
    pairs = [("", url) for url in serial]
    for text in board:
        name, equals, url = text.partition("=")
        pairs.append((name, url) if equals and not re.search(r"[:/\\?]", name) else ("", text))
    for name, url in pairs:
        chosen = name or name_of_url(url)
        if not is_name(chosen):
            raise click.UsageError(f"{name!r} cannot be a board's name: letters, digits, '.', '-' and '_'")
        if chosen in named:
            raise click.UsageError(f"two boards are called {chosen!r}: name them with --board NAME=URL")
        named[chosen] = url
    return named


cli.add_command(ports)
cli.add_command(shim)
for command in (*control.commands, *files.commands, *running.commands):
    cli.add_command(command)


def _host_to_open(listen: str) -> str:
    host = listen.rpartition(":")[0]
    return host if host and host not in ("0.0.0.0", "[::]") else "localhost"


def main() -> None:
    """The entry point of the command `webrepl-bridge`."""
    cli()
