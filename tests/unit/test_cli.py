"""The command line, as far as it goes without a board."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from webrepl_bridge import cli as cli_module
from webrepl_bridge.boards.auto import Framing
from webrepl_bridge.boards.stock import WhileRunning
from webrepl_bridge.cli import cli
from webrepl_link.errors import OpenError
from webrepl_transports import PortKind, SerialPort

if TYPE_CHECKING:
    from pathlib import Path

    from webrepl_bridge.serve import BridgeOptions


@pytest.fixture
def bridged(monkeypatch: pytest.MonkeyPatch) -> list[BridgeOptions]:
    """Catch what would be bridged."""
    caught: list[BridgeOptions] = []

    async def run_bridge(options: BridgeOptions, *, ready: object) -> None:
        caught.append(options)
        ready("a board", [8266])  # type: ignore[operator]

    monkeypatch.setattr(cli_module, "run_bridge", run_bridge)
    monkeypatch.delenv("WEBREPL_PASSWORD", raising=False)
    return caught


def test_the_one_command(bridged: list[BridgeOptions]) -> None:
    result = CliRunner().invoke(cli, ["--serial", "/dev/ttyUSB0", "--listen", ":8266"])
    assert result.exit_code == 0
    (options,) = bridged
    assert (options.board.url, options.listen, options.name, options.board.baud) == (
        "/dev/ttyUSB0",
        (":8266",),
        "ttyUSB0",
        115200,
    )
    assert options.board.while_running is WhileRunning.INTERRUPT
    assert options.password in result.stdout
    assert "http://localhost:8266/" in result.stdout


def test_without_options_the_plugged_in_board_is_served(bridged: list[BridgeOptions]) -> None:
    assert CliRunner().invoke(cli).exit_code == 0
    assert (bridged[0].board.url, bridged[0].listen) == ("auto", (":8266",))


@pytest.mark.parametrize("framing", Framing)
def test_what_is_on_the_wire_can_be_said(bridged: list[BridgeOptions], framing: Framing) -> None:
    assert CliRunner().invoke(cli, ["--framing", framing.value]).exit_code == 0
    assert bridged[0].board.framing is framing


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


def test_framing_and_the_boards_password(bridged: list[BridgeOptions]) -> None:
    assert CliRunner().invoke(cli, ["--framing", "plain", "--board-password", "secret"]).exit_code == 0
    assert CliRunner().invoke(cli, env={"WEBREPL_BOARD_PASSWORD": "other"}).exit_code == 0
    assert [(options.board.framing, options.board.board_password) for options in bridged] == [
        (Framing.PLAIN, "secret"),
        (Framing.AUTO, "other"),
    ]


def test_the_demo(bridged: list[BridgeOptions]) -> None:
    assert CliRunner().invoke(cli, ["--demo", "--while-running", "wait", "--listen", "[::1]:9"]).exit_code == 0
    assert (bridged[0].demo, bridged[0].name, bridged[0].board.while_running) == (True, "demo", WhileRunning.WAIT)


def test_a_chosen_password_is_not_printed(bridged: list[BridgeOptions], tmp_path: Path) -> None:
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
def test_a_wrong_command_line_is_said_and_exits_with_2(
    arguments: list[str], said: str, bridged: list[BridgeOptions]
) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not bridged


def test_a_password_file_that_is_no_text(bridged: list[BridgeOptions], tmp_path: Path) -> None:
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
def test_a_board_is_named_after_its_port(serial: str, name: str, bridged: list[BridgeOptions]) -> None:
    CliRunner().invoke(cli, ["--serial", serial])
    assert bridged[0].name == name


def test_ports_lists_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    pico = SerialPort("/dev/ttyACM0", "Raspberry Pi Pico", PortKind.BOARD, "2e8a:0005", "E660", "Board", True)
    monkeypatch.setattr(cli_module, "list_ports", lambda: [pico])
    result = CliRunner().invoke(cli, ["ports"])
    assert result.exit_code == 0
    for text in ("/dev/ttyACM0", "Raspberry Pi Pico", "2e8a:0005", "E660", "yes"):
        assert text in result.stdout
    monkeypatch.setattr(cli_module, "list_ports", list)
    assert "Plug a board in" in CliRunner().invoke(cli, ["ports"]).stdout
