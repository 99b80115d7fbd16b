"""A file transfer leaves no trace: not at the terminal, not in the line that is being typed, not among the globals."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from board_kinds import PATIENCE_S, Desk, SlowLine, in_loop, serve
from contract.conftest import Rig
from webrepl_bridge.boards import stock
from webrepl_bridge.boards.stock import StockBoard, WhileRunning
from webrepl_link.errors import BoardError
from webrepl_transports import ByteStream

EBUSY = 16
LEFT, UP, HOME, BACKSPACE = "\x1b[D", "\x1b[A", "\x01", "\x7f"
RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
FOREVER = "while True: n += 1; n == 1 and print('go', 'on')\r\r"
RUNS = "\r\ngo on\r\n"
"""What FOREVER prints. An echoed line does not yet run: the firmware loses a Ctrl-C that comes in between."""
FILES_USED = (
    r"""exec("while not 'stop' in os.listdir():\n f = open('log', 'a')\n f.write('%d ' % n)\n f.close()\n """
    r"""n += len(open('one').read())\n")"""
)


@dataclass(frozen=True)
class Half:
    """What was typed before a transfer, what after it, and what the board then prints."""

    before: str
    after: str
    printed: str


HALF_TYPED = [
    # nothing
    Half("", "print(1)", "1"),
    # a word
    Half("pri", "nt(7)", "7"),
    # a whole line
    Half("print('x' * 60)", "", "x" * 60),
    # a line of 100 characters
    Half(f"print({'1+' * 45}", "1)", "46"),
    # blanks at the end
    Half("print(3,   ", "4)", "3 4"),
    # only blanks
    Half("  ", BACKSPACE * 2 + "print(5)", "5"),
    # the cursor in the middle
    Half("print()" + LEFT, "8", "8"),
    # the cursor in the middle of blanks
    Half("print('   ')  " + 5 * LEFT, "|", "  | "),
    # the cursor at the start
    Half("(2)" + HOME, "print", "2"),
    # a line out of the history
    Half(UP, "", "from history"),
    # an older line, changed
    Half(UP + 4 * BACKSPACE, " again')", "from histo again"),
    # a block
    Half("for i in range(2):\rprint(i)\rprint(i + 10)\rprint(", "i + 20)\r\r\r", "0\r\n10\r\n20\r\n1\r\n11\r\n21"),
    # a block, on an indented empty line
    Half("for i in range(2):\rprint(i)\r", "print(9)\r\r\r", "0\r\n9\r\n1\r\n9"),
    # indent removed
    Half(f"if 0:\rpass\r{BACKSPACE * 4}else:\rprint(", "6)\r\r\r", "6"),
    # an unfinished bracket
    Half("print((1 +\r2 +\r", "3))\r", "6"),
    # a string of three quotes
    Half('print("""a\r  b\r', 'c""")\r', "a\r\n  b\r\nc"),
]


