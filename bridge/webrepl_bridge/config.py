"""The configuration file of a lab, in TOML: read, checked, and its errors told with their line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    PrivateAttr,
    ValidationError,
)

from webrepl_link.errors import WebReplError
from webrepl_transports import ResetOnOpen

from .boards.auto import Framing
from .boards.opening import BoardOptions
from .boards.stock import WhileRunning
from .certificates import Certificate, keep_self_signed
from .frontends.server import parse_listen
from .lab.naming import is_name
from .lab.plan import Door, LabPlan, Listener
from .lab.whereabouts import serial_target
from .protocol.wiring import Wiring
from .session import Limits
from .toml_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


DEFAULT_LISTEN = ":8266"


class ConfigError(WebReplError):
    """A configuration says what cannot be; the message is one line, with the file's name and the line in it."""


def _checked_by(check: Callable[[str], object]) -> AfterValidator:
    def validate(text: str) -> str:
        try:
            check(text)
        except WebReplError as error:
            raise ValueError(str(error)) from None
        return text

    return AfterValidator(validate)


def _check_name(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"{name!r} cannot be a board's name: letters, digits, '.', '-' and '_'")
    return name


def check_password(password: str) -> str:
    """Return `password` if it can be one.

    Raises:
        ConfigError: it cannot.
    """
    if not password or "\r" in password or "\n" in password:
        raise ConfigError("the password must be one line, and not empty")
    return password


Address = Annotated[str, _checked_by(parse_listen)]
Url = Annotated[str, _checked_by(serial_target)]
Name = Annotated[str, AfterValidator(_check_name)]
BoardsPath = Annotated[str, Field(pattern=r"^(/\w[\w.-]*)?$")]
Password = Annotated[str, _checked_by(check_password)]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=lambda name: name.replace("_", "-"), populate_by_name=True
    )


class Serving(_Table):
    """How a board is served; for all boards at the top of the file, and for one in its table."""

    baud: PositiveInt | None = None
    framing: Framing | None = None
    while_running: WhileRunning | None = None
    reset_on_open: ResetOnOpen | None = None
    board_password: str | None = None
    wiring: Wiring | None = None


class Reachable(Serving):
    """Where tools find a board that expect a serial port; at the top of the file, the default board."""

    rfc2217: tuple[Address, ...] = ()
    tcp: tuple[Address, ...] = ()


class BoardTable(Reachable):
    """`[boards.NAME]`."""

    url: Url
    listen: tuple[Address, ...] = ()


class LabTable(Reachable):
    """The whole file."""

    listen: tuple[Address, ...] | None = None
    record: Path | None = None
    mdns: bool = False
    default: str = ""
    auto_boards: bool = False
    password: Password | None = None
    password_file: Path | None = None
    allow_origin: tuple[str, ...] = ()
    tls: Literal["self-signed"] | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    accept_boards: BoardsPath = ""
    board_token: Password | None = None
    board_token_file: Path | None = None
    watch_password: Password | None = None
    watch_password_file: Path | None = None
    max_clients: PositiveInt | None = None
    scrollback: NonNegativeInt | None = None
    boards: dict[Name, BoardTable] = Field(default_factory=dict)

    _file: tuple[Path, str] | None = PrivateAttr(None)
    """Which file it is, and its text."""

    _overruled: frozenset[str] = PrivateAttr(frozenset())
    """What the command line says instead."""

    def objection(self, said: str, *names: str, board: str = "") -> ConfigError:
        """Make the error of what only the whole shows to be wrong, with the line where the file says it.

        Args:
            said: what is wrong.
            names: of keys, the first that the file has is meant; none for what is missing.
            board: in whose table the keys are; "" for the top of the file.
        """
        table, above = (self.boards[board], ["boards", board]) if board else (self, [])
        overruled = frozenset() if board else self._overruled
        keys = [name.replace("_", "-") for name in names if name in table.model_fields_set - overruled]
        if self._file is None or (names and not keys):
            return ConfigError(said)
        path, text = self._file
        return ConfigError(f"{path}:{line_of(text, [*above, *keys[:1]])}: {said}")


def with_settings(table: LabTable, settings: Mapping[str, Any]) -> LabTable:
    """Put the command line's settings in the place of the file's.

    Raises:
        ConfigError: one of them says what cannot be.
    """
    try:
        given = LabTable.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(first["msg"].removeprefix("Value error, ")) from error
    update = {name: getattr(given, name) for name in settings}
    for name in ("password", "watch_password"):
        if name in settings:
            update[f"{name}_file"] = None  # the file's own
    overruled = table.model_copy(update=update)
    overruled._overruled = frozenset(update)
    return overruled


def passwords_of(table: LabTable) -> tuple[str | None, str | None]:
    """The password, and that for watching, that a configuration gives or names files with.

    Raises:
        ConfigError: a file cannot be read, or holds none, or both are the same.
    """
    password, watch_password = (_password(table, name) for name in ("password", "watch_password"))
    if watch_password is not None and password == watch_password:
        said = "the password for watching must be another one"
        raise table.objection(said, "watch_password", "watch_password_file", "password", "password_file")
    return password, watch_password


def _password(table: LabTable, name: str) -> str | None:
    """What the key `name` gives, or the file that is named instead."""
    file: Path | None = getattr(table, f"{name}_file")
    given: str | None = getattr(table, name)
    if file is None:
        return given
    try:
        return read_password(file)
    except ConfigError as error:
        raise table.objection(str(error), f"{name}_file") from error


