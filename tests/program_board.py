"""The model board with Python in it: the real programs of webrepl_programs run in it, against files in memory.

A program runs in a thread of its own that goes on only while the model waits for it, so everything happens in one
order and in virtual time.
"""

from __future__ import annotations

import binascii
import builtins
import io
import queue
import threading
import zlib
from collections.abc import Callable, Generator
from types import ModuleType, SimpleNamespace
from typing import Any

from model_board import BYTE, Firmware, InterruptError, ModelBoard
from webrepl_bridge.protocol.dialogue import (
    Deliver,
    Dialogue,
    DialogueTimeoutError,
    Fetch,
    Opened,
    Pause,
    Receive,
    Send,
)

ENOENT, EEXIST, ENOSPC = 2, 17, 28


class ProgramBoard(ModelBoard):
    """A board with files; use as a context manager, which ends its programs.

    Args:
        files: name and content of each.
        free_bytes: how much more the files may hold.
        renames_over: whether `os.rename` replaces a file that is there.
        write_ms: how long each write takes.
        watched_name: of a file that may come into being.

    Attributes:
        has_seen: whether it has.
        files: name and content of each.
        globals: the REPL's names.
    """

    def __init__(
        self,
        files: dict[str, bytes] | None = None,
        *,
        free_bytes: int = 1 << 20,
        renames_over: bool = True,
        write_ms: int = 0,
        ring_bytes: int = 1 << 20,
        raw_paste: bool = True,
        watched_name: str = "",
    ) -> None:
        self.watched_name = watched_name
        self.has_seen = False
        self.files = {name: bytearray(content) for name, content in (files or {}).items()}
        self.free_bytes = free_bytes
        self.renames_over = renames_over
        self.write_ms = write_ms
        self._program: _Program | None = None
        self.globals: dict[str, Any] = {"__builtins__": _builtins(self)}
        super().__init__(ring_bytes, bytes_per_s=1_000_000, raw_paste=raw_paste)

    def __enter__(self) -> ProgramBoard:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._firmware.close()

    @property
    def program_running(self) -> bool:
        """Whether a program has not come to its end."""
        return self._program is not None

    # What programs ask for; called in their thread.

    def ask(self, what: str, amount: int) -> Any:
        assert self._program is not None
        return self._program.ask((what, amount))

    def write_output(self, data: bytes) -> None:
        self._output += data

    def set_interrupt_key(self, key: int) -> None:
        self._interruptible = key == 0x03

    # The firmware.

    def _execute(self, code: bytes, eof: bytes = b"") -> Firmware:
        self.executed.append(code)
        program = self._program = _Program(code, self.globals)
        self._interruptible = True
        try:
            answer: Any = None
            while (question := program.resume(answer)) is not None:
                try:
                    answer = yield from self._answer(*question)
                except InterruptError:
                    answer = KeyboardInterrupt()
        finally:
            program.end()
            self._program = None
            self._interruptible = False
        self._output += eof + program.traceback() + eof

    def _answer(self, what: str, amount: int) -> Generator[int, int, Any]:
        if what == "read":
            data = bytearray()
            while len(data) < amount:
                data.append((yield BYTE))
            return bytes(data)
        for _ in range(amount):  # poll, or sleep
            if what == "poll" and self._ring:
                return True
            yield 1000
        return False


class _Program:
    def __init__(self, code: bytes, scope: dict[str, Any]) -> None:
        self._code = code
        self._scope = scope
        self._questions: queue.SimpleQueue[tuple[str, int] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="program")
        self._thread.start()

    def _run(self) -> None:
        self._answers.get()
        try:
            exec(compile(self._code, "<stdin>", "exec"), self._scope)
        except BaseException as error:
            self._error = error
        self._questions.put(None)

    def ask(self, question: tuple[str, int]) -> Any:
        self._questions.put(question)
        answer = self._answers.get()
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def resume(self, answer: Any) -> tuple[str, int] | None:
        self._answers.put(answer)
        return self._questions.get()

    def end(self) -> None:
        while self._thread.is_alive():
            self._answers.put(SystemExit())
            self._thread.join(0.01)

    def traceback(self) -> bytes:
        match self._error:
            case None:
                return b""
            case OSError(errno=None, args=(code,)):
                what = f"OSError: {code}"
            case error:
                what = f"{type(error).__name__}: {error}"
        return f'Traceback (most recent call last):\r\n  File "<stdin>", line 1\r\n{what}\r\n'.encode()


class _File(io.BytesIO):
    def __init__(self, board: ProgramBoard, name: str, mode: str) -> None:
        board.has_seen = board.has_seen or name == board.watched_name
        if "w" in mode:
            board.files[name] = bytearray()
        if name not in board.files:
            raise OSError(ENOENT)
        super().__init__(bytes(board.files[name]))
        self._board, self._name = board, name
        if "a" in mode:
            self.seek(0, io.SEEK_END)

    def write(self, data: Any) -> int:
        if self._board.write_ms:
            self._board.ask("sleep", self._board.write_ms)
        grown = self.tell() + len(data) - len(self.getbuffer())
        if grown > self._board.free_bytes:
            raise OSError(ENOSPC)
        self._board.free_bytes -= max(0, grown)
        count = super().write(data)
        self._board.files[self._name] = bytearray(self.getvalue())
        return count


