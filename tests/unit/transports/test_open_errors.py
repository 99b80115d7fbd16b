"""Each way in which opening fails, and the line that says what to do."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial
from serial.tools.list_ports_common import ListPortInfo

from stream_kit import in_loop
from webrepl_transports import OpenError, open_stream
from webrepl_transports._open_errors import explain
from webrepl_transports.address import SerialAddress

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals")


@pytest.fixture(autouse=True)
def ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """One Pico is plugged in."""
    pico = ListPortInfo("/dev/ttyACM0")
    pico.vid, pico.pid, pico.serial_number = 0x2E8A, 0x0005, "E660"
    monkeypatch.setattr("serial.tools.list_ports.comports", lambda include_links=False: [pico])


@pytest.fixture
def pty_device() -> Iterator[str]:
    import pty

    master, slave = pty.openpty()
    yield os.ttyname(slave)
    os.close(slave)
    os.close(master)


async def refusal(url: str, **options: str) -> str:
    with pytest.raises(OpenError) as caught:
        await open_stream(url, **options)  # type: ignore[arg-type]
    line = str(caught.value)
    assert "\n" not in line
    return line


@in_loop
async def test_no_such_port() -> None:
    line = await refusal("/dev/ttyUSB99")
    assert line.startswith("there is no port /dev/ttyUSB99: there are /dev/ttyACM0 (Raspberry Pi Pico")


@in_loop
async def test_no_port_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    assert "no serial port now; plug the board in" in await refusal("/dev/ttyUSB99")


@pytest.mark.parametrize("name", ["/dev/null", "file", "."])
@in_loop
async def test_not_a_serial_port(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "is not a serial port" in await refusal(str(tmp_path / name))


@in_loop
async def test_in_use_by_this_program(pty_device: str) -> None:
    first = await open_stream(pty_device)
    line = await refusal(pty_device)
    assert line.startswith(f"{pty_device} is in use: ")
    if sys.platform == "linux":
        assert f"this program (process {os.getpid()}) has it open" in line
    await first.aclose()
    await (await open_stream(pty_device)).aclose()


@in_loop
async def test_in_use_by_nobody_that_can_be_seen(monkeypatch: pytest.MonkeyPatch, pty_device: str) -> None:
    monkeypatch.setattr("webrepl_transports._posix.holder", lambda device: None)
    first = await open_stream(pty_device)
    assert "ModemManager, Thonny" in await refusal(pty_device)
    await first.aclose()


@in_loop
async def test_not_exclusive_lets_others_in(pty_device: str) -> None:
    first = await open_stream(pty_device, exclusive=False)
    second = await open_stream(f"uart://{pty_device}?exclusive=no")
    await first.aclose()
    await second.aclose()


def refuse_to_open(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Make the system refuse, where a test as root could not bring it to."""

    def refuse(path: str, flags: int, *_: object) -> int:
        raise OSError(code, os.strerror(code), path)

    monkeypatch.setattr("serial.serialposix.os.open", refuse)


@in_loop
async def test_no_permission(monkeypatch: pytest.MonkeyPatch, pty_device: str) -> None:
    monkeypatch.setattr("webrepl_transports._posix.owner_group", lambda device: "dialout")
    with monkeypatch.context() as patch:
        refuse_to_open(patch, errno.EACCES)
        line = await refusal(pty_device)
    assert line == (
        f"no permission to open {pty_device}: run 'sudo usermod -aG dialout $USER', then log out and in again"
    )


@in_loop
async def test_no_permission_for_any_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    device = tmp_path / "ttyACM0"
    device.touch(mode=0o600)
    with monkeypatch.context() as patch:
        refuse_to_open(patch, errno.EACCES)
        assert "its mode lets only its owner open it" in await refusal(str(device))


def test_the_group_is_that_of_the_device(tmp_path: Path) -> None:
    import grp

    from webrepl_transports._posix import owner_group

    device = tmp_path / "ttyACM0"
    device.touch()
    device.chmod(0o660)
    assert owner_group(str(device)) == grp.getgrgid(os.stat(device).st_gid).gr_name
    device.chmod(0o600)
    assert owner_group(str(device)) is None
    assert owner_group(str(tmp_path / "nothing")) is None


@in_loop
async def test_locked_by_another_users_program(monkeypatch: pytest.MonkeyPatch, pty_device: str) -> None:
    monkeypatch.setattr("webrepl_transports._posix.holder", lambda device: "ModemManager (process 812)")
    with monkeypatch.context() as patch:
        refuse_to_open(patch, errno.EBUSY)
        line = await refusal(pty_device)
    assert line == f"{pty_device} is in use: ModemManager (process 812) has it open; close that first"


@in_loop
async def test_nothing_behind_it(monkeypatch: pytest.MonkeyPatch, pty_device: str) -> None:
    with monkeypatch.context() as patch:
        refuse_to_open(patch, errno.EIO)
        assert "does not answer" in await refusal(pty_device)


@in_loop
async def test_a_baud_rate_that_the_driver_refuses(monkeypatch: pytest.MonkeyPatch, pty_device: str) -> None:
    def refuse(port: serial.Serial, baud: int) -> None:
        raise ValueError(f"Failed to set custom baud rate ({baud}): [Errno 22] Invalid argument")

    monkeypatch.setattr("serial.Serial._set_special_baudrate", refuse)
    line = await refusal(f"uart://{pty_device}?baud=123457")
    assert line.startswith(f"{pty_device} cannot do 123457 baud: use the board's rate")


@in_loop
async def test_urls() -> None:
    assert "nothing listens on 127.0.0.1:1" in await refusal("rfc2217://127.0.0.1:1")
    assert "nothing listens on 127.0.0.1:1" in await refusal("socket://127.0.0.1:1")
    for url in ("tcp://", "tcp://host", "tcp://:80", "tcp://host:99999"):
        assert "write tcp://HOST:PORT" in await refusal(url)
    assert "unknown option 'baud'" in await refusal("tcp://127.0.0.1:1?baud=9600")
    assert "no ports found" in await refusal("hwgrep://no-such-thing")


@pytest.mark.parametrize(
    ("raised", "says"),
    [
        (
            "could not open port 'COM9': FileNotFoundError(2, 'The system cannot find', None, 2)",
            "no port COM9",
        ),
        ("could not open port 'COM9': PermissionError(13, 'Access is denied.', None, 5)", "COM9 is in use"),
        (
            "could not open port 'COM9': OSError(22, 'The semaphore timeout', None, 121)",
            "cannot open COM9: could",
        ),
    ],
)
def test_what_pyserial_raises_on_windows(raised: str, says: str) -> None:
    assert says in str(explain(SerialAddress("COM9"), "COM9", serial.SerialException(raised), windows=True))
