"""The shim on a real board's UART, and the bridge's half of the link at the other end of it."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from board_kit.pico import Pico, PicoKind
from shim_kit import Host, compile_shim, install_shim, mpremote, open_host, pico_with_shim
from webrepl_bridge.boards.shim_files import NETWORK
from webrepl_link import records

pytestmark = pytest.mark.pico

START = "import webrepl_shim; webrepl_shim.start_uart(1)"
ENOENT, EACCES, EINVAL, ENOSPC, ENOSYS, ECANCELED = 2, 13, 22, 28, 38, 125
RAM_BYTES_MAX = 12 * 1024
FLASH_BYTES_MAX = 16 * 1024
NETWORK_FLASH_BYTES_MAX = 7 * 1024
NETWORK_RAM_BYTES_MAX = 10 * 1024

COUNTER = """
import sys, select, time
def count():
    keys = select.poll()
    keys.register(sys.stdin, select.POLLIN)
    number = 0
    while True:
        number += 1
        if number % 50 == 0 and keys.poll(0):
            key = sys.stdin.read(1)
            print('key', key, 'at', number)
"""

FILL = """
file = open('big', 'wb')
try:
    while True:
        file.write(bytes(4096))
        file.flush()
except OSError:
    file.close()
"""

USED = """
import gc, sys
def used():
    gc.collect()
    return gc.mem_alloc()
"""

NO_NETWORK = """
class Nothing: pass  # the Pico has none
for name, members in (("socket", ()), ("hashlib", ("sha1",))):
    module = Nothing()
    for member in members:
        setattr(module, member, None)
    sys.modules.setdefault(name, module)
