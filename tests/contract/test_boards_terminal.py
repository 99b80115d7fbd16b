"""Nothing that is typed or pasted gets lost, and nothing overtakes anything, whatever the board does meanwhile."""

from __future__ import annotations

import pytest

from board_kinds import Desk, in_loop, serve
from contract.conftest import Rig

RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
LONG_S = 100


def numbers(rig: Rig) -> list[int]:
    """As many as make lines of so many bytes as the kind takes."""
    line_bytes = len("x.append(1000)\r")
    return [1000 + n for n in range(min(rig.kind.paste_bytes, 2 * rig.kind.large_bytes) // line_bytes)]


async def check_numbers(desk: Desk, expected: list[int]) -> None:
    assert await desk.evaluate("len(x)") == len(expected)
    assert await desk.evaluate(f"x == list(range({expected[0]}, {expected[-1] + 1}))")


@in_loop
async def test_lines_pasted_at_the_prompt(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("x = []")
        await desk.type("".join(f"x.append({n})\r" for n in numbers(rig)))
        await desk.expect(f"x.append({numbers(rig)[-1]})\r\n>>> ", LONG_S)
        await check_numbers(desk, numbers(rig))


@in_loop
async def test_lines_pasted_with_a_slow_one_in_the_middle(rig: Rig) -> None:
    pasted = [f"x.append({n})\r" for n in numbers(rig)[:200]]
    pasted.insert(100, "time.sleep(1)\r")
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("import time; x = []")
        await desk.type("".join(pasted))
        await desk.expect(f"{pasted[-1]}\n>>> ", LONG_S)
        await check_numbers(desk, numbers(rig)[:200])


@in_loop
async def test_lines_pasted_with_an_input_in_the_middle(rig: Rig) -> None:
    pasted = [f"x.append({n})\r" for n in numbers(rig)[:100]]
    pasted.insert(50, "name = input('name? ')\rJosefina the Second\r")
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("x = []")
        await desk.type("".join(pasted))
        await desk.expect(f"{pasted[-1]}\n>>> ", LONG_S)
        assert await desk.evaluate("name") == "Josefina the Second"
        await check_numbers(desk, numbers(rig)[:100])


@in_loop
async def test_blocks_pasted_at_the_prompt(rig: Rig) -> None:
    blocks = numbers(rig)[:30]
    text = "".join(f"for i in range(2):\rx.append({n})\r\x08" + "\r" for n in blocks)
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("x = []")
        await desk.type(text + "print('the', 'end')\r")
        await desk.expect("\r\nthe end\r\n>>> ", LONG_S)
        assert await desk.evaluate("x[::2] == x[1::2]")
        await desk.enter("x = x[::2]")
        await check_numbers(desk, blocks)


@in_loop
async def test_text_pasted_in_paste_mode(rig: Rig) -> None:
    expected = numbers(rig) if rig.kind.has_raw_paste else numbers(rig)[:60]
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("x = []")
        await desk.type("\x05" + "".join(f"x.append({n})\r" for n in expected) + "print('the', 'end')\x04")
        await desk.expect("\r\nthe end\r\n>>> ", LONG_S)
        await check_numbers(desk, expected)


@in_loop
async def test_characters_beyond_ascii_in_paste_mode(rig: Rig) -> None:
    words = ["žluťoučký", "馬馬虎虎", "🐎🐎"] * 10
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("x = []")
        await desk.type("\x05" + "".join(f"x.append('{word}')\r" for word in words) + "print('the', 'end')\x04")
        await desk.expect("\r\nthe end\r\n>>> ")
        assert await desk.evaluate("x") == words


@in_loop
async def test_lines_around_characters_beyond_ascii(rig: Rig) -> None:
    """Some firmware's line editor takes them, some ignores them; the lines after them must not suffer."""
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("x = []")
        await desk.type("".join(f"x.append(('žluť{n}', {n}))\r" for n in range(30)))
        await desk.expect("29))\r\n>>> ")
        x = await desk.evaluate("x")
        assert [n for _, n in x] == list(range(30))
        assert [word for word, _ in x] in ([f"žluť{n}" for n in range(30)], [f"lu{n}" for n in range(30)])


@in_loop
async def test_code_in_raw_mode(rig: Rig) -> None:
    expected = numbers(rig) if rig.kind.has_raw_paste else numbers(rig)[:60]
    code = "x = []\n" + "".join(f"x.append({n})\n" for n in expected) + "print(len(x), 'žluť')"
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("\x01")
        await desk.expect(RAW_PROMPT)
        for _ in range(2):
            await desk.type(code + "\x04")
            output = await desk.expect("\x04>", LONG_S)
            assert output.replace(b"\r\n", b"\n") == f"OK{len(expected)} žluť\n\x04\x04>".encode()
        await desk.type("\x02")
        await desk.expect(">>> ")
        await check_numbers(desk, expected)


@in_loop
async def test_everything_of_a_raw_visit_at_once(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        # A shim restarts with its board, and what was typed ahead of that is lost.
        reset = "raise SystemExit\x04" if rig.kind.announces_reset else ""
        await desk.type(f"\r\x03\x03\x01print(1)\x04print(2)\x04{reset}\x02print(3)\r")
        text = await desk.expect("\n3\r\n>>> ")
        assert b"OK1" in text
        assert b"OK2" in text


@pytest.mark.kinds.with_args(lambda kind: kind.has_raw_paste)
@in_loop
async def test_a_reset_in_raw_mode_stays_there(rig: Rig) -> None:
    """MicroPython 1.9 does not reset for a SystemExit in raw mode."""
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("\x01")
        await desk.expect(RAW_PROMPT)
        await desk.type("raise SystemExit\x04")
        await desk.expect(RAW_PROMPT)
        await desk.type("print(3)\x04\x02")
        assert b"OK3" in await desk.expect(">>> ")
        await desk.at_prompt()


@in_loop
async def test_errors_and_an_interrupt_in_raw_mode(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("\x01")
        await desk.expect(RAW_PROMPT)
        await desk.type("1/0\x04")
        assert b"ZeroDivisionError" in await desk.expect("\x04>")
        await desk.type("this is no Python" + " at all" * 100 + "\x04")
        output = await desk.expect("\n\x04>")
        assert output.startswith(b"OK\x04")
        assert b"SyntaxError" in output
        await desk.type("print('on'); exec('while True: pass')\x04")
        await desk.expect("OKon")
        await desk.type("\x03")
        assert b"KeyboardInterrupt" in await desk.expect("\n\x04>")
        await desk.type("print(5)\x04")
        await desk.expect("OK5")
        await desk.type("\x02")
        await desk.expect(">>> ")
        await desk.at_prompt()


@in_loop
async def test_a_request_for_raw_paste_is_declined(rig: Rig) -> None:
    """Its window byte 0x80 could not pass through a text frame; the client's plain raw mode is lossless anyway."""
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("\x01")
        await desk.expect(RAW_PROMPT)
        await desk.type("\x05A\x01")
        assert await desk.expect("R\x00") == b"R\x00"
        await desk.type("print(7)\x04")
        assert (await desk.expect("\x04>")).startswith(b"OK7")
        await desk.type("\x02")
        await desk.expect(">>> ")
        await desk.at_prompt()


@in_loop
async def test_ctrl_c_stops_a_paste(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("import time; x = 0")
        await desk.type("x += 1; time.sleep(0.05)\r" * 800)
        await desk.expect(">>> x += 1")
        await desk.type("\x03")
        await desk.type("print('stopped', x < 700)\r")
        await desk.expect("\r\nstopped True\r\n>>> ", LONG_S)
        await desk.board.interrupt()
        await desk.type("print('at', 'prompt')\r")
        await desk.expect("\r\nat prompt\r\n>>> ")


@pytest.mark.parametrize("mode", ["prompt", "paste mode", "raw mode"])
@in_loop
async def test_typing_at_a_program(rig: Rig, mode: str) -> None:
    program = "while 1:\r  line = input('next? ')\r  print('got', line)\r  if line == 'end': break\r"
    async with serve(rig.kind, rig.url) as desk:
        if mode == "prompt":
            await desk.type("exec(" + repr(program.replace("\r", "\n")) + ")\r")
        elif mode == "paste mode":
            await desk.type("\x05" + program + "\x04")
            await desk.expect("break")
        else:
            await desk.type("\x01")
            await desk.expect(RAW_PROMPT)
            await desk.type(program.replace("\r", "\n") + "\x04")
            await desk.expect("OK")
        for line in ("one", "two words", "x" * 100, "end"):
            await desk.expect("next? ")
            await desk.type(line + "\r")
            await desk.expect(f"got {line}")
        if mode == "raw mode":
            await desk.expect("\x04>")
            await desk.type("\x02")
        await desk.expect(">>> ")
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.has_raw_paste)
@in_loop
async def test_binary_data_for_a_program_in_raw_mode(rig: Rig) -> None:
    data = bytes(range(256)) * 2
    code = "import sys, micropython\nmicropython.kbd_intr(-1)\nsys.stdout.write('go')\nd = sys.stdin.buffer.read(512)\n"
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("\x01")
        await desk.expect(RAW_PROMPT)
        await desk.type(code + "micropython.kbd_intr(3)\nprint(d == bytes(range(256)) * 2)\x04")
        await desk.expect("go")
        for start in range(0, len(data), 64):
            await desk.type(data[start : start + 64])
        await desk.expect("True")
        await desk.expect("\x04>")
        await desk.type("\x02")
        await desk.expect(">>> ")
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.has_raw_paste and kind.is_wire)
@in_loop
async def test_output_of_every_byte_is_shown(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("import sys")
        await desk.type("\x01")
        await desk.expect(RAW_PROMPT)
        await desk.type("for i in range(20): sys.stdout.buffer.write(bytes(range(256)))\x04")
        await desk.expect(b"OK" + bytes(range(256)) * 20 + b"\x04\x04>")
        await desk.type("\x02")
        await desk.expect(">>> ")
        await desk.at_prompt()
