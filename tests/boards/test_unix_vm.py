"""The unix port behaves as a board does."""

from __future__ import annotations

import time

import pytest

from board_kit.repl import PROMPT, open_repl
from board_kit.unix_vm import UnixVM
from webrepl_bridge.demo import Newlines, PasteEcho

RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"


def test_prompt_and_arithmetic(unix_vm: UnixVM) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        assert repl.evaluate("1+1") == "2"


def test_output_has_a_board_s_newlines_but_raw_repl_is_left_alone(unix_vm: UnixVM) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        repl.port.write(b"print('a\\nb')\r")
        assert repl.expect(PROMPT) == b"print('a\\nb')\r\na\r\nb\r\n>>> "
        repl.port.write(b"\x01")
        repl.expect(RAW_PROMPT)
        repl.port.write(b"import sys;sys.stdout.buffer.write(bytes(range(256)))\x04")
        assert repl.expect(b"\x04\x04>") == b"OK" + bytes(range(256)) + b"\x04\x04>"


def test_soft_reset_at_the_prompt_runs_main_py(unix_vm: UnixVM, caplog: pytest.LogCaptureFixture) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        (unix_vm.folder / "main.py").write_text("print('from main')\n")
        repl.evaluate("a = 5")
        repl.port.write(b"\x04")
        assert repl.expect(PROMPT).startswith(b"\r\nMPY: soft reboot\r\nfrom main\r\nMicroPython ")
        assert "NameError" in repl.evaluate("a")
        for _ in range(20):
            repl.soft_reset()
    assert not caplog.records


def test_soft_reset_in_raw_repl_stays_there_and_loses_nothing_typed_ahead(unix_vm: UnixVM) -> None:
    (unix_vm.folder / "main.py").write_text("print('from main')\n")
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        repl.port.write(b"\x01")
        repl.expect(RAW_PROMPT)
        repl.port.write(b"\x04print(7)\x04")
        assert repl.expect(b"OK7\n\x04\x04>") == b"OK\r\nMPY: soft reboot\r\n" + RAW_PROMPT + b"OK7\n\x04\x04>"


def test_nothing_typed_ahead_is_lost(unix_vm: UnixVM) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        repl.port.write(b"".join(b"x%d=%d\r" % (n, n) for n in range(100)))
        repl.expect(b"x99=99" + PROMPT)
        assert repl.evaluate("sum(v for k, v in globals().items() if k[0] == 'x')") == str(sum(range(100)))


def test_ctrl_c_interrupts_a_program_busy_or_asleep(unix_vm: UnixVM) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        repl.evaluate("import time")
        for pause in ("pass", "time.sleep(100)"):
            repl.port.write(f"exec('print(42)\\nwhile True: {pause}')\r".encode())
            repl.expect(b"\r\n42\r\n")  # only a program that runs can be interrupted, as on a board
            repl.port.write(b"\x03\x03")
            assert b"KeyboardInterrupt" in repl.expect(PROMPT)


def test_ctrl_c_again_and_again_does_not_end_the_vm(unix_vm: UnixVM) -> None:
    (unix_vm.folder / "catcher.py").write_text(
        "import time\n"
        "caught = 0\n"
        "while caught < 40:\n"
        "    try:\n"
        "        print('ready', caught)\n"
        "        time.sleep(100)\n"
        "    except KeyboardInterrupt:\n"
        "        caught += 1\n"
    )
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        repl.evaluate("mark = 'same VM'")
        repl.port.write(b"import catcher\r")
        for n in range(40):
            repl.expect(b"ready %d\r\n" % n)
            repl.port.write(b"\x03")
        repl.expect(b">>> ")
        assert repl.evaluate("mark") == "'same VM'"


def test_ctrl_c_is_data_when_the_program_says_so(unix_vm: UnixVM) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        repl.evaluate("import micropython, sys")
        repl.port.write(
            b"micropython.kbd_intr(-1); print('rea' + 'dy'); print(sys.stdin.buffer.read(3)); micropython.kbd_intr(3)\r"
        )
        repl.expect(b"ready\r\n")
        repl.port.write(b"a\x03b")
        assert repl.expect(PROMPT) == b"b'a\\x03b'\r\n>>> "


