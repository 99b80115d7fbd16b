"""`webrepl-bridge ports`: what is plugged in, what it is, and what runs on it as far as a running bridge knows."""

from __future__ import annotations

import json
import os
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from webrepl_transports import list_ports

from .control import BridgeError, asking, query


@click.command()
@asking
@click.pass_context
def ports(context: click.Context, /, **bridge: Any) -> None:
    """List the serial ports of this computer, which of them look like boards, and what runs on them.

    The last is asked of the bridge that runs on this computer, if there is one, and needs its password.
    """
    found = list_ports()
    if not found:
        click.echo("No serial port is there. Plug a board in; a cable that only charges shows nothing.")
        return
    chosen = context.get_parameter_source("url") is not click.core.ParameterSource.DEFAULT
    served, remark = _served(chosen, bridge)
    table = Table(
        "Port", "What", "USB id", "Serial number", "Board?", "Served as", "Firmware", box=None, pad_edge=False
    )
    for port in found:
        looks = "yes" if port.looks_like_board else ""
        name, firmware = served.get(os.path.realpath(port.device), ("", ""))
        table.add_row(port.device, port.what, port.usb_id or "", port.serial_number or "", looks, name, firmware)
    Console().print(table)
    if remark:
        click.echo(remark, err=True)


def _served(chosen: bool, bridge: dict[str, Any]) -> tuple[dict[str, tuple[str, str]], str]:
    """Ask the bridge for its boards.

    Args:
        chosen: whether somebody has said which bridge to ask, and not merely not denied it.
        bridge: the options that `asking` adds.

    Returns:
        The names and firmware versions of its boards by their devices, and what else there is to say.
    """
    try:
        boards = json.loads(query("GET", "/boards", **bridge))["boards"]
        described = [board for board in boards if "on" in board]
        if boards and not described:
            return {}, "A bridge serves boards here: --password or --password-file shows which."
        return {
            os.path.realpath(str(board["on"]).partition(" at ")[0]): (board["name"], board["version"] or "")
            for board in described
            if board["on"]
        }, ""
    except BridgeError as error:
        return {}, f"webrepl-bridge: {error}" if chosen or "password" in str(error) else ""
    except (ValueError, KeyError, TypeError):
        return {}, f"webrepl-bridge: what answers at {bridge['url']} is no bridge" if chosen else ""
