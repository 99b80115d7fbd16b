"""The start in boot.py goes in and comes out without a trace."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webrepl_bridge.protocol.boot_file import BEGIN, END, UartStart, start_in, with_start, without_start

START = UartStart(1, 115200)
BOOTS = [b"", b"\n", b"import gc", b"# boot\r\nimport gc\r\n", b"\xff no text \0", BEGIN + b"\nunfinished"]


@pytest.mark.parametrize("boot", [*BOOTS, None])
def test_out_as_it_was(boot: bytes | None) -> None:
    once = with_start(boot, START)
    assert once.endswith(boot or b"")
    assert without_start(once) == boot
    assert start_in(once) == "start_uart(1, 115200)"
    assert start_in(boot) is None


@given(st.none() | st.binary() | st.lists(st.sampled_from([BEGIN, END, b"\n", b" (a new file)", b"x"])).map(b"".join))
def test_out_as_it_was_whatever_it_was(boot: bytes | None) -> None:
    if boot is None or without_start(boot) == boot:
        assert without_start(with_start(boot, START)) == boot


@pytest.mark.parametrize("boot", [*BOOTS, None])
def test_a_second_start_takes_the_place_of_the_first(boot: bytes | None) -> None:
    once = with_start(boot, START)
    again = with_start(once, UartStart(0, 9600, "16", "D7"))
    assert start_in(again) == "start_uart(0, 9600, tx=16, rx='D7')"
    assert again.count(BEGIN) == once.count(BEGIN)
    assert without_start(again) == boot


def test_a_new_file_that_got_more_is_kept() -> None:
    assert without_start(with_start(None, START) + b"import gc\n") == b"import gc\n"


def test_without_a_start_nothing_changes() -> None:
    assert without_start(b"import gc\n") == b"import gc\n"


def test_it_is_python_whatever_the_pin_is_called() -> None:
    ast.parse(with_start(b"x = 1\n", UartStart(1, 9600, "A'0\"\n", "ž")))