def _builtins(board: ProgramBoard) -> dict[str, Any]:
    def read(count: int) -> bytes:
        data: bytes = board.ask("read", count)
        return data

    def write_text(text: str) -> None:
        board.write_output(text.replace("\n", "\r\n").encode())

    def remove(name: str) -> None:
        if name not in board.files:
            raise OSError(ENOENT)
        board.free_bytes += len(board.files.pop(name))

    def rename(old: str, new: str) -> None:
        if old not in board.files:
            raise OSError(ENOENT)
        if new in board.files and not board.renames_over:
            raise OSError(EEXIST)
        board.files[new] = board.files.pop(old)

    def stat(name: str) -> tuple[int, ...]:
        if name not in board.files:
            raise OSError(ENOENT)
        return (0x8000, 0, 0, 0, 0, 0, len(board.files[name]), 0, 0, 0)

    def crc32(data: Any, check: int = 0) -> int:
        return binascii.crc32(data.encode() if isinstance(data, str) else data, check)

    modules: dict[str, Any] = {
        "sys": SimpleNamespace(
            implementation=("micropython", (1, 25, 0)),
            stdin=SimpleNamespace(read=lambda count: read(count).decode("latin-1"), buffer=SimpleNamespace(read=read)),
            stdout=SimpleNamespace(write=write_text, buffer=SimpleNamespace(write=board.write_output)),
        ),
        "os": SimpleNamespace(remove=remove, rename=rename, stat=stat, mkdir=lambda name: None),
        "select": SimpleNamespace(
            poll=lambda: SimpleNamespace(register=lambda *args: None, poll=lambda ms: board.ask("poll", ms))
        ),
        "micropython": SimpleNamespace(kbd_intr=board.set_interrupt_key),
        "gc": SimpleNamespace(collect=lambda: None, mem_free=lambda: 100_000),
        "binascii": SimpleNamespace(crc32=crc32),
        "io": io,
        "deflate": SimpleNamespace(
            RAW=1, DeflateIO=lambda stream, kind, bits: io.BytesIO(zlib.decompress(stream.read(), -bits))
        ),
    }

    modules |= {"u" + name: modules[name] for name in ("os", "select", "binascii", "io")}

    def import_module(name: str, *args: object) -> ModuleType:
        if name not in modules:
            raise ImportError(name)
        return modules[name]

    def write_line(*values: object, end: str = "\n") -> None:
        write_text(" ".join(str(value) for value in values) + end)

    return {
        **vars(builtins),
        "open": lambda name, mode="r": _File(board, name, mode),
        "exec": lambda code: exec(bytes(code), board.globals),
        "print": write_line,
        "__import__": import_module,
    }


class Abandoned(Exception):
    """A dialogue was left at the step where the test wanted it left."""


class Line:
    """Drives dialogues against a board, in virtual time, over a line that may damage what it carries.

    Args:
        board: the board; it starts at its friendly prompt.
        to_board, to_host: what becomes of the bytes on their way.

    Attributes:
        steps: how many steps of dialogues have been taken.
        content: what goes to the board, for Fetch.
        delivered: what came from it, by Deliver.
    """

    def __init__(
        self,
        board: ProgramBoard,
        to_board: Callable[[bytes], bytes] = bytes,
        to_host: Callable[[bytes], bytes] = bytes,
        content: bytes = b"",
    ) -> None:
        self.steps = 0
        self.content = content
        self.delivered = b""
        self.to_board, self.to_host = to_board, to_host
        self._board = board
        self._now_us = 0
        self._unread = b""
        self.log: list[tuple[str, object]] = []

    @property
    def now_ms(self) -> int:
        return self._now_us // 1000

    def drive(self, dialogue: Dialogue[Any], abandon_at: int | None = None, but_take_it: bool = False) -> Any:
        """Drive a dialogue to its end and return its result.

        Args:
            dialogue: a fresh one.
            abandon_at: raise Abandoned at the step with this number,
            but_take_it: after it was taken, not before, if it only sends.
        """
        answer = b""
        try:
            step = next(dialogue)
            while True:
                if self.steps == abandon_at:
                    dialogue.close()
                    if but_take_it and isinstance(step, Send):
                        self._take(step)
                    raise Abandoned
                self.steps += 1
                try:
                    answer = self._take(step)
                except DialogueTimeoutError as timeout:
                    step = dialogue.throw(timeout)
                else:
                    step = dialogue.send(answer)
        except StopIteration as end:
            return end.value

    def _take(self, step: object) -> bytes:
        match step:
            case Send(data):
                self._board.receive(self.to_board(data))
            case Receive(timeout_ms):
                return self._receive(timeout_ms)
            case Pause(duration_ms):
                self._pass(self._now_us + duration_ms * 1000, until_output=False)
            case Fetch(count):
                data, self.content = self.content[:count], self.content[count:]
                assert len(data) == count
                return data
            case Deliver(data):
                self.delivered += data
            case Opened():
                pass
        return b""

    def _receive(self, timeout_ms: int) -> bytes:
        end_us = self._now_us + timeout_ms * 1000
        while not self._unread and self._now_us < end_us:
            self._pass(end_us, until_output=True)
        if not self._unread:
            raise DialogueTimeoutError
        data, self._unread = self._unread, b""
        return data

    def _pass(self, end_us: int, until_output: bool) -> None:
        while True:
            self._board.advance(self._now_us)
            if output := self._board.output():
                self._unread += self.to_host(output)
                if until_output:
                    return
            event_us = self._board.next_event_us()
            if event_us is None or event_us > end_us:
                self._now_us = end_us
                return
            self._now_us = max(event_us, self._now_us)
