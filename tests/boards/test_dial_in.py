"""A board that calls the bridge: the shim's WebSocket client and the bridge's endpoint, with real MicroPython."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from board_kinds import in_loop
from board_kit.micropython import micropython
from board_kit.unix_shim import shim_that_calls
from board_kit.unix_vm import UnixVM
from clients.official import TEXT, OfficialClient
from serving import PASSWORD
from webrepl_bridge.boards.base import Board
from webrepl_bridge.boards.opening import BoardOptions
from webrepl_bridge.certificates import Certificate
from webrepl_bridge.frontends.app import create_app
from webrepl_bridge.frontends.dial_in import DialIn
from webrepl_bridge.frontends.passwords import PasswordGate
from webrepl_bridge.frontends.server import open_listeners, serve
from webrepl_bridge.lab.lab import Lab
from webrepl_bridge.lab.plan import LabPlan

TOKEN = "let the kitchen in"
NAME = "kitchen"
PATIENCE_S = 30


class Bridge:
    """A running bridge that accepts boards."""

    def __init__(self, lab: Lab, port: int) -> None:
        self.lab = lab
        self.port = port

    def url(self, name: str = NAME) -> str:
        return f"ws://127.0.0.1:{self.port}/dial-in/{name}"

    async def until_there(self, other_than: Board | None = None) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while NAME not in self.lab.sessions or self.lab.sessions[NAME].board in (None, other_than):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def until_gone(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await self.lab.sessions[NAME].departure.wait()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[OfficialClient]:
        """A client at the only board."""
        async with OfficialClient.connect("127.0.0.1", self.port) as client, asyncio.timeout(PATIENCE_S):
            await client.login(PASSWORD)
            await client.read_text_until("WebREPL connected\r\n>>> ")
            yield client


@asynccontextmanager
async def bridge(port: int = 0, certificate: Certificate | None = None) -> AsyncIterator[Bridge]:
    lab = Lab()
    sockets = open_listeners(f"127.0.0.1:{port}")
    stop, ready = asyncio.Event(), asyncio.Event()
    app = create_app(lab, PasswordGate(PASSWORD), dial_in=DialIn(lab, PasswordGate(TOKEN)))
    async with lab.run(), asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(app, sockets, stop=stop, ready=ready.set, certificate=certificate))
        await ready.wait()
        try:
            yield Bridge(lab, sockets[0].getsockname()[1])
        finally:
            stop.set()


async def evaluate(client: OfficialClient, expression: str) -> str:
    await client.send_frame(f"print({expression})\r".encode(), TEXT)
    await client.read_text_until(f"print({expression})\r\n")
    return (await client.read_text_until("\r\n>>> ")).removesuffix("\r\n>>> ")


async def use(client: OfficialClient) -> None:
    """Terminal, and files there and back while a program runs."""
    assert await evaluate(client, "6*7") == "42"
    data = random.Random(1).randbytes(50_000)
    await client.send_frame(b"while True: pass\r\r", TEXT)
    await client.read_text_until("... \r\n")
    await client.put_file("data.bin", data)
    assert await client.get_file("data.bin") == data
    assert await client.get_ver() == (1, 29, 0)
    await client.send_frame(b"\x03", TEXT)
    await client.read_text_until("KeyboardInterrupt")
    await client.read_text_until(">>> ")
    assert await evaluate(client, "__import__('os').stat('data.bin')[6]") == "50000"


@in_loop
async def test_terminal_and_files_while_a_program_runs(unix_vm: UnixVM) -> None:
    async with bridge() as lab_bridge:
        with shim_that_calls(unix_vm, lab_bridge.url(), TOKEN):
            await lab_bridge.until_there()
            async with lab_bridge.client() as client:
                await use(client)


@in_loop
async def test_comes_back_when_the_bridge_does(unix_vm: UnixVM) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with shim_that_calls(unix_vm, f"ws://127.0.0.1:{port}/dial-in/{NAME}", TOKEN):
        for _ in range(2):
            async with bridge(port) as lab_bridge:
                await lab_bridge.until_there()
                async with lab_bridge.client() as client:
                    await client.send_frame(b"\x03", TEXT)
                    await client.read_text_until("\r\n>>> ")
                    await use(client)
                    await client.send_frame(b"while True: pass\r\r", TEXT)  # the bridge goes away in the middle of it
                    await client.read_text_until("... \r\n")


@in_loop
async def test_a_board_that_goes_away_stays_known(unix_vm: UnixVM) -> None:
    async with bridge() as lab_bridge:
        with shim_that_calls(unix_vm, lab_bridge.url(), TOKEN):
            await lab_bridge.until_there()
            client_of_both = lab_bridge.client()
            client = await client_of_both.__aenter__()
            assert await evaluate(client, "1+1") == "2"
        await client.read_text_until("[kitchen: disconnected]\r\n")
        with shim_that_calls(unix_vm, lab_bridge.url(), TOKEN):
            await client.read_text_until("[kitchen: back]\r\n")
            await client.send_frame(b"\r", TEXT)
            await client.read_text_until(">>> ")
            await use(client)
            await client_of_both.__aexit__(None, None, None)


@in_loop
async def test_a_board_with_a_wrong_token_learns_why(tmp_path: Path) -> None:
    code = """