"""


@pytest.fixture
def pico(tmp_path: Path) -> Iterator[Pico]:
    """A Pico with the shim in /lib, its REPL on USB."""
    with pico_with_shim(PicoKind("stock"), tmp_path) as pico:
        yield pico


def _data(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def _prompt(host: Host) -> None:
    host.connect()
    host.type(b"\r")
    host.expect(b">>> ")


def test_every_file_compiles_and_all_of_them_fit(tmp_path: Path) -> None:
    sizes = compile_shim(tmp_path)
    print(*(f"{name} {size}" for name, size in sizes.items()), sum(sizes.values()), sep="\n")
    network = sum(size for name, size in sizes.items() if Path(name).stem in NETWORK)
    assert sum(sizes.values()) - network <= FLASH_BYTES_MAX
    assert network <= NETWORK_FLASH_BYTES_MAX


def test_memory(pico: Pico) -> None:
    def growth(line: str) -> int:
        """Return how much memory a line takes, run by itself: what it leaves behind is garbage when it has ended."""
        before, _, after = (mpremote(pico, "resume", "exec", code) for code in ("print(used())", line, "print(used())"))
        return int(after) - int(before)

    mpremote(pico, "resume", "exec", USED)
    link = growth("import webrepl_link.link")
    shim = growth(START)
    files = growth("import webrepl_shim.files")
    tree = growth("import webrepl_shim.tree")
    print(f"RAM: link {link}, shim with its buffers {shim}, together {link + shim}")
    print(f"loaded when asked for: the file service {files} more, lists and trees {tree} more")
    assert link + shim <= RAM_BYTES_MAX
    mpremote(pico, "resume", "exec", NO_NETWORK)
    network = growth("import webrepl_shim.dialed")
    print(f"RAM of the network modules: {network}")
    assert network <= NETWORK_RAM_BYTES_MAX


def test_terminal_and_files(pico: Pico) -> None:
    mpremote(pico, "resume", "exec", START)
    data = _data(10_000)
    with open_host(pico.uart1_url) as host:
        _prompt(host)
        assert host.evaluate("6 * 7") == "42"

        assert host.put("data.bin", data) == 0
        assert host.get("data.bin") == data
        assert host.put("data.bin", b"") == 0
        assert host.get("data.bin") == b""
        assert host.put("data.bin", b"again") == 0
        assert host.get("data.bin") == b"again"

        assert host.put("missing/data.bin", b"1") == ENOENT
        assert host.get("missing.bin") == ENOENT
        host.request(13, "data.bin")
        assert host.reply() == ENOSYS
        host.link.send_binary(b"no request".ljust(82))
        assert host.reply() == EINVAL
        host.request(records.GET_VER)
        assert host.read(3) == b"\1\x19\0"

        assert host.evaluate("__import__('os').listdir()") == "['data.bin', 'lib']"
        assert host.ups == 1


def test_a_file_that_is_never_closed_is_written_when_it_is_collected(pico: Pico) -> None:
    mpremote(pico, "resume", "exec", START)
    with open_host(pico.uart1_url) as host:
        _prompt(host)
        host.evaluate("import gc")
        for number in range(5):
            assert host.evaluate(f"open('left', 'w').write('{number}' * 700)") == "700"
            host.evaluate("gc.collect()")
            host.evaluate("gc.collect()")
        assert host.get("left") == b"4" * 700


def test_a_put_or_get_can_be_given_up(pico: Pico) -> None:
    mpremote(pico, "resume", "exec", START)
    data = _data(9000)
    with open_host(pico.uart1_url) as host:
        _prompt(host)
        assert host.put("data.bin", data) == 0
        host.request(records.PUT_FILE, "data.bin", 100_000)
        assert host.reply() == 0
        host.link.send_binary(data)
        host.link.send_control(b"A" + (9000).to_bytes(4, "little"))
        assert host.reply() == ECANCELED

        host.request(records.GET_FILE, "data.bin")
        assert host.reply() == 0
        host.link.send_control(b"A\0\0\0\0")
        host.link.send_binary(b"\0\0")
        assert host.read(2) == b"\0\0"
        assert host.reply() == ECANCELED

        assert host.get("data.bin") == data
        assert host.evaluate("__import__('os').listdir()") == "['data.bin', 'lib']"


def test_a_full_disk_is_told_and_leaves_the_old_file(pico: Pico) -> None:
    mpremote(pico, "resume", "exec", START)
    with open_host(pico.uart1_url) as host:
        _prompt(host)
        assert host.put("data.bin", b"old") == 0
        mpremote(pico, "resume", "exec", FILL)
        assert host.put("data.bin", _data(30_000)) == ENOSPC
        assert host.get("data.bin") == b"old"
        assert host.evaluate("__import__('os').listdir()") == "['big', 'data.bin', 'lib']"


@pytest.mark.parametrize("bit_errors", [1e-5, 1e-4, 1e-3])
def test_a_program_counts_while_files_move_on_a_bad_wire(tmp_path: Path, bit_errors: float) -> None:
    size = {1e-5: 100_000, 1e-4: 30_000, 1e-3: 5_000}[bit_errors]
    data = _data(size)
    counts = []
    with pico_with_shim(PicoKind("stock", lossy=True, slow_flash=True), tmp_path) as pico:
        mpremote(pico, "resume", "exec", COUNTER + START)
        with open_host(pico.uart1_url, bit_errors=bit_errors) as host:
            _prompt(host)
            host.type(b"count()\r")
            host.expect(b"count()\r\n")

            def press() -> None:
                """Press a key whenever the one before has been answered."""
                if b"\r\n" in host.text:
                    answer = host.expect(b"\r\n").split()
                    assert answer[:2] == [b"key", b"x"]
                    counts.append(int(answer[3]))
                    host.type(b"x")

            host.type(b"x")
            with host.doing(press):
                assert host.put("data.bin", data) == 0
                put_counts = len(counts)
                assert host.get("data.bin") == data
            host.expect(b"\r\n")
            assert put_counts >= 5
            assert len(counts) - put_counts >= 5
            assert counts == sorted(counts)
            host.type(b"\x03")
            host.expect(b"KeyboardInterrupt")
            host.expect(b">>> ")
            assert host.evaluate("__import__('os').listdir()") == "['data.bin', 'lib']"
            assert host.ups == 1
            print(f"{host.link.resent_frames} frames sent again, {len(counts)} keys answered")


def test_ctrl_c_stops_a_busy_loop_and_one_that_only_prints(pico: Pico) -> None:
    mpremote(pico, "resume", "exec", START)
    with open_host(pico.uart1_url) as host:
        _prompt(host)
        for loop in ("pass", "print('x' * 100)", "print('x')", "print('x', 5)") * 2:
            host.type(f"print(6 * 7)\rwhile True: {loop}\r\r".encode())
            host.expect(b"42\r\n")
            host.expect(b"... \r\n")
            for _ in range(10):  # or it is typed, not an interrupt: nothing runs yet
                host.pump()
            host.type(b"\x03")
            host.expect(b"KeyboardInterrupt")
            host.expect(b">>> ")
        assert host.evaluate("6 * 7") == "42"
        assert host.ups == 1


def test_output_keeps_its_order_and_its_end_is_kept_for_who_comes(pico: Pico) -> None:
    mpremote(pico, "resume", "exec", START)
    printed = mpremote(pico, "resume", "exec", "for i in range(2000): print(i)")  # nobody is at the UART
    assert printed.split() == [str(number) for number in range(2000)]
    with open_host(pico.uart1_url) as host:
        host.connect()
        tail = host.expect(b"1998\r\n1999\r\n")
        assert 250 < len(tail) < 600
        _prompt(host)
        host.type(b"for i in range(2000): print(i)\r\r")
        host.expect(b"... \r\n")
        assert host.expect(b">>> ") == b"".join(b"%d\r\n" % number for number in range(2000)) + b">>> "


def test_boot_py_brings_it_back_after_a_soft_reset(pico: Pico) -> None:
    mpremote(pico, "exec", f"open('boot.py', 'w').write({START!r})")
    mpremote(pico, "soft-reset")
    with open_host(pico.uart1_url) as host:
        _prompt(host)
        assert host.put("data.bin", b"1") == 0
        host.request(records.PUT_FILE, "other.bin", 1000)
        assert host.reply() == 0
        host.type(b"\x04")
        host.wait(lambda: host.ups == 2, "second session")
        _prompt(host)
        assert host.get("data.bin") == b"1"
        assert host.evaluate("6 * 7") == "42"


def test_garbage_costs_no_memory_and_no_session(pico: Pico) -> None:
    mpremote(pico, "resume", "exec", START)
    rng = random.Random(1)
    used = "(__import__('gc').collect(), __import__('gc').mem_alloc())[1]"
    with open_host(pico.uart1_url) as host:
        _prompt(host)
        host.evaluate(used)
        before = int(host.evaluate(used))
        for _ in range(40):
            host.write_raw(rng.randbytes(400) + b"\xa5" * 100 + b"\r\nMicroPython v1.25.0\r\n>>> ")
            time.sleep(0.05)
            host.pump()
        assert host.evaluate("6 * 7") == "42"
        assert int(host.evaluate(used)) - before < 1024
        assert host.ups == 1


def test_password(pico: Pico) -> None:
    mpremote(pico, "resume", "exec", "import webrepl_shim; webrepl_shim.start_uart(1, password='secret')")
    with open_host(pico.uart1_url) as host:
        host.connect()
        assert host.expect(b": ") == b"Password: "
        assert host.put("data.bin", b"1") == EACCES
        host.type(b"guess\r")
        host.expect(b"\r\nAccess denied\r\nPassword: ")
        host.type(b"secret\r")
        assert host.expect(b">>> ") == b"\r\nWebREPL connected\r\n>>> "
        assert host.evaluate("6 * 7") == "42"
        assert host.put("data.bin", b"1") == 0


def test_stop_and_start_again(pico: Pico) -> None:
    mpremote(pico, "resume", "exec", START)
    with open_host(pico.uart1_url) as host:
        _prompt(host)
        mpremote(pico, "resume", "exec", "webrepl_shim.stop()")
        assert mpremote(pico, "resume", "eval", "__import__('os').dupterm(None)").strip() == "None"
        mpremote(pico, "resume", "exec", START)
        host.wait(lambda: host.ups == 2, "second session")
        _prompt(host)
        assert host.evaluate("6 * 7") == "42"


def test_plain_framing_says_what_it_needs(pico: Pico) -> None:
    attempt = "try: webrepl_shim.start_uart(1, framing='plain')\nexcept ImportError as error: print(error)"
    assert "websocket" in mpremote(pico, "resume", "exec", f"import webrepl_shim\n{attempt}")


def test_plain_framing_is_the_firmwares_own(pico_webrepl: Pico, tmp_path: Path) -> None:
    install_shim(pico_webrepl, tmp_path)
    mpremote(pico_webrepl, "resume", "exec", "import webrepl_shim; webrepl_shim.start_uart(1, framing='plain')")
    address = pico_webrepl.uart1_url.removeprefix("socket://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=10) as line:
        line.sendall(b"\x81\x01\r")  # an empty password, in a text frame
        received = b""
        while b"WebREPL connected" not in received:
            received += line.recv(1024)
        line.sendall(b"\x81\x066 * 7\r")
        while b"42" not in received:
            received += line.recv(1024)
