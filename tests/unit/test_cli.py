"""The command line, as far as it goes without a board."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from webrepl_bridge import cli as cli_module
from webrepl_bridge.boards.auto import Framing
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.boards.stock import WhileRunning
from webrepl_bridge.cli import cli
from webrepl_bridge.commands.control import BridgeError
from webrepl_bridge.lab.hotplug import PortWatch
from webrepl_bridge.lab.keeper import Keeper
from webrepl_bridge.lab.lab import Lab
from webrepl_bridge.lab.plan import Door, LabPlan, Listener
from webrepl_bridge.session import Session
from webrepl_link.errors import OpenError
from webrepl_transports import PortKind, SerialPort

if TYPE_CHECKING:
    from collections.abc import Callable

ports = import_module("webrepl_bridge.commands.ports")  # not the command of that name


@pytest.fixture
def bridged(monkeypatch: pytest.MonkeyPatch) -> list[LabPlan]:
    """Catch what would be bridged."""
    caught: list[LabPlan] = []

    async def run_bridge(plan: LabPlan, *, ready: Callable[[Lab, dict[Listener, int]], None], **_: object) -> None:
        caught.append(plan)
        lab = Lab()
        for name, options in plan.boards.items():
            lab.sessions[name] = Session(name)
            lab.keepers[name] = Keeper(lab.sessions[name], options, PortWatch())
        ready(lab, {listener: 8266 + number for number, listener in enumerate(plan.listeners())})

    monkeypatch.setattr(cli_module, "run_bridge", run_bridge)
    monkeypatch.delenv("WEBREPL_PASSWORD", raising=False)
    return caught


def test_the_one_command(bridged: list[LabPlan]) -> None:
    result = CliRunner().invoke(cli, ["--serial", "/dev/ttyUSB0", "--listen", ":8266"])
    assert result.exit_code == 0
    (plan,) = bridged
    assert plan == LabPlan(
        {"ttyUSB0": BoardOptions("/dev/ttyUSB0")}, (":8266",), plan.password, required=frozenset({"ttyUSB0"})
    )
    assert plan.password in result.stdout
    assert "http://localhost:8266/" in result.stdout


def test_without_options_the_plugged_in_board_is_served(bridged: list[LabPlan]) -> None:
    assert CliRunner().invoke(cli).exit_code == 0
    assert (bridged[0].boards, bridged[0].listen) == ({"auto": BoardOptions("auto")}, (":8266",))


def test_several_boards(bridged: list[LabPlan]) -> None:
    result = CliRunner().invoke(
        cli,
        [
            "--board",
            "lab1=uart:///dev/ttyUSB0?baud=9600",
            "--board",
            "tcp://h:5000",
            "--serial",
            "COM3",
            "--baud",
            "300",
        ],
    )
    assert result.exit_code == 0
    assert {name: (board.url, board.baud) for name, board in bridged[0].boards.items()} == {
        "COM3": ("COM3", 300),
        "lab1": ("uart:///dev/ttyUSB0?baud=9600", 300),
        "h-5000": ("tcp://h:5000", 300),
    }
    for said in ("lab1   ws://localhost:8266/lab1 ", "Clients:   ws://localhost:8266/NAME"):
        assert said in result.stdout


def test_boards_that_need_not_be_there(bridged: list[LabPlan]) -> None:
    assert CliRunner().invoke(cli, ["--wait", "--auto-boards"]).exit_code == 0
    assert (bridged[0].boards, bridged[0].required, bridged[0].auto) == ({}, frozenset(), BoardOptions("auto"))


def test_the_command_line_goes_before_the_file(bridged: list[LabPlan], tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(
        """