import stand_ins
from time import sleep_ms
from webrepl_shim import dialed
import sys
stream = dialed.Dialed(sys.argv[1], "guess")
while stream.status == "calling":
    stream.any()
    sleep_ms(10)
print(stream.status)
"""
    async with bridge() as lab_bridge, micropython(tmp_path, code, lab_bridge.url()) as script:
        assert await script.line() == "refused: HTTP/1.1 401 Unauthorized"


@in_loop
async def test_over_tls(unix_vm: UnixVM, tmp_path: Path) -> None:
    authority = trustme.CA()
    mine = authority.issue_cert("localhost")
    mine.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    mine.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    ca = load_pem_x509_certificate(authority.cert_pem.bytes()).public_bytes(Encoding.DER)
    (tmp_path / "ca.der").write_bytes(ca)
    async with bridge(certificate=Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")) as lab_bridge:
        url = f"wss://localhost:{lab_bridge.port}/dial-in/{NAME}"
        with shim_that_calls(unix_vm, url, TOKEN, str(tmp_path / "ca.der")):
            await lab_bridge.until_there()
            session = lab_bridge.lab.sessions[NAME]
            data = random.Random(2).randbytes(20_000)
            async with session.present_board().put("data.bin", len(data)) as writer:
                await writer.write(data)
                await writer.finish()
            assert (unix_vm.folder / "data.bin").read_bytes() == data


# What the endpoint says to callers, boards or not.


async def refused(url: str, token: str | None = TOKEN, header: str = "Bearer {}") -> int:
    headers = {} if token is None else {"Authorization": header.format(token)}
    with pytest.raises(InvalidStatus) as refusal:
        async with connect(url, additional_headers=headers):
            pass
    return refusal.value.response.status_code


@in_loop
async def test_who_does_not_know_the_token_is_not_let_in() -> None:
    async with bridge() as lab_bridge:
        assert await refused(lab_bridge.url(), None) == 401
        assert await refused(lab_bridge.url(), "guess") == 401
        assert await refused(lab_bridge.url(), TOKEN, "Basic {}") in (401, 403)
        assert not lab_bridge.lab.sessions


@pytest.mark.parametrize("name", ["health", "a%20b", "-", "x" * 65])
@in_loop
async def test_names_that_no_board_can_have(name: str) -> None:
    async with bridge() as lab_bridge:
        assert await refused(lab_bridge.url(name)) == 404
        assert not lab_bridge.lab.sessions


@in_loop
async def test_a_name_that_is_taken() -> None:
    async with bridge() as lab_bridge:
        options = BoardOptions("tcp://127.0.0.1:1")
        await lab_bridge.lab.apply(LabPlan({NAME: options}, (), PASSWORD))
        assert await refused(lab_bridge.url()) == 409


async def to_the_end(connection: ClientConnection) -> None:
    while True:
        await connection.recv()


@in_loop
async def test_one_that_calls_again_takes_its_own_place() -> None:
    headers = {"Authorization": f"bearer {TOKEN}"}
    async with bridge() as lab_bridge:
        async with connect(lab_bridge.url(), additional_headers=headers) as first:
            await lab_bridge.until_there()
            board = lab_bridge.lab.sessions[NAME].board
            async with connect(lab_bridge.url(), additional_headers=headers):
                with pytest.raises(ConnectionClosed, match="the board has called again"):
                    await to_the_end(first)
                await lab_bridge.until_there(other_than=board)
        await lab_bridge.until_gone()
        assert list(lab_bridge.lab.sessions) == [NAME]
