from __future__ import annotations

from webrepl_bridge.frontends.passwords import (
    ADDRESSES_MAX,
    FORGET_MS,
    PasswordGate,
    Verdict,
    generate_password,
)


def guess_wrong(gate: PasswordGate, times: int, now_ms: int = 0, address: str = "a") -> int:
    """Guess wrong, each time when the answer to the last guess has come; return the time."""
    for _ in range(times):
        verdict = gate.check(b"wrong", address, now_ms)
        assert not verdict.right
        now_ms += verdict.delay_ms
    return now_ms


def test_right_and_wrong() -> None:
    gate = PasswordGate("sécret")
    assert gate.check("sécret".encode(), "a", 0) == Verdict(True, 0)
    for wrong in (b"", b"s", b"secret", "sécret ".encode(), b"\xff\x00"):
        assert gate.check(wrong, repr(wrong), 0) == Verdict(False, 0)


def test_an_empty_password_is_only_right_if_it_is_the_password() -> None:
    assert PasswordGate("").check(b"", "a", 0).right
    assert not PasswordGate("x").check(b"", "a", 0).right


def test_three_guesses_are_free_then_each_takes_twice_as_long_up_to_30_s() -> None:
    gate = PasswordGate("secret")
    now_ms, delays = 0, []
    for _ in range(10):
        verdict = gate.check(b"wrong", "a", now_ms)
        delays.append(verdict.delay_ms)
        now_ms += verdict.delay_ms
    assert delays == [0, 0, 0, 1000, 2000, 4000, 8000, 16000, 30000, 30000]


def test_the_right_one_waits_like_a_wrong_one_and_then_all_is_forgotten() -> None:
    gate = PasswordGate("secret")
    now_ms = guess_wrong(gate, 5)
    assert gate.check(b"secret", "a", now_ms) == Verdict(True, 4000)
    assert gate.check(b"wrong", "a", now_ms) == Verdict(False, 0)


def test_guessing_over_many_connections_at_once_gains_nothing() -> None:
    gate = PasswordGate("secret")
    now_ms = guess_wrong(gate, 4)
    assert gate.check(b"wrong", "a", now_ms) == Verdict(False, 2000)
    assert gate.check(b"secret", "a", now_ms + 500) == Verdict(False, 1500), "unread while another waits"
    assert gate.check(b"secret", "a", now_ms + 2000) == Verdict(True, 4000)


def test_other_addresses_are_not_slowed_down() -> None:
    gate = PasswordGate("secret")
    guess_wrong(gate, 8)
    assert gate.check(b"wrong", "b", 0) == Verdict(False, 0)


def test_forgotten_after_a_while() -> None:
    gate = PasswordGate("secret")
    now_ms = guess_wrong(gate, 6)
    assert gate.check(b"wrong", "a", now_ms + FORGET_MS + 1000) == Verdict(False, 0)


def test_the_table_is_bounded_and_drops_who_has_been_quiet_longest() -> None:
    gate = PasswordGate("secret")
    now_ms = guess_wrong(gate, 4)
    for number in range(ADDRESSES_MAX - 1):
        gate.check(b"wrong", f"other {number}", now_ms)
    assert gate.check(b"wrong", "a", now_ms).delay_ms == 2000
    for number in range(ADDRESSES_MAX):
        gate.check(b"wrong", f"more {number}", now_ms)
    assert gate.check(b"wrong", "a", now_ms + 2000).delay_ms == 0
    assert len(gate._guessers) == ADDRESSES_MAX


def test_generated_passwords_suit_the_firmware_and_fingers() -> None:
    passwords = {generate_password() for _ in range(200)}
    assert len(passwords) == 200
    for password in passwords:
        assert len(password) == 9
        assert set(password) <= set("abcdefghjkmnpqrstuvwxyz23456789")