def test_paste_mode_echoes_the_two_ends_of_a_line_as_a_board_does(unix_vm: UnixVM) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        for last in (b"\x04", b"\x03"):
            repl.port.write(b"\x05")
            repl.expect(b"=== ")
            repl.port.write(b"x = 1\ny = 2\r\nprint(x + y)" + last)
            shown = repl.expect(PROMPT)
            assert shown == b"x = 1\ny = 2\r\n=== \nprint(x + y)\r\n" + (b"3\r\n" if last == b"\x04" else b"") + b">>> "
        assert repl.evaluate("'=== '") == "'=== '"


def test_ctrl_c_stops_main_py(unix_vm: UnixVM) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        (unix_vm.folder / "main.py").write_text("print('busy')\nwhile True: pass\n")
        repl.port.write(b"\x04")
        repl.expect(b"busy\r\n")
        repl.port.write(b"\x03")
        assert b"KeyboardInterrupt" in repl.expect(PROMPT)


def test_the_folder_is_the_root_of_its_file_system(unix_vm: UnixVM) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        repl.evaluate("f = open('/a.txt', 'w'); f.write('hello'); f.close()")
        assert (unix_vm.folder / "a.txt").read_text() == "hello"
        assert repl.evaluate("import os; os.listdir('/')") == "['a.txt']"
        repl.evaluate("os.mkdir('/sub'); os.rename('/a.txt', '/sub/b.txt'); os.chdir('sub')")
        assert (unix_vm.folder / "sub/b.txt").read_text() == "hello"
        repl.evaluate("os.rename('b.txt', 'c.txt')")
        assert repl.evaluate("os.listdir('/sub'), os.getcwd()") == "(['c.txt'], '/sub')"


def test_a_vm_that_crashes_at_start_is_not_started_again_and_again_at_full_speed(unix_vm: UnixVM) -> None:
    with open_repl(unix_vm.device) as repl:
        repl.to_prompt()
        (unix_vm.folder / "main.py").write_text("import uctypes\nprint('crash')\nuctypes.bytes_at(8, 8)\n")
        start = time.monotonic()
        repl.port.write(b"\x04")
        for _ in range(5):
            repl.expect(b"crash\r\n")
        assert time.monotonic() - start > 0.1 + 0.2 + 0.4 + 0.8


def test_newlines_do_not_depend_on_how_output_is_cut() -> None:
    output = (
        b'MicroPython; linux\nType "help()" for more information.\r\n>>> \n\r\n\n'
        b"raw REPL; CTRL-B to exit\r\n>OK\n\r\n\x00\n"
        b'\r\nMicroPython; linux\r\nType "help()" for more information.\r\n>>> x\n'
    )
    whole = Newlines().convert(output)
    assert whole.count(b"\n") == output.count(b"\n")
    assert b"OK\n\r\n\x00\n\r\nMicro" in whole
    assert b">>> \r\n\r\n\r\nraw" in whole
    for size in range(1, len(output)):
        newlines = Newlines()
        pieces = [newlines.convert(output[i : i + size]) for i in range(0, len(output), size)]
        assert b"".join(pieces) == whole


def test_what_paste_mode_echoes_does_not_depend_on_how_it_is_cut() -> None:
    prompt = b">>> \npaste mode; Ctrl-C to cancel, Ctrl-D to finish\n=== "
    output = prompt + b"a\n=== b\n=== \n=== \n=== c\n1\n=== 2\n" + prompt + b"d\n>>> "
    board_prompt = prompt.replace(b"\n", b"\r\n")
    board = board_prompt + b"a\nb\r\n=== \n\r\n=== c\r\n1\r\n=== 2\r\n" + board_prompt + b"d\r\n>>> "
    for size in range(1, len(output) + 1):
        newlines, echo = Newlines(), PasteEcho()
        echo.typed(b"\x05a\nb\r\n")
        echo.typed(b"\rc\x04")
        pieces = [echo.convert(newlines.convert(output[i : i + size])) for i in range(0, len(output), size)]
        assert b"".join(pieces) == board
