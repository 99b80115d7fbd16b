"""Running code at a board's terminal, as a tool does that has nothing but the terminal: in its raw REPL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webrepl_link.errors import BoardError

from .dialogue import Deliver, DialogueTimeoutError, Send
from .errnos import ETIMEDOUT
from .raw_repl import FRIENDLY_PROMPT, RAW_PROMPT, ProgramError, RawRepl

if TYPE_CHECKING:
    from .dialogue import Dialogue

PROMPT_TIMEOUT_MS = 1_000
PROMPT_ATTEMPTS = 3
TURN_TIMEOUT_MS = 30_000
"""How long others at a shared board may be in raw mode before this one."""

TYPING_BYTES_PER_S = 500
"""The slowest line that code crosses in time."""

FOREVER_MS = 1 << 31

CONTROL_KEYS = frozenset(b"\x01\x02\x03\x04\x05")
END = b"\x04"


class Script:
    """Code that is run at a terminal whose text comes whole and in order.

    Args:
        code: the code, without control characters of the REPL.
    """

    def __init__(self, code: bytes) -> None:
        if CONTROL_KEYS.intersection(code):
            raise ValueError("code cannot have Ctrl-A to Ctrl-E in it: write them as \\x01 to \\x05")
        self._code = code or b"pass"  # Ctrl-D alone is a reset
        self._repl = RawRepl()

    def run(self) -> Dialogue[None]:
        """Interrupt what is running, run the code, deliver what it prints, and come back to the friendly prompt.

        Raises:
            ProgramError: it ended with an exception.
            BoardError: the board did not come to its prompt, or does not take the code.
        """
        yield from self._come_to_prompt()
        yield Send(b"\x01")
        yield from self._repl.until(RAW_PROMPT, TURN_TIMEOUT_MS)
        yield Send(self._code + END)
        yield from self._repl.until(b"OK", TURN_TIMEOUT_MS + len(self._code) * 1000 // TYPING_BYTES_PER_S)
        try:
            yield from self._deliver_output()
            yield from self._repl.fail_if_ended_badly()
        except ProgramError:
            yield from self._repl.leave()
            raise
        yield from self._repl.leave()

    def _come_to_prompt(self) -> Dialogue[None]:
        for _ in range(PROMPT_ATTEMPTS):
            for keys in (b"\x03", b"\x02"):  # at the raw prompt Ctrl-C has no answer
                yield Send(keys)
                try:
                    yield from self._repl.until(FRIENDLY_PROMPT, PROMPT_TIMEOUT_MS)
                except DialogueTimeoutError:
                    continue
                yield from self._repl.drain(0)
                return
        raise BoardError(
            ETIMEDOUT, "the board does not come to its prompt: a program goes on, or another client has it"
        )

    def _deliver_output(self) -> Dialogue[None]:
        while END not in (data := (yield from self._repl.some(FOREVER_MS))):
            yield Deliver(data)
        output, _, rest = data.partition(END)
        if output:
            yield Deliver(output)
        self._repl.put_back(rest)
