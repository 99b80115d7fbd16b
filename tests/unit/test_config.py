"""The configuration file: what it may say, and how its errors are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from webrepl_bridge.boards.auto import Framing
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.boards.stock import WhileRunning
from webrepl_bridge.config import (
    ConfigError,
    LabTable,
    certificate_of,
    passwords_of,
    plan_of,
    read_config,
    with_settings,
)
from webrepl_bridge.lab.plan import Door, Listener
from webrepl_bridge.session import Limits
from webrepl_transports import ResetOnOpen


def write(folder: Path, text: str) -> Path:
    path = folder / "lab.toml"
    path.write_text(text)
    return path


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        listen = [":8266", "[::1]:8267"]
        default = "lab1"
        auto-boards = true
        password = "secret"
        tcp = [":2323"]
        record = "recordings"
        mdns = true
        accept-boards = "/dial-in"
        board-token-file = "token"
        watch-password = "look"
        max-clients = 1
        scrollback = 0
        baud = 9600
        [boards.lab1]
        url = "id:E66038B713"
        listen = ["127.0.0.2:8266"]
        rfc2217 = ["0.0.0.0:2217"]
        [boards."pico.2"]
        url = "/dev/ttyACM0"
        baud = 57600
        framing = "plain"
        while-running = "refuse"
        reset-on-open = "never"
        board-password = "p"
        """,
    )
    (tmp_path / "token").write_text("let me in\n")
    plan = plan_of(read_config(path))
    assert (plan.accept_boards, plan.board_token) == ("/dial-in", "let me in")
    assert plan.boards == {
        "lab1": BoardOptions("id:E66038B713", 9600),
        "pico.2": BoardOptions(
            "/dev/ttyACM0", 57600, ResetOnOpen.NEVER, WhileRunning.REFUSE, Framing.PLAIN, board_password="p"
        ),
    }
    assert (plan.listen, plan.default, plan.auto) == ((":8266", "[::1]:8267"), "lab1", BoardOptions("auto", 9600))
    assert plan.board_listen == {"lab1": ("127.0.0.2:8266",)}
    assert (plan.required, plan.password, plan.watch_password) == (frozenset(), "secret", "look")
    assert plan.limits == Limits(1, 0)
    assert plan.tools == (
        Listener("localhost:2323", "", Door.TCP),
        Listener("0.0.0.0:2217", "lab1", Door.RFC2217),
    )
    assert plan.record == tmp_path / "recordings"
    assert plan.mdns


def test_a_password_file_is_looked_for_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("shh\n")
    table = read_config(write(tmp_path, 'password-file = "secret"\nwatch-password = "look"'))
    assert passwords_of(table) == ("shh", "look")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[boards.lab1]\nurl = 'COM1'\nbuad = 9600", ":3: boards.lab1.buad: there is no such key"),
        ("\n[boards.lab1]\nbaud = 9600", ":2: boards.lab1.url: is missing"),
        ("[boards.lab1]\nurl = 'COM1'\n\nbaud = -1\n", ":4: boards.lab1.baud: Input should be greater than 0"),
        ("accept-boards = 'dial-in'", ":1: accept-boards: String should match pattern"),
        ("[boards.'lab 1']\nurl = 'COM1'", "'lab 1' cannot be a board's name"),
        ("[boards.health]\nurl = 'COM1'", "'health' cannot be a board's name"),
        ("# here\nlisten = ['8266']", ":2: listen.0: cannot listen on '8266': write HOST:PORT"),
        ("listen = [\n ':1',\n 'x',\n]\nbaud = 1", ":4: listen.1: cannot listen on 'x'"),
        ("[boards.a]\nurl = 'uart://COM1?bd=1'", ":2: boards.a.url: unknown option 'bd'"),
        ("[boards.a]\nurl = 'COM1'\nframing = 'x'", ":3: boards.a.framing: Input should be 'auto', 'none'"),
        ("frobnicate = 1\nx = 2", ":1: frobnicate: there is no such key; and 1 more"),
        ("password = ''", ":1: password: the password must be one line, and not empty"),
        ("a = = 1", ": Invalid value (at line 1, column 5)"),
    ],
)
def test_an_error_is_one_line_that_says_where(text: str, said: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert said in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1: no boards are named"),
        ("mdns = true\naccept-boards = '/dial-in'", "2: accept-boards needs a board-token"),
        ("password = 'x'\nwatch-password = 'x'", "2: the password for watching must be another one"),
        ("\n\ndefault = 'x'\n[boards.a]\nurl = 'COM1'", "3: the default board 'x' is not one of a"),
        ("\npassword-file = 'missing'", "2: cannot read the password from "),
        (
            "[boards.a]\nurl = 'COM1'\nlisten = [':1']\n[boards.b]\nurl = 'COM2'\nlisten = [':0']\ntcp = [':0', ':1']",
            "7: :1 is taken: each board needs an address of its own",
        ),
        ("accept-boards = '/b'\nboard-token-file = 'missing'", "2: cannot read the password from "),
    ],
)
def test_what_only_the_whole_shows(text: str, said: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        plan_of(read_config(path))
    assert str(caught.value).startswith(f"{path}:{said}")


def test_half_a_certificate(tmp_path: Path) -> None:
    path = write(tmp_path, "mdns = true\ntls-key = 'key.pem'")
    with pytest.raises(ConfigError) as caught:
        certificate_of(read_config(path), tmp_path)
    assert str(caught.value).startswith(f"{path}:2: give tls-cert and tls-key together")


def test_what_the_command_line_says_is_in_no_line_of_the_file(tmp_path: Path) -> None:
    table = read_config(write(tmp_path, "default = 'a'\n[boards.a]\nurl = 'COM1'"))
    with pytest.raises(ConfigError, match=r"^the default board 'x' is not one of a$"):
        plan_of(with_settings(table, {"default": "x"}))
    with pytest.raises(ConfigError, match=r"^no boards are named"):
        plan_of(LabTable())


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_config(tmp_path / "missing.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="it is not text"):
        read_config(tmp_path / "bytes.toml")
    with pytest.raises(ConfigError, match=r"cannot read the password from .*secret: No such file"):
        passwords_of(read_config(write(tmp_path, 'password-file = "secret"')))
