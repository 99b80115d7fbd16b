r"""What mode a board's REPL is in, from the bytes of both directions, split anywhere.

The board's output decides: each mode announces itself with a text of its own. What was sent only tells apart
what the output leaves open: whether a line end at a prompt came from Enter or from a completion list, and when paste
mode ends.

    UNKNOWN ──► PROMPT ">>> " ◄──► CONTINUATION "... "
                  │  ▲
       line end   ▼  │ ">>> "
                RUNNING                          a program, a reboot, boot.py or main.py
    PROMPT ──Ctrl-E──► PASTE "=== " ──Ctrl-C, Ctrl-D──► RUNNING
    PROMPT ──Ctrl-A──► RAW ">" ──"OK"──► RAW_RUNNING ──"\\x04", "\\x04>"──► RAW
                       RAW ──"R\\x01"──► RAW_PASTE ──"\\x04"──► RAW_RUNNING
                       RAW, RAW_RUNNING ──banner, ">>> "──► PROMPT

Source: micropython docs/reference/repl.rst, shared/runtime/pyexec.c; CircuitPython has the same texts. Seen on
MicroPython 1.9.2 (micro:bit), 1.25 (Pico) and 1.28 (unix).
"""

from __future__ import annotations

import enum
import re

from .edit_line import EditLine


class Mode(enum.Enum):
    """What the REPL is doing."""

    UNKNOWN = "unknown"
    PROMPT = "prompt"
    CONTINUATION = "continuation"
    PASTE = "paste"
    RUNNING = "running"
    RAW = "raw"
    RAW_PASTE = "raw-paste"
    RAW_RUNNING = "raw-running"


AT_PROMPT = frozenset({Mode.PROMPT, Mode.CONTINUATION})

HELD = frozenset({Mode.RAW, Mode.RAW_PASTE, Mode.RAW_RUNNING, Mode.PASTE})
"""Modes that belong to who has entered them."""

HOLDING_KEYS = (0x01, 0x05)
"""Keys that lead there from a prompt."""

_TITLE = rb"(?:\x1b\][^\x07\x1b\n]{0,255}(?:\x07|\x1b\\))?"  # CircuitPython's, anywhere between two writes
_ANNOUNCED = (
    rb"\n" + _TITLE + rb"(?:"
    rb"(?P<prompt>>>> )|(?P<more>\.\.\. )"
    rb"|(?P<paste>paste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== )"
    rb"|(?P<raw>raw REPL; CTRL-B to exit\r\n>))"
    rb"|(?P<banner>(?:MicroPython|Adafruit CircuitPython) [^\r\n]{1,99} on \d{4}-\d\d-\d\d[^\r\n]{0,99})(?=\r\n)"
)
_ANNOUNCEMENT = re.compile(_ANNOUNCED)
_ANNOUNCEMENT_IN_RAW = re.compile(
    _ANNOUNCED + rb"|(?P<again>raw REPL; CTRL-B to exit\r\n>)|(?P<ok>OK)|(?P<window>R\x01..)", re.DOTALL
)
_ANNOUNCEMENT_IN_RAW_PASTE = re.compile(_ANNOUNCED + rb"|(?P<taken>\x04)")
_ANNOUNCEMENT_IN_RAW_RUN = re.compile(_ANNOUNCED + rb"|(?P<end>\x04>)|(?P<mark>\x04)(?=[^>])")
_VERSION = re.compile(rb"Python v?(\d+)\.(\d+)(?:\.(\d+))?")
_BANNER_AT_END = re.compile(rb"(?:MicroPython|Adafruit CircuitPython) [^\r\n]+ on [^\r\n]+\r\n(?:[^\r\n]+\r\n)?\Z")
ANNOUNCEMENT_BYTES_MAX = 512
BLOCK_LINES_MAX = 1000