listen = [":1", ":2"]
default = "lab1"
baud = 9600
password-file = "secret"
[boards.lab1]
url = "COM1"
listen = ["127.0.0.2:8266"]
[boards.lab2]
url = "COM2"
framing = "link"
"""
    )
    (tmp_path / "secret").write_text("from the file\n")
    arguments = ["--config", str(path), "--board", "lab3=COM3", "--baud", "300", "--default", "lab3"]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0
    assert bridged == [
        LabPlan(
            boards={
                "lab1": BoardOptions("COM1", 300),
                "lab2": BoardOptions("COM2", 300, framing=Framing.LINK),
                "lab3": BoardOptions("COM3", 300),
            },
            listen=(":1", ":2"),
            board_listen={"lab1": ("127.0.0.2:8266",)},
            default="lab3",
            password="from the file",
            required=frozenset({"lab3"}),
        )
    ]
    assert "lab1   ws://127.0.0.2:8268/ " in result.stdout


@pytest.mark.parametrize("framing", Framing)
def test_what_is_on_the_wire_can_be_said(bridged: list[LabPlan], framing: Framing) -> None:
    assert CliRunner().invoke(cli, ["--framing", framing.value]).exit_code == 0
    assert bridged[0].boards["auto"].framing is framing


def test_the_shims_line_has_to_be_said() -> None:
    result = CliRunner().invoke(cli, ["shim", "install"])
    assert result.exit_code == 2
    assert "--uart" in result.output


@pytest.mark.parametrize("command", [["install", "--uart", "1"], ["status"], ["remove"]])
def test_a_shim_on_no_board_is_one_line(command: list[str]) -> None:
    result = CliRunner().invoke(cli, ["shim", *command, "--serial", "/dev/nothing-here"])
    assert result.exit_code == 1
    assert result.output.startswith("webrepl-bridge: ")
    assert result.output.count("\n") == 1


def test_framing_and_the_boards_password(bridged: list[LabPlan]) -> None:
    assert CliRunner().invoke(cli, ["--framing", "plain", "--board-password", "secret"]).exit_code == 0
    assert CliRunner().invoke(cli, env={"WEBREPL_BOARD_PASSWORD": "other"}).exit_code == 0
    assert [(plan.boards["auto"].framing, plan.boards["auto"].board_password) for plan in bridged] == [
        (Framing.PLAIN, "secret"),
        (Framing.AUTO, "other"),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="the demo needs a pty")
def test_the_demo(bridged: list[LabPlan]) -> None:
    assert CliRunner().invoke(cli, ["--demo", "--while-running", "wait", "--listen", "[::1]:9"]).exit_code == 0
    board = bridged[0].boards["demo"]
    assert (board.url != "auto", board.while_running) == (True, WhileRunning.WAIT)


def test_a_chosen_password_is_not_printed(bridged: list[LabPlan], tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("from a file\n")
    for arguments, environment, expected in (
        (["--password", "secret"], {}, "secret"),
        ([], {"WEBREPL_PASSWORD": "from outside"}, "from outside"),
        (["--password-file", str(path)], {"WEBREPL_PASSWORD": "from outside"}, "from a file"),
    ):
        result = CliRunner(env=environment).invoke(cli, arguments)
        assert bridged.pop().password == expected
        assert expected not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--demo", "--serial", "COM3"], "--demo brings its own board"),
        (["--serial", "COM3", "--board", "COM3"], "two boards are called 'COM3'"),
        (["--board", "lab 1=COM3"], "'lab 1' cannot be a board's name"),
        (["--serial", "COM3", "--default", "lab1"], "the default board 'lab1' is not one of COM3"),
        (["--config", "/no/such/file"], "cannot read /no/such/file: No such file"),
        (["--password", ""], "not empty"),
        (["--password", "two\nlines"], "one line"),
        (["--password", "x", "--password-file", "y"], "not both"),
        (["--password-file", "/no/such/file"], "No such file"),
        (["--baud", "0"], "not in the range"),
        (["--while-running", "sometimes"], "'sometimes' is not one of"),
        (["--listen", "8266"], "write HOST:PORT"),
        (["--frobnicate"], "No such option"),
        (["frobnicate"], "No such command"),
    ],
)
def test_a_wrong_command_line_is_said_and_exits_with_2(arguments: list[str], said: str, bridged: list[LabPlan]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not bridged


def test_a_password_file_that_is_no_text(bridged: list[LabPlan], tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(b"\xff\xfe")
    result = CliRunner().invoke(cli, ["--password-file", str(path)])
    assert (result.exit_code, bridged) == (2, [])
    assert "it is not text" in result.stderr


def test_a_failure_is_one_line_and_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run_bridge(*_: object, **__: object) -> None:
        raise OpenError("there is no port X")

    monkeypatch.setattr(cli_module, "run_bridge", run_bridge)
    result = CliRunner().invoke(cli, ["--serial", "X"])
    assert (result.exit_code, result.stderr) == (1, "webrepl-bridge: there is no port X\n")


@pytest.mark.parametrize(
    ("serial", "name"),
    [
        ("/dev/serial/by-id/usb-Pico_E66-if00", "usb-Pico_E66-if00"),
        ("COM3", "COM3"),
        ("socket://10.0.0.7:5000", "10.0.0.7-5000"),
        ("uart:///dev/ttyACM0?baud=9600", "ttyACM0"),
        ("id:E6 60", "E6-60"),
        (r"\\.\COM10", "COM10"),
        ("auto", "auto"),
    ],
)
def test_a_board_is_named_after_its_port(serial: str, name: str, bridged: list[LabPlan]) -> None:
    CliRunner().invoke(cli, ["--serial", serial])
    assert list(bridged[0].boards) == [name]


PICO = SerialPort("/dev/ttyACM0", "Raspberry Pi Pico", PortKind.BOARD, "2e8a:0005", "E660", "Board", True)


@pytest.mark.parametrize(
    ("answer", "arguments", "shown"),
    [
        ({"boards": [{"name": "lab1", "on": "/dev/ttyACM0 at 115200 baud", "version": "1.25.0"}]}, [], "lab1 1.25.0"),
        ({"boards": [{"name": "lab1", "on": "/dev/ttyACM0 at 115200 baud", "version": None}]}, [], "lab1"),
        ({"boards": [{"name": "lab1", "on": None, "version": None}]}, [], ""),
        ({"boards": [{"name": "lab1"}]}, [], "--password or --password-file shows which."),
        ({"boards": []}, [], ""),
        (["no", "bridge"], [], ""),
        (["no", "bridge"], ["--url", "http://h"], "what answers at http://h is no bridge"),
        (BridgeError("no bridge answers"), [], ""),
        (BridgeError("no bridge answers"), ["--url", "http://h"], "no bridge answers"),
        (BridgeError("wrong password"), [], "wrong password"),
    ],
)
def test_ports_lists_what_is_there_and_what_runs_on_it(
    answer: object, arguments: list[str], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def query(*_: object, **__: object) -> str:
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer)

    monkeypatch.setattr(ports, "list_ports", lambda: [PICO])
    monkeypatch.setattr(ports, "query", query)
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(cli, ["ports", *arguments])
    assert result.exit_code == 0
    said = " ".join(result.output.split())
    assert "/dev/ttyACM0 Raspberry Pi Pico 2e8a:0005 E660 yes" in said
    assert said.endswith(shown or "yes")


def test_ports_where_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "list_ports", list)
    assert "Plug a board in" in CliRunner().invoke(cli, ["ports"]).stdout


def test_https(bridged: list[LabPlan], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("click.get_app_dir", lambda name: str(tmp_path / name))
    result = CliRunner().invoke(cli, ["--tls", "self-signed", "--listen", "127.0.0.9:1"])
    assert result.exit_code == 0
    assert "https://127.0.0.9:8266/" in result.stdout
    assert "wss://127.0.0.9:8266/" in result.stdout
    certificate = bridged[0].certificate
    assert certificate is not None
    assert certificate.fingerprint() in result.stdout
    files = ["--tls-cert", str(certificate.certificate), "--tls-key", str(certificate.key)]
    assert CliRunner().invoke(cli, files).exit_code == 0
    assert bridged[1].certificate == certificate


def test_https_that_cannot_be(bridged: list[LabPlan]) -> None:
    assert CliRunner().invoke(cli, ["--tls-cert", "cert.pem"]).exit_code == 2
    result = CliRunner().invoke(cli, ["--tls-cert", "missing.pem", "--tls-key", "missing.pem"])
    assert result.exit_code == 1
    assert "cannot use the certificate missing.pem" in result.output
    assert not bridged


def test_other_origins_can_be_let_in(bridged: list[LabPlan]) -> None:
    assert CliRunner().invoke(cli, ["--allow-origin", "https://a.example", "--allow-origin", "*"]).exit_code == 0
    assert bridged[0].allow_origins == ("https://a.example", "*")


def test_ways_in_for_tools_and_a_recording(bridged: list[LabPlan]) -> None:
    arguments = ["--rfc2217", ":2217", "--tcp", "0.0.0.0:2323", "--record", "casts"]
    result = CliRunner().invoke(cli, ["--serial", "COM3", *arguments])
    assert result.exit_code == 0
    assert bridged[0].tools == (
        Listener("localhost:2217", "", Door.RFC2217),
        Listener("0.0.0.0:2323", "", Door.TCP),
    )
    assert bridged[0].record == Path("casts")
    assert "rfc2217://localhost:8267   (no password)" in result.stdout
    assert "socket://localhost:8268   (no password)" in result.stdout
    assert CliRunner().invoke(cli, ["--tcp", "nonsense"]).exit_code == 2
