"""What is in deploy/, as far as it can be checked without a computer to deploy to."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from board_kit import firmware
from webrepl_bridge.cli import cli
from webrepl_transports._usb_ids import PRODUCTS, VENDORS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
INSTALLED = "/opt/webrepl-bridge/bin/webrepl-bridge"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="for Linux only")


def run(command: list[str], **environment: str) -> None:
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "webrepl-bridge.service"
    text = (DEPLOY / unit.name).read_text()
    assert text.count(f"ExecStart={INSTALLED} ") == 1
    unit.write_text(text.replace(INSTALLED, sys.executable))
    run([firmware.command("systemd-analyze"), "verify", str(unit)])


def test_the_unit_says_what_the_command_knows() -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", (DEPLOY / "webrepl-bridge.service").read_text(), re.MULTILINE)
    known = {option for parameter in cli.params for option in parameter.opts}
    assert set(re.findall(r"--[\w-]+", line)) <= known


def test_udev_takes_the_rules() -> None:
    program, environment = firmware.udevadm()
    rules = DEPLOY / "60-webrepl-bridge.rules"
    command = [program, "verify", "--resolve-names=never", str(rules)]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_name_every_maker_that_is_known() -> None:
    (vendors,) = re.findall(r'ATTRS\{idVendor\}=="([\w|]+)"', (DEPLOY / "60-webrepl-bridge.rules").read_text())
    known = VENDORS.keys() | {vendor for vendor, _ in PRODUCTS}
    assert vendors.split("|") == [f"{vendor:04x}" for vendor in sorted(known)]


def test_hadolint_takes_the_dockerfile() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    run([str(hadolint), str(DEPLOY / "Dockerfile")])


def test_what_the_dockerfile_copies_is_there() -> None:
    copied = re.findall(r"^COPY (?!--from)(\S+) ", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert copied == ["bridge/page", "."]
    assert all((ROOT / path).exists() for path in copied)
