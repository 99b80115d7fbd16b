"""The command with boards that are elsewhere: behind another bridge, or calling; and one line for what is wrong."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from board_kit.unix_shim import shim_that_calls
from board_kit.unix_vm import UnixVM
from clients.official import TEXT, OfficialClient
from running_command import command

TIMEOUT_S = 30


async def calculate(client: OfficialClient) -> None:
    """Use the board until it answers: it may only just be there."""
    await client.send_frame(b"\x03", TEXT)
    await client.read_text_until(">>> ")
    await client.send_frame(b"6*7\r", TEXT)
    await client.read_text_until("42\r\n>>> ")


async def see(port: int) -> None:
    """Attach, and use the board."""
    async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect("127.0.0.1", port) as client:
        await client.login("secret")
        await client.read_text_until("WebREPL connected\r\n>>> ")
        await calculate(client)


def test_a_bridge_behind_a_bridge_that_is_started_anew() -> None:
    async def use(port: int, far: subprocess.Popen[str], far_port: int) -> None:
        async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect("127.0.0.1", port) as client:
            await client.login("secret")
            await client.read_text_until("WebREPL connected\r\n>>> ")
            await calculate(client)
            far.send_signal(signal.SIGTERM)
            await client.read_text_until("[far: disconnected]\r\n")
            await asyncio.to_thread(far.wait, TIMEOUT_S)
            with command("--demo", "--listen", f"127.0.0.1:{far_port}"):
                await client.read_text_until("[far: back]\r\n")
                await calculate(client)

    with socket.create_server(("127.0.0.1", 0)) as reserved:
        far_port = reserved.getsockname()[1]
    with command("--demo", "--listen", f"127.0.0.1:{far_port}") as (far, _):
        url = f"far=ws://127.0.0.1:{far_port}/"
        with command("--board", url, WEBREPL_BOARD_PASSWORD="secret") as (_, port):
            asyncio.run(use(port, far, far_port))


def test_a_board_that_calls(unix_vm: UnixVM) -> None:
    with (
        command("--accept-boards", WEBREPL_BOARD_TOKEN="let me in") as (process, port),
        shim_that_calls(unix_vm, f"ws://127.0.0.1:{port}/dial-in/kitchen", "let me in"),
    ):
        assert process.stderr is not None
        assert any("kitchen: connected" in line for line in process.stderr)
        asyncio.run(see(port))


def test_a_bridges_own_certificate_is_trusted_by_another_and_by_a_board(
    unix_vm: UnixVM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where the certificate is kept
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with command("--accept-boards", "--tls", "self-signed", WEBREPL_BOARD_TOKEN="let me in") as (process, port):
        (pem,) = tmp_path.rglob("certificate.pem")
        der = tmp_path / "ca.der"
        der.write_bytes(ssl.PEM_cert_to_DER_cert(pem.read_text()))
        url = f"wss://localhost:{port}"
        with shim_that_calls(unix_vm, f"{url}/dial-in/kitchen", "let me in", str(der)):
            assert process.stderr is not None
            assert any("kitchen: connected" in line for line in process.stderr)
            settings = {"SSL_CERT_FILE": str(pem), "WEBREPL_BOARD_PASSWORD": "secret"}
            with command("--board", f"far={url}/kitchen", **settings) as (_, near_port):
                asyncio.run(see(near_port))


def failure(*arguments: str) -> str:
    """Run the command; return the one line of its error."""
    done = subprocess.run(
        [sys.executable, "-m", "webrepl_bridge", "--listen", "127.0.0.1:0", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if " WARNING " not in line and " INFO " not in line]
    assert len(errors) == 1
    return errors[0].removeprefix("webrepl-bridge: ")


def test_what_is_wrong_with_a_far_board_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where the certificate is kept
    with command("--demo", "--tls", "self-signed") as (_, port):
        url = f"ws://127.0.0.1:{port}/"
        assert "correct the port, and write ws:// where there is no TLS" not in failure("--board", url)
        assert "certificate does not verify" in failure("--board", f"wss://localhost:{port}/")
    assert "nothing listens there" in failure("--board", url)
    with command("--demo") as (_, port):
        url = f"ws://127.0.0.1:{port}/"
        assert "does not accept the password" in failure("--board", url, "--board-password", "guess")
        assert "There is no board here" in failure("--board", f"{url}nobody", "--board-password", "secret")
        assert "where there is no TLS" in failure("--board", f"wss://127.0.0.1:{port}/")
    assert "write ws://HOST:PORT/" in failure("--board", "ws://:8266")
    assert "ws://, wss://" in failure("--board", "wsss://host")
