"""Doing again what the line has damaged, where code and what it prints have no check of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from webrepl_link.errors import BoardError

from .dialogue import Dialogue, DialogueTimeoutError
from .errnos import EBADMSG, EIO
from .raw_repl import ProgramError, RawRepl

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

RESENT_MAX = 5
QUIET_MS = 150


def insist(
    repl: RawRepl, execute: Callable[[], Dialogue[bytes]], answer: Callable[[bytes], T], *, harmless: bool = True
) -> Dialogue[T]:
    """Have the board execute something until it gets through whole: RESENT_MAX times more at most.

    Code for firmware without raw-paste is paced by time only: a busy board, or a busy host, loses some of it.

    Args:
        repl: at the raw prompt.
        execute: what to do; returns what was printed.
        answer: makes the result of that; ValueError if that is not what is printed.
        harmless: whether doing it twice does no harm, so that it is done again if there was no answer.

    Raises:
        BoardError: an error that is the board's own, or damage to the last.
    """
    attempts_left = RESENT_MAX
    failure: BoardError
    while True:
        try:
            return answer((yield from execute()))
        except ValueError:
            failure = BoardError(EIO, "the line damages too many bytes")
        except ProgramError as error:
            failure = error
            if error.code != EBADMSG and (error.code != EIO or "OSError" in error.traceback):
                raise
        except DialogueTimeoutError as error:
            failure = error
            if not harmless:
                raise
            yield from repl.recover(0)
        if not attempts_left:
            raise failure
        repl.distrust()
        attempts_left -= 1


def expect(text: bytes) -> Callable[[bytes], None]:
    """Return an `answer` for code that prints just this line."""

    def check(printed: bytes) -> None:
        if printed.strip() != text:
            raise ValueError(printed)

    return check
