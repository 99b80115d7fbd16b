"""Who may type, moment by moment."""

from __future__ import annotations

from webrepl_bridge.protocol.floor import STALL_MS, WAIT_MS, Drop, Floor, TakeBack, Type, WaitFor


def judge(
    floor: Floor[str], client: str, now_ms: int, *, held: bool = True, running: bool = False, since_ms: int = 0
) -> object:
    return floor.judge(client, held=held, running=running, since_ms=since_ms, now_ms=now_ms)


def held_by_a() -> Floor[str]:
    floor: Floor[str] = Floor()
    floor.typed("a", 0)
    return floor


def test_everyone_may_type_while_nobody_holds_the_repl() -> None:
    floor = held_by_a()
    assert judge(floor, "b", 1, held=False) == Type()
    assert judge(Floor[str](), "b", 1) == Type()  # it was in raw mode before anybody came


def test_who_holds_it_may_type() -> None:
    assert judge(held_by_a(), "a", 10 * STALL_MS) == Type()


def test_the_others_wait_until_the_holder_has_stalled() -> None:
    floor = held_by_a()
    assert judge(floor, "b", 5) == WaitFor("a", STALL_MS)
    floor.typed("a", 1000)
    floor.heard(2000)
    assert judge(floor, "b", STALL_MS) == WaitFor("a", STALL_MS + 2000)
    assert judge(floor, "b", STALL_MS + 2000) == TakeBack("a")


def test_a_program_that_runs_is_no_stall_but_nobody_waits_for_ever() -> None:
    floor = held_by_a()
    assert judge(floor, "b", STALL_MS, running=True, since_ms=7) == WaitFor("a", WAIT_MS + 7)
    assert judge(floor, "b", WAIT_MS + 7, running=True, since_ms=7) == Drop("a")


def test_a_holder_that_goes_on_for_ever_is_not_waited_for_for_ever() -> None:
    floor = held_by_a()
    floor.typed("a", WAIT_MS - 1)
    assert judge(floor, "b", WAIT_MS - 1) == WaitFor("a", WAIT_MS)
    assert judge(floor, "b", WAIT_MS) == Drop("a")


def test_who_has_lost_it_begins_anew_with_a_control_key() -> None:
    floor = held_by_a()
    assert floor.lose() == "a"
    assert floor.typist is None
    assert floor.strip("a", b"print(1)\x04") == b""
    assert floor.strip("b", b"print(2)\r") == b"print(2)\r"
    assert floor.strip("a", b"rest\x03\x01print(1)") == b"\x03\x01print(1)"
    assert floor.strip("a", b"print(1)") == b"print(1)"


def test_only_the_typist_leaves_a_repl_behind() -> None:
    floor = held_by_a()
    assert not floor.leave("b")
    assert floor.leave("a")
    assert not floor.leave("a")


def test_a_new_board_knows_nobody() -> None:
    floor = held_by_a()
    floor.lose()
    floor.typed("b", 0)
    floor.reset()
    assert floor.typist is None
    assert floor.strip("a", b"x") == b"x"
