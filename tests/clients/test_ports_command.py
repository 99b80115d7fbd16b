"""`webrepl-bridge ports` beside a bridge that runs."""

from __future__ import annotations

from importlib import import_module

import pytest
from click.testing import CliRunner

from board_kit.unix_vm import UnixVM
from clients.conftest import Bridge
from webrepl_bridge.cli import cli
from webrepl_transports import PortKind, SerialPort

ports = import_module("webrepl_bridge.commands.ports")  # not the command of that name


@pytest.mark.parametrize("bridge", [1], ids=["bridge"], indirect=True)
def test_the_bridge_says_what_it_serves(bridge: Bridge, unix_vm: UnixVM, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "list_ports", lambda: [SerialPort(unix_vm.device, "a pty", PortKind.OTHER)])
    monkeypatch.setenv("COLUMNS", "200")
    url = f"http://{bridge.host}:{bridge.port}"
    result = CliRunner().invoke(cli, ["ports", "--url", url, "--password", bridge.password])
    assert f"{unix_vm.device} a pty unix" in " ".join(result.output.split())
