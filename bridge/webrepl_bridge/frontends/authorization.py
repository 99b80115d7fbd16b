"""The password of a request over HTTP: `curl -u :PASSWORD` (the user's name does not matter), or a bearer token."""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from .addresses import client_address

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from .passwords import PasswordGate, Verdict

CHALLENGE = {"WWW-Authenticate": 'Basic realm="webrepl-bridge"'}


async def judge(request: HTTPConnection, gate: PasswordGate) -> Verdict | None:
    """Judge the password of a request; None if there is none.

    Raises:
        HTTPException: it is wrong.
    """
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        given = value.encode("latin-1")
    elif scheme.lower() == "basic":
        try:
            given = base64.b64decode(value, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            raise HTTPException(400, "this is no basic authorization") from None
    else:
        return None
    verdict = gate.check(given, client_address(request), int(asyncio.get_running_loop().time() * 1000))
    await asyncio.sleep(verdict.delay_ms / 1000)
    if not verdict.right:
        raise HTTPException(401, "wrong password", CHALLENGE)
    return verdict


async def demand(request: HTTPConnection, gate: PasswordGate) -> Verdict:
    """The same, where the password is needed.

    Raises:
        HTTPException: there is none, or it is wrong.
    """
    verdict = await judge(request, gate)
    if verdict is None:
        raise HTTPException(401, "this needs the password", CHALLENGE)
    return verdict
