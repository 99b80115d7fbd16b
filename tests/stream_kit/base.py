"""What a kind of stream is, for the contract suite."""

from __future__ import annotations

import asyncio
import functools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ParamSpec

from webrepl_transports import ByteStream, TransportError

P = ParamSpec("P")


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test in an event loop of its own, for at most a minute."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        async def limited() -> None:
            async with asyncio.timeout(60):
                await test(*arguments, **named)

        asyncio.run(limited())

    return run


class Peer(ABC):
    """The other end of a stream: it reads only when asked to."""

    @abstractmethod
    async def receive(self) -> bytes:
        """Read some bytes."""

    @abstractmethod
    async def send(self, data: bytes) -> None:
        """Write all of `data`."""

    async def end_sending(self) -> None:
        """Say in good order that nothing more will come, and go on reading; for kinds that can."""
        raise NotImplementedError

    @abstractmethod
    def vanish(self) -> None:
        """End without a goodbye."""


@dataclass(frozen=True)
class Joined:
    """A stream, its peer, and how to open the same wire once more after it was closed."""

    stream: ByteStream
    peer: Peer
    open_again: Callable[[], Awaitable[ByteStream]]


@dataclass(frozen=True)
class Kind:
    """One kind of stream.

    Attributes:
        join: opens a stream and its peer, and frees both.
        vanished: what a receive raises when the peer has vanished.
        buffered_bytes: more than the operating system keeps on the way for somebody who does not read.
        half_closes: whether a peer can end its sending alone.
        has_control: whether the stream has control lines that the peer answers while it reads.
    """

    join: Callable[[], AbstractAsyncContextManager[Joined]]
    vanished: type[TransportError]
    buffered_bytes: int
    half_closes: bool = False
    has_control: bool = False
