"""Where to listen, and what is said when that does not work."""

from __future__ import annotations

import errno
import socket

import pytest

from webrepl_bridge.frontends import server
from webrepl_bridge.frontends.server import open_listeners, parse_listen
from webrepl_link.errors import OpenError


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        (":8266", ("", 8266)),
        ("127.0.0.1:8266", ("127.0.0.1", 8266)),
        ("localhost:0", ("localhost", 0)),
        ("[::1]:8266", ("::1", 8266)),
        ("[::]:65535", ("::", 65535)),
        ("board.example:80", ("board.example", 80)),
    ],
)
def test_host_and_port(listen: str, expected: tuple[str, int]) -> None:
    assert parse_listen(listen) == expected


@pytest.mark.parametrize(
    "listen",
    [
        *("", "8266", "host", "host:", ":", ":65536", ":-1", ":٣", "host:80 ", "a:b:1"),
        *("::1:8266", "[::1]", "[::1:8266", "::1]:8266", "[127.0.0.1]:8266", "[]:8266"),
    ],
)
def test_malformed(listen: str) -> None:
    with pytest.raises(OpenError, match=r"HOST:PORT.*such as :8266"):
        parse_listen(listen)


def close(sockets: list[socket.socket]) -> None:
    for sock in sockets:
        sock.close()


def connects(family: socket.AddressFamily, host: str, port: int) -> bool:
    with socket.socket(family) as sock:
        return sock.connect_ex((host, port)) == 0


def test_every_interface_both_families() -> None:
    sockets = open_listeners(":0")
    try:
        port = sockets[0].getsockname()[1]
        assert connects(socket.AF_INET, "127.0.0.1", port)
        if sockets[0].family is socket.AF_INET6:
            assert connects(socket.AF_INET6, "::1", port)
    finally:
        close(sockets)


def test_every_interface_without_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_dual_stack_works", lambda: False)
    sockets = open_listeners(":0")
    try:
        assert [sock.family for sock in sockets] == [socket.AF_INET]
    finally:
        close(sockets)


def test_a_name_is_all_its_addresses_on_one_port() -> None:
    sockets = open_listeners("localhost:0")
    try:
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
        assert "127.0.0.1" in {sock.getsockname()[0] for sock in sockets}
    finally:
        close(sockets)


def test_in_use() -> None:
    sockets = open_listeners("127.0.0.1:0")
    try:
        port = sockets[0].getsockname()[1]
        with pytest.raises(OpenError, match=rf"'127.0.0.1:{port}': port {port} is in use; .* another port"):
            open_listeners(f"127.0.0.1:{port}")
    finally:
        close(sockets)


def test_unknown_host() -> None:
    with pytest.raises(OpenError, match=r"no interface here is called 'nowhere\.invalid'"):
        open_listeners("nowhere.invalid:8266")


def test_someone_elses_address() -> None:
    with pytest.raises(OpenError, match="no interface here has that address"):
        open_listeners("192.0.2.1:8266")


def test_no_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(OpenError, match="no permission for port 80; choose one from 1024 on"):
        open_listeners("127.0.0.1:80")
