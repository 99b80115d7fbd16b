"""What the command says of an address that it cannot open: one line with what to do, and exit code 1."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from webrepl_bridge.cli import cli


def refusal(url: str) -> str:
    """The last line, which says why the command ended."""
    result = CliRunner().invoke(cli, ["--serial", url, "--listen", "127.0.0.1:0"])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    last = result.stderr.splitlines()[-1]
    assert last.startswith("webrepl-bridge: ")
    return last


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("tcp://", "write tcp://HOST:PORT"),
        ("tcp://host", "write tcp://HOST:PORT"),
        ("tcp://host:70000", "write tcp://HOST:PORT"),
        ("tcp://127.0.0.1:1?baud=9600", "unknown option 'baud'"),
        ("tcp://127.0.0.1:1", "nothing listens on 127.0.0.1:1: start the server, or correct the port"),
        ("tcp://no-such-host.invalid:1", "cannot connect to no-such-host.invalid:1"),
        ("rfc2217://host", "write rfc2217://HOST:PORT"),
        ("rfc2217://127.0.0.1:1?baud=fast", "'fast' is no baud rate"),
        ("rfc2217://127.0.0.1:1?reset_on_open=maybe", "use one of keep, never, release, hard"),
        ("rfc2217://127.0.0.1:1", "nothing listens on 127.0.0.1:1"),
        ("uart:///dev/ttyUSB0?parity=even", "unknown option 'parity'"),
        ("telnet://host:23", "unknown scheme 'telnet' in 'telnet://host:23'"),
    ],
)
def test_is_refused_in_one_line(url: str, says: str) -> None:
    assert says in refusal(url)


def test_an_unknown_scheme_is_answered_with_the_known_ones() -> None:
    line = refusal("telnet://host:23")
    for scheme in ("rfc2217", "spi", "spi+ftdi", "tcp", "uart", "ws", "wss"):
        assert f" {scheme}://" in line


@pytest.mark.parametrize(("url", "module"), [("spi+ftdi://", "spi_ftdi"), ("spi:///dev/spidev0.0", "spi_dev")])
def test_a_missing_extra_is_named(url: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, f"webrepl_transports.{module}", raising=False)
    for library in ("pyftdi.spi", "usb.core", "spidev"):
        monkeypatch.setitem(sys.modules, library, None)
    assert "needs the Python package" in (line := refusal(url))
    assert line.endswith("pip install webrepl-bridge[spi]")
