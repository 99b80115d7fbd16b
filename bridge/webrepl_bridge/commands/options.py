"""The options that say which bridge is meant, and how to get in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..config import ConfigError, read_password

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def bridge_options(command: F) -> F:
    """Give a command `url`, `password` and `password_file`."""
    for option in reversed(
        (
            click.option(
                "--url",
                envvar="WEBREPL_BRIDGE_URL",
                default="http://localhost:8266",
                show_default=True,
                help="The bridge's address; WEBREPL_BRIDGE_URL does too.",
            ),
            click.option(
                "--password", envvar="WEBREPL_PASSWORD", help="The bridge's password; WEBREPL_PASSWORD does too."
            ),
            click.option("--password-file", type=click.Path(path_type=Path), help="File with it."),
        )
    ):
        command = option(command)
    return command


def given_password(password: str | None, password_file: Path | None) -> str | None:
    """Return the password that the options give; None if they give none.

    Raises:
        UsageError: the file cannot be read, or holds none.
    """
    if password_file is None:
        return password
    try:
        return read_password(password_file)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
