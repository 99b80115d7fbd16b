"""Somebody else's transport: installed as a package of its own, found by the command, and a board served over it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from board_kit.ser2net import run_ser2net_at, serial_port
from board_kit.unix_vm import UnixVM
from clients.official import OfficialClient
from running_command import command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ser2net")

EXAMPLE = Path(__file__).parents[2] / "examples" / "webrepl-transport-unix"
TIMEOUT_S = 30


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The example, installed beside our own packages; yields the environment that has both."""
    target = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", target, EXAMPLE], check=True)
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(target), os.environ.get("PYTHONPATH")]))}


def test_serves_a_board_to_the_official_client(installed: dict[str, str], unix_vm: UnixVM, tmp_path: Path) -> None:
    path = tmp_path / "board"
    with (
        run_ser2net_at(f"unix,{path}", serial_port(unix_vm.device)),
        command("--serial", f"unix://{path}", **installed) as (_, port),
    ):

        async def use() -> None:
            async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect("127.0.0.1", port) as client:
                await client.login("secret")
                await client.put_file("main.py", b"print(1)\n")

        asyncio.run(use())
    assert (unix_vm.folder / "main.py").read_bytes() == b"print(1)\n"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("unix:///no/such/socket", ["cannot connect to /no/such/socket: No such file or directory"]),
        ("unix://", ["write unix:///path/of/socket"]),
        ("linux:///no/such", ["unknown scheme 'linux' in 'linux:///no/such': use a device such as", "unix://"]),
    ],
)
def test_what_cannot_be_opened_is_one_line(installed: dict[str, str], url: str, says: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "webrepl_bridge", "--listen", "127.0.0.1:0", "--serial", url],
        env={**os.environ, "WEBREPL_PASSWORD": "secret", **installed},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("webrepl-bridge: ")
    for part in says:
        assert part in last
