"""What an operator wants of a bridge, and what has to be done when that changes. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..session import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..boards.opening import BoardOptions
    from ..certificates import Certificate


class Door(enum.Enum):
    """What is spoken at an address."""

    WEBREPL = "webrepl"
    RFC2217 = "rfc2217"
    TCP = "tcp"


@dataclass(frozen=True)
class LabPlan:
    """Everything that a configuration says.

    Attributes:
        boards: where each board is, by its name.
        listen: addresses of the form `[HOST]:PORT`.
        board_listen: further ones where a board is the one at `/`, by the board's name.
        tools: addresses for tools that expect a serial port, with what they speak there and for which board.
        default: which board is at `/` elsewhere; "" for the only one.
        required: boards that have to be there at the start.
        auto: how to serve every board that is plugged in and not named; None to leave them alone.
        password: what clients must give.
        allow_origins: origins of pages that may use the bridge, beside its own.
        certificate: serve HTTPS and wss with it.
        record: folder for recordings; None for none.
        mdns: whether to announce the bridge on the network, and to look for others.
        accept_boards: path at which boards may call; "" if none may.
        board_token: what they must know.
        watch_password: what those must give who may watch only; None for nobody.
        limits: how a board may be shared.
    """

    boards: Mapping[str, BoardOptions]
    listen: tuple[str, ...]
    password: str
    board_listen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tools: tuple[Listener, ...] = ()
    default: str = ""
    required: frozenset[str] = frozenset()
    auto: BoardOptions | None = None
    allow_origins: tuple[str, ...] = ()
    certificate: Certificate | None = None
    record: Path | None = None
    mdns: bool = False
    accept_boards: str = ""
    board_token: str = ""
    watch_password: str | None = None
    limits: Limits = field(default_factory=Limits)

    def listeners(self) -> list[Listener]:
        """All addresses to listen on."""
        own = [Listener(address, name) for name, addresses in self.board_listen.items() for address in addresses]
        return [*(Listener(address, "") for address in self.listen), *own, *self.tools]


class Listener(NamedTuple):
    """An address, which board is at `/` there, "" for the default one, and what is spoken."""

    address: str
    board: str
    door: Door = Door.WEBREPL


@dataclass(frozen=True)
class Changes:
    """From one plan to the next, board by board.

    Attributes:
        gone: boards to let go, with their clients.
        moved: boards to open anew, while their clients stay.
        new: boards to open.
    """

    gone: frozenset[str]
    moved: frozenset[str]
    new: frozenset[str]


def changes(before: Mapping[str, BoardOptions], after: Mapping[str, BoardOptions]) -> Changes:
    """Compare the boards of two plans; those that are the same in both are in none of the sets."""
    both = before.keys() & after.keys()
    return Changes(
        gone=frozenset(before.keys() - after.keys()),
        moved=frozenset(name for name in both if before[name] != after[name]),
        new=frozenset(after.keys() - before.keys()),
    )
