"""A dialogue as a transcript: what it does next, and what it is told."""

from __future__ import annotations

from typing import Any

from webrepl_bridge.protocol.dialogue import Dialogue, DialogueTimeoutError, Receive, Send, Step

SILENCE = DialogueTimeoutError()
"""Answer of a board that says nothing before the timeout."""


class Playbook:
    """Holds a dialogue to a script.

    Args:
        dialogue: a fresh one.

    Attributes:
        result: what the dialogue returned, once it has ended.
    """

    def __init__(self, dialogue: Dialogue[Any]) -> None:
        self.result: Any = None
        self._dialogue = dialogue
        self._step: Step | None = None
        self._go_on(b"")

    def _go_on(self, answer: bytes | Exception) -> None:
        try:
            if isinstance(answer, Exception):
                self._step = self._dialogue.throw(answer)
            elif self._step is None:
                self._step = next(self._dialogue)
            else:
                self._step = self._dialogue.send(answer)
        except StopIteration as end:
            self._step, self.result = None, end.value

    def sends(self, data: bytes) -> Playbook:
        """It sends exactly this."""
        return self.does(Send(data))

    def sends_something(self) -> Playbook:
        """It sends, no matter what, until it waits."""
        while isinstance(self._step, Send):
            self._go_on(b"")
        return self

    def hears(self, *pieces: bytes | Exception, timeout_ms: int | None = None) -> Playbook:
        """It waits for the board, and the board says this; SILENCE for nothing."""
        for piece in pieces:
            assert isinstance(self._step, Receive), f"it does not wait, but {self._step}"
            assert timeout_ms in (None, self._step.timeout_ms)
            self._go_on(piece)
        return self

    def does(self, step: Step, answer: bytes = b"") -> Playbook:
        """It does exactly this, and gets this answer."""
        assert self._step == step
        self._go_on(answer)
        return self

    def ends(self, result: Any = None) -> None:
        """It has ended, with this result."""
        assert self._step is None, f"it goes on with {self._step}"
        assert self.result == result
