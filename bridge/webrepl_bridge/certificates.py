"""Certificates for HTTPS and wss: files of the operator's, or one of our own that is made for this host and kept."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from webrepl_link.errors import OpenError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

RENEW_DAYS = 30
"""A kept certificate that ends sooner is replaced."""


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, in PEM files.

    Attributes:
        certificate: the certificate, or the chain that begins with it.
        key: its private key, not encrypted.
    """

    certificate: Path
    key: Path

    def fingerprint(self) -> str:
        """Return the certificate's SHA-256 in hexadecimal digits; this also tells whether the files are good.

        Raises:
            OpenError: the files cannot be read, or do not belong together.
        """
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key, password="")
            chain = self.certificate.read_text("utf-8")
            first = chain[chain.index(ssl.PEM_HEADER) : chain.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)]
            return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest().upper()
        except (OSError, ValueError) as error:
            raise OpenError(
                f"cannot use the certificate {self.certificate} with the key {self.key}: {error}"
            ) from error


def keep_self_signed(folder: Path, hosts: Iterable[str] = ()) -> Certificate:
    """Return the certificate that is kept in `folder`; make one if there is none, or it is old or lacks a name.

    Args:
        folder: where it is kept; made if it is not there, for its owner only.
        hosts: names and addresses that clients use, beside this host's own.

    Raises:
        OpenError: the library `cryptography` is missing, or the folder cannot be written.
    """
    try:
        from . import self_signed
    except ImportError as error:
        raise OpenError("--tls self-signed needs the extra tls: pip install 'webrepl-bridge[tls]'") from error

    kept = Certificate(folder / "certificate.pem", folder / "key.pem")
    own = socket.gethostname()
    names = {"localhost", "127.0.0.1", "::1", own, f"{own}.local", *hosts} - {""}
    now = datetime.now(UTC)
    try:
        if kept.key.is_file() and kept.certificate.is_file():
            ends, has = self_signed.ends_and_names(kept.certificate.read_bytes())
            if ends > now + timedelta(days=RENEW_DAYS) and has >= names:
                return kept
        certificate, key = self_signed.make(sorted(names), now)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept.key.unlink(missing_ok=True)
        with os.fdopen(os.open(kept.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key)
        kept.certificate.write_bytes(certificate)
    except (OSError, ValueError) as error:
        raise OpenError(f"cannot keep a certificate in {folder}: {error}") from error
    return kept