def certificate_of(table: LabTable, own_folder: Path) -> Certificate | None:
    """The certificate that a configuration names; one of our own is kept in `own_folder`, and made if it has to be.

    Raises:
        ConfigError: two are named, or half of one.
        OpenError: it cannot be used, made or kept.
    """
    if (table.tls_cert is None) != (table.tls_key is None) or (table.tls and table.tls_cert):
        raise table.objection("give tls-cert and tls-key together, or tls self-signed", "tls_cert", "tls_key", "tls")
    found = None
    if table.tls_cert and table.tls_key:
        found = Certificate(table.tls_cert, table.tls_key)
    elif table.tls:
        addresses = [*(table.listen or ()), *(address for board in table.boards.values() for address in board.listen)]
        found = keep_self_signed(own_folder, [parse_listen(address)[0] for address in addresses])
    if found:
        found.fingerprint()  # good files, or an error now
    return found


def read_password(path: Path) -> str:
    """Read a password from a file.

    Raises:
        ConfigError: the file cannot be read, or holds none.
    """
    try:
        password = path.read_text("utf-8").strip("\r\n")
    except OSError as error:
        raise ConfigError(f"cannot read the password from {path}: {error.strerror}") from error
    except UnicodeError as error:
        raise ConfigError(f"cannot read the password from {path}: it is not text") from error
    return check_password(password)


def plan_of(
    table: LabTable,
    made_up: str = "",
    *,
    boards: Mapping[str, str] | None = None,
    required: bool = False,
    certificate: Certificate | None = None,
) -> LabPlan:
    """Make the plan of a configuration.

    Args:
        table: the configuration, the command line's part of it included.
        made_up: the password if it gives none.
        boards: URLs of the command line's boards, by name.
        required: whether these have to be there at the start.
        certificate: serve HTTPS and wss with it; see `certificate_of`.

    Raises:
        ConfigError: there are no boards, the default one is none of them, boards may call but need know nothing, or as
            `passwords_of`.
    """
    password, watch_password = passwords_of(table)
    boards = boards or {}
    names = table.boards.keys() | boards.keys()
    if not names and not table.auto_boards and not table.accept_boards:
        raise table.objection("no boards are named: write [boards.NAME] with url = ..., or auto-boards = true")
    if table.default and table.default not in names and not table.auto_boards:
        said = f"the default board {table.default!r} is not one of {', '.join(sorted(names))}"
        raise table.objection(said, "default")
    token = _password(table, "board_token")
    if table.accept_boards and token is None:
        said = "accept-boards needs a board-token, or a board-token-file: what boards that call must know"
        raise table.objection(said, "accept_boards")
    _check_addresses(table)
    return LabPlan(
        boards={
            **{name: _options(board.url, board, table) for name, board in table.boards.items()},
            **{name: _options(url, table) for name, url in boards.items()},
        },
        board_listen={name: board.listen for name, board in table.boards.items() if board.listen},
        listen=table.listen or (DEFAULT_LISTEN,),
        tools=tuple(_tools(table, table.boards)),
        default=table.default,
        required=frozenset(boards if required else ()),
        auto=_options("auto", table) if table.auto_boards else None,
        password=made_up if password is None else password,
        watch_password=watch_password,
        limits=Limits(
            table.max_clients or Limits.clients_max,
            Limits.scrollback_chars if table.scrollback is None else table.scrollback,
        ),
        allow_origins=table.allow_origin,
        certificate=certificate,
        record=table.record,
        mdns=table.mdns,
        accept_boards=table.accept_boards,
        board_token=token or "",
    )


def _check_addresses(table: LabTable) -> None:
    taken: set[str] = set()
    for board, ways in (("", table), *table.boards.items()):
        for name in ("listen", "rfc2217", "tcp"):
            for address in getattr(ways, name) or ():
                if address in taken and parse_listen(address)[1]:
                    raise table.objection(
                        f"{address} is taken: each board needs an address of its own", name, board=board
                    )
                taken.add(address)


def _tools(table: LabTable, boards: Mapping[str, BoardTable]) -> Iterator[Listener]:
    """Where tools find the boards; without a host on this computer only, as nobody is asked for a password there."""
    ways: Reachable
    for name, ways in (("", table), *boards.items()):
        for door, addresses in ((Door.RFC2217, ways.rfc2217), (Door.TCP, ways.tcp)):
            for address in addresses:
                yield Listener(address if parse_listen(address)[0] else f"localhost{address}", name, door)


def _options(url: str, *tables: Serving) -> BoardOptions:
    """What the first table that says something says, setting by setting."""
    said: dict[str, Any] = {}
    for name in Serving.model_fields:
        values = [value for table in tables if (value := getattr(table, name)) is not None]
        if values:
            said[name] = values[0]
    return BoardOptions(url, **said)


def read_config(path: Path) -> LabTable:
    """Read a configuration file.

    Raises:
        ConfigError: it cannot be read, is no TOML, or says what cannot be.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(f"cannot read {path}: {reason}") from error
    try:
        table = LabTable.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    except ValidationError as error:
        raise ConfigError(_explain(path, text, error)) from error
    names = ("password_file", "watch_password_file", "board_token_file", "tls_cert", "tls_key", "record")
    files = {name: getattr(table, name) for name in names}
    table = table.model_copy(update={name: path.parent / file for name, file in files.items() if file is not None})
    table._file = (path, text)
    return table


def _explain(path: Path, text: str, error: ValidationError) -> str:
    first, *others = error.errors()
    keys = [key for key in first["loc"] if key != "[key]"]
    line = line_of(text, keys)
    said = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        said = "there is no such key"
    elif first["type"] == "missing":
        said = "is missing"
    where = ".".join(map(str, keys))
    more = f"; and {len(others)} more" if others else ""
    return f"{path}:{line}: {where + ': ' if where else ''}{said}{more}"