class ReplTracker:
    """Follows one REPL.

    Attributes:
        mode: what the REPL is doing.
        line: the half-typed line, while at a prompt.
        block: the finished lines of the compound statement above it.
        arrivals: how many prompts (">>> ", "... ", "=== " after another mode, raw ">") have arrived.
        version: the firmware's (major, minor, micro) from a banner; None if none said it (a build between releases).
        banner: the last banner's first line, or "".
    """

    def __init__(self) -> None:
        self.mode = Mode.UNKNOWN
        self.line = EditLine()
        self.block: list[bytes] = []
        self.arrivals = 0
        self.version: tuple[int, int, int] | None = None
        self.banner = ""
        self._tab_sent = False  # since the last prompt that begins a statement
        self._entered: bytes | None = None  # the line that Enter has just ended, until anything else is printed
        self._listing = False  # a continuation line was left, maybe by Tab: the board may be listing completions
        self._output_ended = False  # the first of the two \x04 that end a raw program has come
        self._unread = b"\n"  # output not yet judged; begins as if a line had just ended
        self._recent = b""  # the output before it

    @property
    def line_is_empty(self) -> bool:
        """Whether the board is at ">>> " with nothing typed."""
        return self.mode is Mode.PROMPT and not self.line.text

    @property
    def may_be_at_prompt(self) -> bool:
        """Whether the last output is `>>> ` behind a line that has not ended: a prompt, if nothing more comes."""
        return self.mode in (Mode.RUNNING, Mode.UNKNOWN) and (self._recent + self._unread).endswith(b">>> ")

    def take_as_prompt(self) -> None:
        """Nothing more has come where the board may be at a prompt: it is."""
        self._recent, self._unread = self._recent + self._unread, b""
        self._arrive(Mode.PROMPT)

    def data_sent(self, data: bytes) -> None:
        """Take note of bytes that go to the board."""
        for byte in data:
            if byte == 0x09:
                self._tab_sent = True
            elif byte in b"\x03\x04" and self.mode is Mode.PASTE:
                self.mode = Mode.RUNNING

    def receive_data(self, data: bytes) -> None:
        """Take note of bytes that came from the board."""
        self._unread += data
        while self._unread:
            mode = self.mode
            settled = _JUDGES[mode](self)
            self._recent = (self._recent + self._unread[:settled])[-ANNOUNCEMENT_BYTES_MAX:]
            self._unread = self._unread[settled:]
            if not settled and self.mode is mode:
                return

    def resume(self, mode: Mode) -> None:
        """Go on in `mode` after a time when the bytes were not shown; line and block stay as they were."""
        self._unread = b"\n" if mode is Mode.UNKNOWN else b""  # a line may have ended
        self._recent = b""
        self._tab_sent = self._listing = self._output_ended = False
        self._entered = None
        self.mode = mode

    def _arrive(self, mode: Mode) -> None:
        if mode is not Mode.CONTINUATION:
            self.block.clear()
            self._tab_sent = False
        self._entered = None
        self._listing = self._output_ended = False
        self.line.clear()
        self.arrivals += 1
        self.mode = mode

    def _note_banner(self, match: re.Match[bytes]) -> None:
        if version := _VERSION.search(match["banner"]):
            self.version = (int(version[1]), int(version[2]), int(version[3] or 0))
        self.banner = match["banner"].decode("utf-8", "replace")

    @property
    def _forgettable(self) -> int:
        """How much of the output cannot be part of an announcement any more: one has two line feeds at most."""
        last_but_one = self._unread.rfind(b"\n", 0, max(0, self._unread.rfind(b"\n")))
        return max(0, last_but_one, len(self._unread) - ANNOUNCEMENT_BYTES_MAX)

    # One judge a mode. Each looks at self._unread and returns how many bytes of it are settled;
    # none, in the same mode as before, asks for more. How the bytes were cut must not matter.

    def _judge_running(self) -> int:
        match = _ANNOUNCEMENT.search(self._unread)
        if match is None:
            if self._forgettable:
                self._entered = None
            return self._forgettable
        if match["prompt"]:
            self._arrive(Mode.PROMPT)
        elif match["raw"]:
            self._arrive(Mode.RAW)
        elif match["paste"]:
            self._arrive(Mode.PASTE)
        elif match["more"] and match.start() == 0 and self._entered is not None:
            if len(self.block) < BLOCK_LINES_MAX:
                self.block.append(self._entered)
            self._arrive(Mode.CONTINUATION)
        elif match["more"] and self._listing:
            self._arrive(Mode.CONTINUATION)
        else:
            if match["banner"]:
                self._note_banner(match)
            self._entered = None
        return match.end()

    def _judge_prompt(self) -> int:
        for index, byte in enumerate(self._unread):
            if byte == 0x0A:
                self._listing = self._tab_sent and self.mode is Mode.CONTINUATION
                self._entered = self.line.text
                self.mode = Mode.RUNNING
                return index  # the line feed may begin an announcement
            self.line.receive_byte(byte)
        return len(self._unread)

    def _judge_paste(self) -> int:
        match = _ANNOUNCEMENT.search(self._unread)
        if match is None:
            return self._forgettable
        self._change_by_reset(match)
        return match.end()

    def _judge_raw(self) -> int:
        match = _ANNOUNCEMENT_IN_RAW.search(self._unread)
        if match is None:
            return self._forgettable
        if match["ok"]:
            self.mode = Mode.RAW_RUNNING
        elif match["window"]:
            self.mode = Mode.RAW_PASTE
        elif match["again"]:
            self._arrive(Mode.RAW)
        else:
            self._change_by_reset(match)
        return match.end()

    def _judge_raw_paste(self) -> int:
        match = _ANNOUNCEMENT_IN_RAW_PASTE.search(self._unread)
        if match is None:
            return self._forgettable
        if match["taken"]:
            self.mode = Mode.RAW_RUNNING
        else:
            self._change_by_reset(match)
        return match.end()

    def _judge_raw_running(self) -> int:
        match = _ANNOUNCEMENT_IN_RAW_RUN.search(self._unread)
        if match is None:
            return self._forgettable
        if match["end"] and self._output_ended:
            self._arrive(Mode.RAW)
        elif match["end"] or match["mark"]:
            self._output_ended = True
        else:
            self._change_by_reset(match)
        return match.end()

    def _change_by_reset(self, match: re.Match[bytes]) -> None:
        # Where a program's or a client's text may look like a prompt, a banner has to stand above it. A soft reset in
        # raw mode comes back to the raw prompt; Ctrl-B and a hard reset give a banner and the friendly one.
        if match["raw"]:
            self._arrive(Mode.RAW)
        elif match["banner"]:
            self._note_banner(match)
        elif match["prompt"] and _BANNER_AT_END.search(self._recent + self._unread[: match.start() + 1]):
            self._arrive(Mode.PROMPT)


_JUDGES = {
    Mode.UNKNOWN: ReplTracker._judge_running,
    Mode.RUNNING: ReplTracker._judge_running,
    Mode.PROMPT: ReplTracker._judge_prompt,
    Mode.CONTINUATION: ReplTracker._judge_prompt,
    Mode.PASTE: ReplTracker._judge_paste,
    Mode.RAW: ReplTracker._judge_raw,
    Mode.RAW_PASTE: ReplTracker._judge_raw_paste,
    Mode.RAW_RUNNING: ReplTracker._judge_raw_running,
}
