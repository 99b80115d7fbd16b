"""Certificates, given and made; and the bridge behind them."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import stat
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import trustme
from websockets.asyncio.client import connect

from fake_board import FakeBoard
from serving import PASSWORD, serving
from webrepl_bridge import self_signed
from webrepl_bridge.certificates import Certificate, keep_self_signed
from webrepl_link.errors import OpenError

if TYPE_CHECKING:
    from pathlib import Path


def test_one_is_made_once_and_kept_private(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "tls"
    first = keep_self_signed(folder, ["10.1.2.3", "bench.example"])
    print_of_first = first.fingerprint()
    assert keep_self_signed(folder, ["10.1.2.3"]).fingerprint() == print_of_first
    assert stat.S_IMODE(first.key.stat().st_mode) == 0o600
    _, names = self_signed.ends_and_names(first.certificate.read_bytes())
    assert {"localhost", "127.0.0.1", "::1", "10.1.2.3", "bench.example"} <= names
    der = ssl.PEM_cert_to_DER_cert(first.certificate.read_text())
    assert print_of_first == hashlib.sha256(der).hexdigest().upper()


def test_a_new_name_or_an_old_certificate_makes_a_new_one(tmp_path: Path) -> None:
    first = keep_self_signed(tmp_path).fingerprint()
    second = keep_self_signed(tmp_path, ["other.example"])
    assert second.fingerprint() != first
    _, names = self_signed.ends_and_names(second.certificate.read_bytes())
    certificate, key = self_signed.make(sorted(names), datetime.now(UTC) - timedelta(days=380))
    second.certificate.write_bytes(certificate)
    second.key.write_bytes(key)
    ends, _ = self_signed.ends_and_names(keep_self_signed(tmp_path).certificate.read_bytes())
    assert ends > datetime.now(UTC) + timedelta(days=300)


def test_what_cannot_be_kept_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OpenError, match="cannot keep a certificate in"):
        keep_self_signed(tmp_path / "file" / "tls")
    keep_self_signed(tmp_path).certificate.write_text("garbage")
    with pytest.raises(OpenError, match="cannot keep a certificate in"):
        keep_self_signed(tmp_path)
    monkeypatch.setitem(sys.modules, "webrepl_bridge.self_signed", None)
    monkeypatch.delattr("webrepl_bridge.self_signed")
    with pytest.raises(OpenError, match=r"webrepl-bridge\[tls\]"):
        keep_self_signed(tmp_path)


def test_files_that_do_not_fit_are_said(tmp_path: Path) -> None:
    one, other = keep_self_signed(tmp_path / "one"), keep_self_signed(tmp_path / "other")
    with pytest.raises(OpenError, match="cannot use the certificate"):
        Certificate(one.certificate, other.key).fingerprint()
    with pytest.raises(OpenError, match="cannot use the certificate"):
        Certificate(tmp_path / "missing", one.key).fingerprint()


def test_wss(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    files = Certificate(tmp_path / "certificate.pem", tmp_path / "key.pem")
    files.certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    files.key.write_bytes(issued.private_key_pem.bytes())
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    async def test() -> None:
        async with (
            serving(FakeBoard(), certificate=files) as running,
            connect(f"wss://{running.host}:{running.port}/", ssl=trusting) as client,
        ):
            assert await client.recv() == "Password: "
            await client.send(f"{PASSWORD}\r")
            assert await client.recv() == "\r\nWebREPL connected\r\n>>> "
            running.stop.set()
            await client.wait_closed()
            assert client.close_code == 1001

    asyncio.run(test())
