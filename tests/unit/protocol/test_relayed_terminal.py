"""What a relayed terminal knows of the REPL behind the other bridge."""

from __future__ import annotations

from webrepl_bridge.protocol.relayed_terminal import RelayedTerminal
from webrepl_bridge.protocol.repl_tracker import Mode


def test_the_repl_is_held_from_the_key_on_however_the_answer_is_cut() -> None:
    terminal = RelayedTerminal()
    terminal.receive_data(b"\r\n>>> ")
    terminal.type(b"\x01")
    for byte in b"\r\nraw REPL; CTRL-B to exit\r\n":
        assert terminal.entering
        terminal.data_to_send()
        terminal.receive_data(bytes([byte]))
    terminal.receive_data(b">")
    assert (terminal.entering, terminal.tracker.mode) == (False, Mode.RAW)


def test_a_key_that_only_moves_the_cursor_holds_nothing() -> None:
    terminal = RelayedTerminal()
    terminal.receive_data(b"\r\n>>> abc")
    terminal.type(b"\x01")
    assert terminal.entering
    terminal.receive_data(b"\x08\x08\x08")
    assert not terminal.entering
