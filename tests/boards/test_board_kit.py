"""Every board of the kit comes to a prompt and works, over plain pySerial."""

from __future__ import annotations

from pathlib import Path

import pytest

from board_kit.pico import Pico, PicoKind, run_pico
from board_kit.repl import PROMPT, open_repl


@pytest.mark.microbit
def test_microbit(microbit: str) -> None:
    with open_repl(microbit) as repl:
        repl.port.write(b"\r")
        repl.expect(b">>> \r\n>>> ")
        assert repl.evaluate("1+1") == "2"


@pytest.mark.pico
@pytest.mark.parametrize("board", ["pico_usb", "pico_uart", "pico_webrepl"])
def test_pico(board: str, request: pytest.FixtureRequest) -> None:
    pico: Pico = request.getfixturevalue(board)
    with open_repl(pico.repl_url) as repl:
        repl.to_prompt()
        assert repl.evaluate("1+1") == "2"
        assert repl.evaluate("import os; os.listdir()") == "[]"


@pytest.mark.pico
def test_flash_outlives_the_power_and_takes_time(tmp_path: Path) -> None:
    kind = PicoKind("stock", slow_flash=True)
    for power_cycle in range(2):
        with run_pico(kind, tmp_path / "flash.bin") as pico, open_repl(pico.usb_url) as repl:
            repl.to_prompt()
            if power_cycle == 0:
                before_ms = pico.flash_busy_ms()
                repl.evaluate("f = open('kept', 'w'); f.write('x' * 9000); f.close()")
                assert pico.flash_busy_ms() - before_ms >= 3 * 45
            else:
                assert repl.evaluate("import os; os.stat('kept')[6]") == "9000"


@pytest.mark.pico
def test_the_uart_of_a_lossy_pico_overruns(pico_uart: Pico) -> None:
    with open_repl(pico_uart.usb_url) as repl, open_repl(pico_uart.uart1_url) as uart:
        repl.to_prompt()
        repl.evaluate("from machine import UART, disable_irq, enable_irq; import time")
        repl.evaluate("u = UART(1, 115200, rxbuf=1000, timeout=200)")
        uart.port.write(bytes(200))
        assert repl.evaluate("len(u.read(200))") == "200"

        deaf = b"s = disable_irq(); u.write('deaf'); time.sleep_us(300000); enable_irq(s)"
        repl.port.write(deaf + b"\r")
        uart.expect(b"deaf")
        uart.port.write(bytes(200))
        repl.expect(PROMPT)
        assert repl.evaluate("len(u.read(200))") == "32"  # what the FIFO holds