@in_loop
async def test_the_half_typed_line_comes_back(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("file", b"data")
        for half in HALF_TYPED:
            await desk.enter("print('from history')")
            await desk.type(half.before)
            assert await desk.get("file") == b"data"
            await desk.type(half.after + "\rprint('the', 'end')\r")
            text = await desk.expect("\r\nthe end\r\n>>> ")
            assert f"\r\n{half.printed}\r\n>>> ".encode() in text, half
            assert b"Traceback" not in text, half
        assert await desk.files() == ["file"]


@in_loop
async def test_nothing_is_seen_of_a_transfer(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.at_prompt()
        assert not desk.unread
        await desk.put("file", b"\r\n>>> data\x04>")
        await desk.get("file")
        with pytest.raises(BoardError):
            await desk.get("missing")
        await desk.type("1\r")
        assert await desk.expect(">>> ") == b"1\r\n1\r\n>>> "
        assert not desk.notices


@in_loop
async def test_the_globals_stay_as_they_are(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("block = data = name = size = temp = put = probe = Put = None")
        await desk.enter("f = 'mine'; _put = 2; _get = 3")
        before = await desk.evaluate("sorted(dir())")
        await desk.put("file", b"data")
        await desk.get("file")
        with pytest.raises(BoardError):
            await desk.get("missing")
        with pytest.raises(ZeroDivisionError):
            await divide_by_zero_in_mid_put(desk)
        assert set(before) - set(await desk.evaluate("sorted(dir())")) <= {"probe", "Put", "_put", "_get"}
        assert set(await desk.evaluate("sorted(dir())")) <= set(before)
        assert await desk.evaluate("(f, data, name)") == ("mine", None, None)


async def divide_by_zero_in_mid_put(desk: Desk) -> None:
    async with desk.board.put("other", 200) as writer:
        await writer.write(bytes(100))
        raise ZeroDivisionError


@in_loop
async def test_a_client_at_the_raw_prompt_stays_there(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("\x01")
        await desk.expect(RAW_PROMPT)
        await desk.put("file", b"data")
        assert await desk.get("file") == b"data"
        with pytest.raises(BoardError):
            await desk.get("missing")
        await desk.type("print(open('file').read())\x04")
        assert b"OKdata" in await desk.expect("\n\x04\x04>")
        await desk.type("\x02")
        await desk.expect(">>> ")
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.files_beside_programs)
@in_loop
async def test_the_terminal_answers_during_a_transfer(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        async with desk.board.put("file", 8) as writer:
            await writer.write(b"some")
            await desk.at_prompt()
            await writer.write(b"data")
            await desk.at_prompt()
            await writer.finish()
        async with desk.board.get("file") as reader:
            await desk.at_prompt()
            assert await reader.read() == b"somedata"


@pytest.mark.kinds.with_args(lambda kind: not kind.files_beside_programs)
@in_loop
async def test_what_is_typed_during_a_transfer_comes_after_it(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        async with desk.board.put("file", 4) as writer:
            await desk.type("print(open('file').read())\r")
            await writer.write(b"data")
            await writer.finish()
        await desk.expect("\r\ndata\r\n>>> ")


@in_loop
async def test_what_was_typed_before_a_transfer_comes_before_it(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("file", b"old")
        await desk.enter("seen = []")
        await desk.type("seen.append(open('file').read())\r" * 10)
        await desk.put("file", b"new")
        assert await desk.evaluate("seen") == ["old"] * 10


@pytest.mark.kinds.with_args(lambda kind: kind.files_beside_programs)
@in_loop
async def test_a_line_that_was_just_entered_comes_to_its_end(rig: Rig) -> None:
    line = "import time; time.sleep_ms(100); print(open('file').read())"
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("file", b"old")
        await desk.type(line + "\r")
        await desk.put("file", b"new")
        assert (await desk.expect(">>> ")).endswith(b"\r\nold\r\n>>> ")


@in_loop
async def test_operations_of_several_clients_take_turns(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk, asyncio.TaskGroup() as tasks:
        await desk.put("there", b"5")
        for number in range(3):
            tasks.create_task(desk.put(f"f{number}", bytes([number]) * 90))
            tasks.create_task(desk.get("there"))
        tasks.create_task(desk.type("print(8)\r"))
    async with serve(rig.kind, rig.url) as desk:
        for number in range(3):
            assert await desk.get(f"f{number}") == bytes([number]) * 90


@pytest.mark.kinds.with_args(lambda kind: kind.files_stop_programs)
@in_loop
async def test_a_running_program_is_interrupted_and_people_are_told(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("n = 0")
        await desk.type(FOREVER)
        await desk.expect(RUNS)
        await desk.put("file", b"data")
        assert desk.notices
        assert b"KeyboardInterrupt" in await desk.expect("\r\n>>> ")
        assert await desk.get("file") == b"data"
        assert len(desk.notices) == 1
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.files_beside_programs)
@pytest.mark.parametrize(
    ("program", "printed"),
    [(FOREVER, RUNS), ("while True: n += 1; print('data >>> ', 5)\r\r", "\r\ndata >>>  5\r\n")],
)
@in_loop
async def test_a_running_program_goes_on(rig: Rig, program: str, printed: str) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("n = 0")
        await desk.type(program)
        await desk.expect(printed)
        await desk.put("file", b"data" * 1000)
        assert await desk.get("file") == b"data" * 1000
        assert b"KeyboardInterrupt" not in desk.seen
        await desk.board.interrupt()
        await desk.expect("KeyboardInterrupt")
        await desk.expect("\n>>> ")
        assert await desk.evaluate("n") > 10
        assert not desk.notices


@pytest.mark.kinds.with_args(lambda kind: kind.files_beside_programs)
@in_loop
async def test_a_program_that_uses_files_itself(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.put("one", b"1")
        await desk.enter("n = 0; import os")
        await desk.type(FILES_USED + "\r")
        await desk.expect(FILES_USED + "\r\n")
        for size in (100, 3000, 5000):
            data = b"d" * size
            await desk.put("file", data)
            assert await desk.get("file") == data
        await desk.put("stop", b"")
        await desk.expect(">>> ")
        assert b"Traceback" not in desk.seen, desk.unread
        count = await desk.evaluate("n")
        assert count > 5
        assert await desk.get("log") == b"".join(b"%d " % number for number in range(count))
        assert await desk.files() == ["file", "log", "one", "stop"]


@pytest.mark.kinds.with_args(lambda kind: kind.files_stop_programs)
@in_loop
async def test_a_program_that_prints_all_the_time_is_interrupted(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("while True: print('data >>> ', 5)\r\r")
        await desk.expect("\r\ndata >>>  5\r\n")
        await desk.put("file", b"data")
        await desk.expect("KeyboardInterrupt")
        assert await desk.get("file") == b"data"
        await desk.at_prompt()


@pytest.mark.kinds.with_args(lambda kind: kind.files_stop_programs)
@in_loop
async def test_a_program_that_prints_prompts(rig: Rig) -> None:
    async with serve(rig.kind, rig.url) as desk:
        await desk.type("while True: print('>>> ', 5)\r\r")
        await desk.expect("\r\n>>>  5\r\n")
        await desk.put("file", b"data")
        assert await desk.get("file") == b"data"
        await desk.type("\x03print('at', 'last')\r")  # what the program printed may look like a half-typed line
        await desk.expect("\r\nat last\r\n>>> ")


@pytest.mark.kinds.with_args(lambda kind: kind.files_stop_programs)
@in_loop
async def test_a_program_that_does_not_let_itself_be_interrupted(rig: Rig) -> None:
    deaf = "while n < 6:\\n try:\\n  while 1: pass\\n except KeyboardInterrupt: n += 1"
    async with serve(rig.kind, rig.url) as desk:
        await desk.enter("n = 0")
        await desk.type(f'exec("{deaf}")\r')
        await desk.put("file", b"data")  # after some insisting
        assert await desk.get("file") == b"data"
        assert await desk.evaluate("n") >= 3


@pytest.mark.kinds.with_args(lambda kind: kind.files_stop_programs)
@in_loop
async def test_refusing_while_a_program_runs(rig: Rig) -> None:
    async with serve(rig.kind, rig.url, WhileRunning.REFUSE) as desk:
        await desk.put("file", b"data")
        await desk.enter("n = 0")
        await desk.type("while n >= 0: n = n + 1 if n < 5000 else 1\r\r")
        for _ in range(2):
            with pytest.raises(BoardError) as error:
                await desk.put("file", b"new")
            assert error.value.code == EBUSY
        assert b"KeyboardInterrupt" not in desk.unread
        await desk.board.interrupt()
        await desk.expect("KeyboardInterrupt")
        await desk.expect(">>> ")
        assert await desk.get("file") == b"data"
        assert await desk.evaluate("n") > 0


@pytest.mark.parametrize("while_running", list(WhileRunning))
@in_loop
async def test_a_prompt_behind_output_that_ends_no_line(rig: Rig, while_running: WhileRunning) -> None:
    async with serve(rig.kind, rig.url, while_running) as desk:
        await desk.type("print('no', 'end', end='')\r")
        await desk.expect("no end>>> ")
        await desk.put("file", b"data")
        assert await desk.get("file") == b"data"
        assert not desk.notices
        assert desk.unread == b""
        await desk.type("print('go', 'on')\r")
        await desk.expect("\r\ngo on\r\n>>> ")


@pytest.mark.kinds.with_args(lambda kind: kind.files_stop_programs)
@in_loop
async def test_the_board_settles_when_one_leaves_who_waited_for_a_program_to_end(rig: Rig) -> None:
    async with serve(rig.kind, rig.url, WhileRunning.WAIT) as desk:
        await desk.enter("n = 0")
        await desk.type(FOREVER)
        await desk.expect(RUNS)
        waiting = asyncio.create_task(desk.put("file", b"never"))
        await asyncio.sleep(0)
        settled = asyncio.create_task(desk.board.settle())
        await asyncio.sleep(0)
        waiting.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await settled
        await desk.board.interrupt()
        await desk.expect("KeyboardInterrupt")
        await desk.expect(">>> ")


@pytest.mark.kinds.with_args(lambda kind: kind.files_stop_programs)
@in_loop
async def test_waiting_until_a_program_ends(rig: Rig) -> None:
    async with serve(rig.kind, rig.url, WhileRunning.WAIT) as desk:
        await desk.enter("import time")
        await desk.type("time.sleep(1); print('slept', 'well')\r")
        await desk.put("file", b"data")
        assert b"\r\nslept well\r\n" in desk.unread
        assert not desk.notices
        assert await desk.get("file") == b"data"


class Listener(SlowLine):
    """Notes what is sent."""

    sent = b""

    async def send(self, data: bytes) -> None:
        self.sent += data
        await super().send(data)


@pytest.mark.kinds.with_args(lambda kind: kind.make is StockBoard)
@in_loop
async def test_files_that_follow_each_other_stay_in_the_raw_repl(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    wires: list[Listener] = []

    def wrap(stream: ByteStream) -> Listener:
        wires.append(Listener(stream, rig.kind.baud or 10**7))
        return wires[0]

    async with serve(rig.kind, rig.url, wrap=wrap) as desk:
        monkeypatch.setattr(stock, "LINGER_MS", 1)
        await desk.put("first", b"1")
        async with desk.board.put("second", 1) as writer:
            await asyncio.sleep(0.05)  # the first one no longer waits for a next one
            monkeypatch.setattr(stock, "LINGER_MS", 1000 * PATIENCE_S)
            wires[0].sent = b""
            await writer.write(b"2")
            await writer.finish()
        for _ in range(20):  # all that is due happens
            await asyncio.sleep(0)
        await desk.put("third", b"3")
        assert b"\x02" not in wires[0].sent
        await desk.type("\r")  # ends the wait
        await desk.expect(">>> ")
