"""A model of a MicroPython board's REPL on a slow wire, in virtual time: no sleeping, no threads.

The firmware is a generator that asks for a byte of input or for time, so it reads like the C that it models
(shared/readline/readline.c, shared/runtime/pyexec.c). Its input waits in a ring of `ring_bytes`; what does not fit is
lost and counted. Programs are not Python: `sleep(300)` in the code takes 300 ms, `say('x')` prints, `input()` reads a
line with echo, `read(5)` takes 5 bytes as they come, `loop()` runs until Ctrl-C, `==!` is a syntax error.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Generator

from webrepl_bridge.protocol.terminal import Terminal

BYTE = -1
"""What the firmware asks for when it wants a byte; else microseconds."""

Firmware = Generator[int, int, None]
BANNER = b'MicroPython v1.25.0 on 2025-04-15; Model with Generator\r\nType "help()" for more information.\r\n'
SYNTAX_ERROR = b"SyntaxError: invalid syntax\r\n"
CALL = re.compile(rb"(sleep|say|input|read|loop)\(([^()]*)\)")
BLOCK = re.compile(rb"(?:if|for|while|def|try|with|class|async)\b|@")


class InterruptError(Exception):
    """Ctrl-C in a running program."""


class SoftResetError(Exception):
    """Ctrl-D at an empty prompt."""


class ModelBoard:
    """A board.

    Args:
        ring_bytes: how much input can wait.
        bytes_per_s: how fast its REPL reads.
        raw_paste: whether the firmware has raw-paste.

    Attributes:
        lost: how many bytes did not fit.
        taken: every byte that the REPL or a program has read.
        executed: every piece of code that was run, from any mode.
        answers: what `input` and `read` have read.
        resets: how many soft and hard resets there have been.
    """

    def __init__(self, ring_bytes: int = 256, bytes_per_s: int = 10_000, raw_paste: bool = True) -> None:
        self.lost = 0
        self.taken = bytearray()
        self.executed: list[bytes] = []
        self.answers: list[bytes] = []
        self.resets = 0
        self._ring_bytes = ring_bytes
        self._byte_us = 1_000_000 // bytes_per_s
        self._raw_paste = raw_paste
        self._ring: deque[int] = deque()
        self._output = bytearray()
        self._line = bytearray()
        self._interruptible = False
        self._interrupted = False
        self._start(b"")

    def _start(self, output: bytes) -> None:
        self._raw = False
        self._output += output
        self._firmware = self._main()
        self._asks = next(self._firmware)
        self._since_us = 0

    # The wire's side.

    def receive(self, data: bytes) -> None:
        """Bytes have come in over the wire."""
        for byte in data:
            if byte == 0x03 and self._interruptible:
                self._interrupted = True
            elif len(self._ring) < self._ring_bytes - 1:
                self._ring.append(byte)
            else:
                self.lost += 1

    def output(self) -> bytes:
        """Return what the board has said."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def reset(self) -> None:
        """Press the reset button."""
        self._ring.clear()
        self.resets += 1
        self._interruptible = False
        self._start(b"\r\nrst:0x1 (POWERON)\r\n")

    def print_in_background(self, data: bytes) -> None:
        """Print as a timer does, whatever runs in front."""
        self._output += data

    def next_event_us(self) -> int | None:
        """When the firmware goes on by itself."""
        if self._interrupted:
            return self._since_us
        if self._asks == BYTE:
            return self._since_us + self._byte_us if self._ring else None
        return self._since_us + self._asks

    def advance(self, now_us: int) -> None:
        """Run the firmware until `now_us`."""
        while (event_us := self.next_event_us()) is not None and event_us <= now_us:
            if self._interrupted:
                self._interrupted = False
                self._asks = self._firmware.throw(InterruptError)
            elif self._asks == BYTE:
                byte = self._ring.popleft()
                self.taken.append(byte)
                self._asks = self._firmware.send(byte)
            else:
                self._asks = self._firmware.send(0)
            self._since_us = event_us
        if self._asks == BYTE and not self._ring:
            self._since_us = max(self._since_us, now_us)

    # The firmware.

    def _main(self) -> Firmware:
        while True:
            try:
                while True:
                    yield from self._raw_repl() if self._raw else self._friendly_repl()
            except SoftResetError:
                self.resets += 1
                self._output += b"MPY: soft reboot\r\n"
                yield 50_000

    def _friendly_repl(self) -> Firmware:
        self._output += BANNER
        while not self._raw:
            code = bytearray()
            ending = yield from self._readline(b">>> ", code)
            if ending in b"\x01\x02\x03\x04":
                self._output += b"\r\n"
            if ending == 0x01:
                self._raw = True
            elif ending == 0x02:
                self._output += BANNER
            elif ending == 0x04:
                raise SoftResetError
            elif ending == 0x05:
                yield from self._paste_mode()
            elif ending == 0x0D and self._line:
                code += self._line
                while ending in b"\x01\x02\x05\r" and self._continues(code):
                    code += b"\n"
                    ending = yield from self._readline(b"... ", code)
                    code += self._line
                if ending == 0x03:
                    self._output += b"\r\n"
                else:
                    yield from self._execute(bytes(code))

    def _paste_mode(self) -> Firmware:
        self._output += b"\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== "
        code = bytearray()
        while (byte := (yield BYTE)) not in b"\x03\x04":
            code.append(byte)
            self._output += b"\r\n=== " if byte == 0x0D else bytes((byte,))
        self._output += b"\r\n"
        if byte == 0x04:
            yield from self._execute(bytes(code))

    def _continues(self, code: bytes) -> bool:
        if code.count(b"'''") % 2 or code.count(b"(") > code.count(b")") or code.endswith(b"\\"):
            return True
        return bool(BLOCK.match(code)) and not code.endswith(b"\n")

    def _readline(self, prompt: bytes, before: bytes) -> Generator[int, int, int]:
        """Edit a line, which is in self._line then; returns the key that ended it."""
        self._output += prompt
        line = self._line = bytearray()
        cursor = 0
        if before:
            last = before[:-1].rsplit(b"\n", 1)[-1]
            indent = (len(last) - len(last.lstrip(b" "))) // 4 + last.endswith(b":")
            line += b"    " * indent
            self._output += line
            cursor = len(line)
        while True:
            byte = yield BYTE
            back = forward = 0
            redraw = False
            length = len(line)
            if byte in b"\x01\x02\x03\x04\x05" and not line:
                return byte
            if byte == 0x03:
                return byte
            if byte == 0x0D:
                self._output += b"\r\n"
                return byte
            if byte == 0x01:
                back = cursor
            elif byte == 0x05:
                forward = length - cursor
            elif byte == 0x02:
                back = min(1, cursor)
            elif byte == 0x04:
                redraw = cursor < length
                del line[cursor : cursor + 1]
            elif byte == 0x15:
                back, redraw = cursor, True
                del line[:cursor]
            elif byte in b"\b\x7f":
                if cursor:
                    back = 4 if cursor >= 4 and not line[:cursor].strip() else 1
                    del line[cursor - back : cursor]
                    redraw = True
            elif byte == 0x09:
                if before or line:
                    line[cursor:cursor] = b"    "
                    forward, redraw = 4, True
            elif byte == 0x1B:
                if (yield BYTE) == 0x5B:
                    match (yield BYTE):
                        case 0x43:
                            forward = min(1, length - cursor)
                        case 0x44:
                            back = min(1, cursor)
            elif 0x20 <= byte < 0x7F:
                line.insert(cursor, byte)
                forward, redraw = 1, True
            self._move_back(back)
            cursor -= back
            if redraw:
                if len(line) < length:
                    self._output += b"\x1b[K"
                self._output += line[cursor:]
                self._move_back(len(line) - cursor - forward)
            else:
                self._output += line[cursor : cursor + forward]
            cursor += forward

    def _move_back(self, count: int) -> None:
        self._output += b"\b" * count if count <= 4 else b"\x1b[%dD" % count

    def _raw_repl(self) -> Firmware:
        self._output += b"raw REPL; CTRL-B to exit\r\n"
        while True:
            self._output += b">"
            line = bytearray()
            while (byte := (yield BYTE)) != 0x04:
                if byte == 0x01:
                    if self._raw_paste and line == b"\x05A":
                        yield from self._raw_paste_mode()
                        line.clear()
                        self._output += b">"
                        continue
                    return
                if byte == 0x02:
                    self._output += b"\r\n"
                    self._raw = False
                    return
                if byte == 0x03:
                    line.clear()
                else:
                    line.append(byte)
            self._output += b"OK"
            if not line:
                self._output += b"\r\n"
                raise SoftResetError
            yield from self._execute(bytes(line), eof=b"\x04")

    def _raw_paste_mode(self) -> Firmware:
        window = left = min(128, (self._ring_bytes - 1) // 2)
        self._output += b"R\x01" + window.to_bytes(2, "little") + b"\x01"
        code = bytearray()
        while (byte := (yield BYTE)) not in b"\x03\x04":
            code.append(byte)
            left -= 1
            if not left:
                self._output += b"\x01"
                left = window
            if code.endswith(b"==!"):
                self._output += b"\x04"
                while (yield BYTE) not in b"\x03\x04":
                    pass
                self._output += b"\x04" + SYNTAX_ERROR + b"\x04"
                return
        self._output += b"\x04"
        if byte == 0x03:
            self._output += b"\x04KeyboardInterrupt: \r\n\x04"
        else:
            yield from self._execute(bytes(code), eof=b"\x04")

    def _execute(self, code: bytes, eof: bytes = b"") -> Firmware:
        error = b""
        if b"==!" in code:
            error = SYNTAX_ERROR
        else:
            self.executed.append(code)
            try:
                self._interruptible = True
                for call, argument in CALL.findall(code):
                    yield from self._call(call, argument)
            except InterruptError:
                error = b"KeyboardInterrupt: \r\n"
            finally:
                self._interruptible = False
        self._output += eof + error + eof

    def _call(self, call: bytes, argument: bytes) -> Firmware:
        match call:
            case b"sleep":
                yield int(argument or b"0") * 1000
            case b"say":
                self._output += argument.strip(b"'") + b"\r\n"
            case b"loop":
                while True:
                    yield 100_000
            case b"input":
                yield from self._readline(b"? ", b"")
                self.answers.append(bytes(self._line))
            case b"read":
                self._interruptible = False
                answer = bytearray()
                for _ in range(int(argument)):
                    answer.append((yield BYTE))
                self._interruptible = True
                self.answers.append(bytes(answer))


class Desk:
    """A terminal and a board with a wire between them, and a clock that jumps from event to event.

    Args:
        board: the board.
        latency_ms: how long a byte is under way, in each direction.
        pieces: how many bytes the wire hands over at once from the board; 0 for whatever there is.

    Attributes:
        shown: everything that the clients have seen.
        sent: everything that went to the board.
        now_ms: the time.
        cut: whether the wire to the board is cut: what is sent gets lost.
    """

    def __init__(self, board: ModelBoard, latency_ms: int = 1, pieces: int = 0) -> None:
        self.board = board
        self.terminal = Terminal()
        self.shown = b""
        self.sent = b""
        self.now_ms = 0
        self.cut = False
        self._latency_ms = latency_ms
        self._pieces = pieces
        self._to_board: deque[tuple[int, bytes]] = deque()
        self._to_terminal: deque[tuple[int, bytes]] = deque()
        self._idle_steps = 0
        self._pump()

    def type(self, data: bytes) -> None:
        """A client types."""
        self.terminal.type(data)
        self._pump()

    def wait(self, duration_ms: int) -> None:
        """Let time pass."""
        end_ms = self.now_ms + duration_ms
        while (next_ms := self._next_ms()) is not None and next_ms <= end_ms:
            self._go_to(next_ms)
        self._go_to(end_ms)

    def until(self, condition: Callable[[], bool], limit_ms: int = 600_000) -> None:
        """Let time pass until something is so; it has to happen within `limit_ms`."""
        end_ms = self.now_ms + limit_ms
        while not condition():
            next_ms = self._next_ms()
            assert next_ms is not None, f"nothing will ever happen; shown last: {self.shown[-200:]!r}"
            assert next_ms <= end_ms, f"not within {limit_ms} ms; shown last: {self.shown[-200:]!r}"
            self._go_to(next_ms)

    def settle(self, limit_ms: int = 600_000) -> None:
        """Let time pass until all that was typed has had its effect, and the board waits for more."""
        self._pump()
        self.until(
            lambda: (
                not self._to_board
                and not self._to_terminal
                and self.board.next_event_us() is None
                and self.terminal.settled
            ),
            limit_ms,
        )

    def _next_ms(self) -> int | None:
        times = [time_ms for lane in (self._to_board, self._to_terminal) for time_ms, _ in list(lane)[:1]]
        if (event_us := self.board.next_event_us()) is not None:
            times.append(-(-event_us // 1000))
        if (deadline_ms := self.terminal.next_deadline_ms()) is not None:
            times.append(deadline_ms)
        return max(min(times), self.now_ms) if times else None

    def _go_to(self, time_ms: int) -> None:
        self._idle_steps = self._idle_steps + 1 if time_ms == self.now_ms else 0
        assert self._idle_steps < 1000, "time stands still"
        self.now_ms = time_ms
        self._pump()

    def _pump(self) -> None:
        """Do what is due, as ReplWire does."""
        while self._to_board and self._to_board[0][0] <= self.now_ms:
            self.board.receive(self._to_board.popleft()[1])
        self.board.advance(self.now_ms * 1000)
        if output := self.board.output():
            step = self._pieces or len(output)
            for start in range(0, len(output), step):
                self._to_terminal.append((self.now_ms + self._latency_ms, output[start : start + step]))
        while self._to_terminal and self._to_terminal[0][0] <= self.now_ms:
            self.terminal.receive_data(self._to_terminal.popleft()[1], self.now_ms)
            self._send()
        if (deadline_ms := self.terminal.next_deadline_ms()) is not None and deadline_ms <= self.now_ms:
            self.terminal.handle_timeout(self.now_ms)
        self._send()

    def _send(self) -> None:
        data = self.terminal.data_to_send(self.now_ms)
        self.sent += data
        if data and not self.cut:
            self._to_board.append((self.now_ms + self._latency_ms, data))
        self.shown += self.terminal.data_to_show()


def desk_at_prompt(board: ModelBoard, latency_ms: int = 1, pieces: int = 0) -> Desk:
    """Return a desk whose board has come to its first prompt."""
    desk = Desk(board, latency_ms, pieces)
    desk.until(lambda: desk.shown.endswith(b">>> "))
    return desk
