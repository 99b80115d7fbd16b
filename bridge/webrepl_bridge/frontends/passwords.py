"""Checking a password, and slowing down whoever guesses. No clock in here: the time is passed in."""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from dataclasses import dataclass

FREE_GUESSES = 3
"""Wrong passwords from one address before the next ones are slowed down."""

FIRST_DELAY_MS = 1_000
LAST_DELAY_MS = 30_000

FORGET_MS = 15 * 60_000
"""After this long without a guess, an address starts anew."""

ADDRESSES_MAX = 1_024
"""Addresses remembered at once; past that the one that has been quiet longest is forgotten."""

PASSWORD_CHARS = 9
"""The firmware's own limit: _webrepl.password() takes at most 9 bytes. Source: extmod/modwebrepl.c."""

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no i, l, o, 0, 1: read from a screen, typed on a phone


def generate_password() -> str:
    """Make a password of 9 lower-case letters and digits that are not mistaken for each other; 44 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(PASSWORD_CHARS))


@dataclass
class _Guesser:
    wrong: int = 0
    guess_ms: int = 0
    answer_ms: int = 0


@dataclass(frozen=True)
class Verdict:
    """What came of a password.

    Attributes:
        right: whether it is a password.
        delay_ms: how long to wait before saying so, right or wrong.
        watches_only: whether it is the one for watching.
    """

    right: bool
    delay_ms: int
    watches_only: bool = False


class PasswordGate:
    """One password, perhaps one for watching, and who has been guessing at it.

    While one guess from an address waits for its answer, further ones from there are refused unread:
    guessing over many connections at once gains nothing.

    Args:
        password: what opens the gate.
        watch_password: what opens it for watching; None for nothing.
    """

    def __init__(self, password: str, watch_password: str | None = None) -> None:
        self.change(password, watch_password)
        self._guessers: OrderedDict[str, _Guesser] = OrderedDict()  # the one that guessed last is at the end

    def change(self, password: str, watch_password: str | None = None) -> None:
        """Let in who knows these from now on."""
        self._password = password.encode()
        self._watch_password = None if watch_password is None else watch_password.encode()

    def check(self, given: bytes, address: str, now_ms: int) -> Verdict:
        """Judge a password that came from `address`.

        Args:
            given: the password's bytes.
            address: where it came from, without a port.
            now_ms: the time in milliseconds, on any clock that only goes forward.
        """
        self._forget(now_ms)
        guesser = self._guessers.get(address) or _Guesser()
        if now_ms < guesser.answer_ms:
            return Verdict(False, guesser.answer_ms - now_ms)
        delay_ms = 0
        if guesser.wrong >= FREE_GUESSES:
            delay_ms = min(FIRST_DELAY_MS << min(guesser.wrong - FREE_GUESSES, 16), LAST_DELAY_MS)
            guesser.answer_ms = now_ms + delay_ms
        may_all = hmac.compare_digest(given, self._password)
        may_watch = self._watch_password is not None and hmac.compare_digest(given, self._watch_password)
        right = may_all or may_watch
        if right:
            self._guessers.pop(address, None)
        else:
            guesser.wrong += 1
            guesser.guess_ms = now_ms
            self._guessers[address] = guesser
            self._guessers.move_to_end(address)
            if len(self._guessers) > ADDRESSES_MAX:
                self._guessers.popitem(last=False)
        return Verdict(right, delay_ms, right and not may_all)

    def _forget(self, now_ms: int) -> None:
        while self._guessers and now_ms - next(iter(self._guessers.values())).guess_ms >= FORGET_MS:
            self._guessers.popitem(last=False)
