"""A board behind Debian's ser2net, over TCP and RFC 2217: as a stream, and served to the official client."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import termios
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from board_kit.ser2net import RAW, RFC2217, free_port, run_ser2net, run_ser2net_at, serial_port
from board_kit.unix_vm import UnixVM
from clients.official import TEXT, OfficialClient
from running_command import command
from stream_kit import in_loop
from stream_kit.pyserial_server import pyserial_server
from webrepl_transports import EndOfStreamError, OpenError, Signals, open_stream

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ser2net on a pty")

DIALECTS = pytest.mark.parametrize(("scheme", "dialect"), [("tcp", RAW), ("rfc2217", RFC2217)])
TIMEOUT_S = 30


@pytest.fixture
def pty_ends() -> Iterator[tuple[str, int]]:
    master, slave = os.openpty()
    yield os.ttyname(slave), master
    os.close(slave)
    os.close(master)


def speed(terminal: int) -> int:
    return int(termios.tcgetattr(terminal)[5])


@DIALECTS
def test_the_official_client_reaches_a_board_behind_it(scheme: str, dialect: str, unix_vm: UnixVM) -> None:
    data = random.Random(1).randbytes(20_000)
    with (
        run_ser2net(dialect, serial_port(unix_vm.device)) as port,
        command("--serial", f"{scheme}://127.0.0.1:{port}") as (_, bridge_port),
    ):

        async def use() -> None:
            async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect("127.0.0.1", bridge_port) as client:
                await client.login("secret")
                await client.read_text_until("WebREPL connected\r\n>>> ")
                await client.put_file("data.bin", data)
                assert await client.get_file("data.bin") == data
                await client.send_frame(b"print('\\u00ff\\u4e2d' * 3)\r", TEXT)
                await client.read_text_until("\r\n" + "\u00ff\u4e2d" * 3 + "\r\n>>> ")

        asyncio.run(use())
    assert (unix_vm.folder / "data.bin").read_bytes() == data


@DIALECTS
def test_the_bridge_goes_on_with_a_board_whose_server_was_started_anew(
    scheme: str, dialect: str, unix_vm: UnixVM
) -> None:
    with ExitStack() as stack, free_port() as port:
        accepter, connector = f"{dialect}tcp,127.0.0.1,{port}", serial_port(unix_vm.device)
        first = stack.enter_context(ExitStack())
        first.enter_context(run_ser2net_at(accepter, connector))
        _, bridge_port = stack.enter_context(command("--serial", f"{scheme}://127.0.0.1:{port}"))

        async def use() -> None:
            async with asyncio.timeout(TIMEOUT_S), OfficialClient.connect("127.0.0.1", bridge_port) as client:
                await client.login("secret")
                await client.read_text_until("WebREPL connected\r\n>>> ")
                first.close()
                await client.read_text_until("disconnected")
                stack.enter_context(run_ser2net_at(accepter, connector))
                await client.read_text_until("back")
                await client.put_file("main.py", b"print(1)")

        asyncio.run(use())
    assert (unix_vm.folder / "main.py").read_bytes() == b"print(1)"


@in_loop
async def test_the_baud_rate_is_that_of_the_port_behind_it(pty_ends: tuple[str, int]) -> None:
    device, master = pty_ends
    with run_ser2net(RFC2217, serial_port(device, 9600)) as port:
        stream = await open_stream(f"rfc2217://127.0.0.1:{port}", baud=57600)
        assert speed(master) == termios.B57600
        assert stream.control is not None
        await stream.control.set_baud(230400)
        assert speed(master) == termios.B230400
        await stream.aclose()


@in_loop
async def test_control_lines_reach_the_port_behind_it() -> None:
    """A pty has no lines, so the port is one of pySerial's server, which ser2net reaches by RFC 2217 in its turn."""
    async with pyserial_server() as server:
        with run_ser2net(RFC2217, f"telnet(rfc2217),tcp,127.0.0.1,{server.tcp_port}") as port:
            stream = await open_stream(f"rfc2217://127.0.0.1:{port}?baud=57600&reset_on_open=hard")
            assert server.port.baudrate == 57600
            assert server.port.lines == ["dtr-", "rts+", "rts-", "dtr+", "rts+"]
            server.port.lines.clear()
            control = stream.control
            assert control is not None
            await control.set_lines(dtr=False)
            await control.set_break(True)
            await control.set_break(False)
            assert server.port.lines == ["dtr-", "break+", "break-"]
            assert isinstance(await control.signals(), Signals)
            await stream.aclose()


@DIALECTS
@in_loop
async def test_its_end_is_told_and_it_can_be_connected_to_again(
    scheme: str, dialect: str, pty_ends: tuple[str, int]
) -> None:
    device, master = pty_ends
    with run_ser2net(dialect, serial_port(device)) as port:
        url = f"{scheme}://127.0.0.1:{port}"
        stream = await open_stream(url)
        await stream.send(b"hello")
        assert os.read(master, 5) == b"hello"  # so ser2net has opened the port, and set it up
        os.write(master, b"last words")
        assert await stream.receive() == b"last words"
    with pytest.raises(EndOfStreamError, match=f"^{url}.*: the other side closed the connection$"):
        await stream.receive()
    await stream.aclose()
    with pytest.raises(OpenError, match="nothing listens"):
        await open_stream(url)
    with run_ser2net(dialect, serial_port(device)) as port:
        again = await open_stream(f"{scheme}://127.0.0.1:{port}")
        await again.send(b"hello")
        assert os.read(master, 5) == b"hello"
        await again.aclose()


@in_loop
async def test_a_port_without_rfc2217_says_what_to_do(
    pty_ends: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webrepl_transports.rfc2217.AGREEMENT_TIMEOUT_S", 0.2)
    with (
        run_ser2net(RAW, serial_port(pty_ends[0])) as port,
        pytest.raises(OpenError, match="has no RFC 2217: switch it on there, or use tcp://"),
    ):
        await open_stream(f"rfc2217://127.0.0.1:{port}")


@in_loop
async def test_what_it_says_of_a_port_that_it_cannot_open_is_passed_on(pty_ends: tuple[str, int]) -> None:
    with (
        run_ser2net(RFC2217, serial_port("/dev/no-such-port")) as port,
        pytest.raises(OpenError, match=r"the server says: Device open failure: Value or file not found$"),
    ):
        await open_stream(f"rfc2217://127.0.0.1:{port}")
    with run_ser2net(RFC2217, serial_port(pty_ends[0])) as port:
        first = await open_stream(f"rfc2217://127.0.0.1:{port}")
        with pytest.raises(OpenError, match=r"the server says: Port already in use$"):
            await open_stream(f"rfc2217://127.0.0.1:{port}")
        await first.aclose()
