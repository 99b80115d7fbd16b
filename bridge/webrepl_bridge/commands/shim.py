"""`webrepl-bridge shim`: the shim on a board, put there, looked at, taken off."""

from __future__ import annotations

import asyncio
import re
import sys
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import click

from webrepl_link.errors import OpenError, TransportError, WebReplError
from webrepl_transports import open_stream

from ..boards.shim_files import shim_files
from ..boards.shim_installer import ShimInstaller, ShimStatus
from ..boards.stock import StockBoard
from ..protocol.boot_file import UartStart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

NO_UART = "no UART"

serial_option = click.option(
    "--serial", metavar="PORT", default="auto", show_default=True, help="Where the board's REPL is; as for the bridge."
)
repl_baud_option = click.option(
    "--repl-baud", type=click.IntRange(min=1), default=115200, show_default=True, help="Speed of the REPL's line."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@click.group()
def shim() -> None:
    """Put the shim on a board: its terminal and files over a wire of their own, while its program runs."""


@shim.command()
@serial_option
@repl_baud_option
@click.option("--uart", type=click.IntRange(min=0), required=True, help="The board's UART that gets the shim.")
@click.option("--baud", type=click.IntRange(min=300), default=115200, show_default=True, help="Speed of that UART.")
@click.option("--tx", metavar="PIN", help="Its pins, by number or name, if not the port's own.")
@click.option("--rx", metavar="PIN")
@yes_option
def install(*, serial: str, repl_baud: int, uart: int, baud: int, tx: str | None, rx: str | None, yes: bool) -> None:
    """Put the shim on a stock board and start it from boot.py."""
    start = UartStart(uart, baud, tx, rx)

    async def work() -> None:
        async with _installer(serial, repl_baud) as (installer, where):
            status = await installer.status(uart)
            if status.uart.startswith("no "):
                raise click.ClickException(f"the board has no UART {uart}: {status.uart}")
            files = shim_files(status.mpy)
            size = sum(map(len, files.values()))
            kind = "compiled" if any(name.endswith(".mpy") for name in files) else "source"
            click.echo(f"Board:   {where}")
            click.echo(f"Line:    UART {uart} at {baud} baud, {_pins(start, status)}")
            click.echo(f"Files:   {len(files)} in {status.folder}, {size:,} bytes, {kind}")
            click.echo(
                "boot.py: " + (f"starts {status.start} now; will" if status.start else "will") + f" start {start.call}"
            )
            click.echo("The board is restarted.")
            if not yes:
                click.confirm("Go on?", abort=True)
            await installer.install(start, status)
            click.echo(f"Done: webrepl-bridge --serial PORT --baud {baud} serves it, PORT being on UART {uart}.")

    _run(work())


@shim.command()
@serial_option
@repl_baud_option
def status(*, serial: str, repl_baud: int) -> None:
    """Say what there is of the shim on a board."""

    async def work() -> None:
        async with _installer(serial, repl_baud) as (installer, where):
            status = await installer.status()
            click.echo(f"Board:   {where}")
            if status.files:
                size = sum(map(len, status.files.values()))
                age = "the same as here" if status.is_current else "another version than here"
                click.echo(f"Files:   {len(status.files)} in {status.folder}, {size:,} bytes, {age}")
            else:
                click.echo("Files:   none")
            click.echo(f"boot.py: {'starts ' + status.start if status.start else 'does not start it'}")
            click.echo(f"Running: {'yes' if status.is_running else 'no'}")

    _run(work())


@shim.command()
@serial_option
@repl_baud_option
@yes_option
def remove(*, serial: str, repl_baud: int, yes: bool) -> None:
    """Take off what install has put on, and nothing else."""

    async def work() -> None:
        async with _installer(serial, repl_baud) as (installer, where):
            status = await installer.status()
            if not status.files and not status.start:
                click.echo(f"There is no shim on the board on {where}.")
                return
            click.echo(f"Board:   {where}")
            click.echo(f"Removes: {len(status.files)} files in {status.folder}, and its start in boot.py")
            if not yes:
                click.confirm("Go on?", abort=True)
            await installer.remove(status)
            click.echo("Done: boot.py is as it was.")

    _run(work())


@asynccontextmanager
async def _installer(serial: str, baud: int) -> AsyncIterator[tuple[ShimInstaller, str]]:
    """Run a stock board for the block."""
    stream = await open_stream(serial, baud=baud)
    try:
        board = StockBoard(stream)
        running = asyncio.create_task(board.run())
        try:
            yield ShimInstaller(board, lambda step: click.echo(f"  {step}")), stream.description
            await board.settle()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, TransportError):
                await running
    finally:
        await stream.aclose()


def _pins(start: UartStart, status: ShimStatus) -> str:
    shown = dict(re.findall(r"\b(tx|rx)=(\w+)", status.uart))
    pins = {name: chosen or shown.get(name) for name, chosen in (("tx", start.tx), ("rx", start.rx))}
    said = [f"{name} on pin {pin}" for name, pin in pins.items() if pin]
    return ", ".join(said) or "on the port's own pins"


def _run(work: Coroutine[None, None, None]) -> None:
    try:
        asyncio.run(work)
    except OpenError as error:
        _fail(str(error))
    except TransportError as error:
        _fail(f"the board is gone: {error}")
    except WebReplError as error:
        _fail(f"the board's REPL: {error}")


def _fail(reason: str) -> None:
    click.echo(f"webrepl-bridge: {reason}", err=True)
    sys.exit(1)
