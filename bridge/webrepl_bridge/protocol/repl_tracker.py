r"""What mode a board's REPL is in, from the bytes of both directions, split anywhere.

The board's output decides: each mode announces itself with a text of its own. What was sent only tells apart
what the output leaves open: whether a line end at a prompt came from Enter or from a completion list, and
whether "=== " starts paste mode or is a program's output.

    UNKNOWN ──► PROMPT ">>> " ◄──► CONTINUATION "... "
                  │  ▲
       line end   ▼  │ ">>> "
                RUNNING                          a program, a reboot, boot.py or main.py
    PROMPT ──Ctrl-E──► PASTE "=== " ──Ctrl-D──► RUNNING
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

_LINE_START = (
    rb"\n(?:(?P<banner>(?:MicroPython|Adafruit CircuitPython) [^\r\n]{1,99} on \d{4}-\d\d-\d\d[^\r\n]{0,99})(?=\r\n)"
    rb"|(?P<prompt>>>> )|(?P<more>\.\.\. )|(?P<paste>=== )|(?P<raw>raw REPL; CTRL-B to exit\r\n>))"
)
_ANNOUNCEMENT = re.compile(_LINE_START)
_ANNOUNCEMENT_IN_RAW = re.compile(_LINE_START + rb"|(?P<ok>OK)|(?P<window>R\x01..)", re.DOTALL)
_ANNOUNCEMENT_IN_RAW_RUN = re.compile(_LINE_START + rb"|(?P<end>\x04)")
_VERSION = re.compile(rb"Python v?(\d+)\.(\d+)(?:\.(\d+))?")
_RAW_REPLY_BEGINNING = re.compile(rb"(?:O|R|R\x01|R\x01.)\Z", re.DOTALL)
_BANNER_AT_END = re.compile(rb"\n(?:MicroPython|Adafruit CircuitPython) [^\r\n]*\r\n(?:[^\r\n]+\r\n)?\Z")
_ANNOUNCEMENT_BYTES_MAX = 256
_RECENT_BYTES = 2 * _ANNOUNCEMENT_BYTES_MAX


class ReplTracker:
    """Follows one REPL.

    Attributes:
        mode: what the REPL is doing.
        line: the half-typed line, while at a prompt.
        block: the finished lines of the compound statement above it.
        arrivals: how many prompts of any kind (">>> ", "... ", "=== ", raw ">") have arrived.
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
        self._enters_sent = 0  # line ends sent whose echo has not come
        self._ctrl_e_sent = False
        self._entered: bytes | None = None  # the line that Enter has just ended, until anything else is printed
        self._listing = False  # a continuation line was left without Enter: the board lists completions
        self._ends = 0  # how many of the two \x04 that end a raw program have come
        self._unread = b"\n"  # output not yet judged; begins as if a line had just ended
        self._recent = b""  # the output before it

    @property
    def line_is_empty(self) -> bool:
        """Whether the board is at ">>> " with nothing typed."""
        return self.mode is Mode.PROMPT and not self.line.text

    def data_sent(self, data: bytes) -> None:
        """Take note of bytes that go to the board."""
        if self.mode in (Mode.RAW, Mode.RAW_PASTE, Mode.RAW_RUNNING):
            return
        for byte in data:
            if self.mode is Mode.PASTE:
                if byte == 0x04:
                    self.mode = Mode.RUNNING
            elif byte == 0x0D:
                self._enters_sent += 1
            elif byte == 0x03:
                self._enters_sent = 0
            elif byte == 0x05:
                self._ctrl_e_sent = True

    def receive_data(self, data: bytes) -> None:
        """Take note of bytes that came from the board."""
        self._unread += data
        while self._unread:
            mode = self.mode
            settled = _JUDGES[mode](self)
            self._recent = (self._recent + self._unread[:settled])[-_RECENT_BYTES:]
            self._unread = self._unread[settled:]
            if not settled and self.mode is mode:
                return

    def resume(self, mode: Mode) -> None:
        """Go on in `mode` after a time when the bytes were not shown; line and block stay as they were."""
        self._unread = self._recent = b""
        self._enters_sent = self._ends = 0
        self._ctrl_e_sent = self._listing = False
        self._entered = None
        self.mode = mode

    def _arrive(self, mode: Mode) -> None:
        if mode is not Mode.CONTINUATION:
            self.block.clear()
        elif self._entered is not None:
            self.block.append(self._entered)
        self._entered = None
        self._listing = self._ctrl_e_sent = False
        self._ends = 0
        self.line.clear()
        self.arrivals += 1
        self.mode = mode

    def _note_banner(self, match: re.Match[bytes]) -> None:
        if version := _VERSION.search(match["banner"]):
            self.version = (int(version[1]), int(version[2]), int(version[3] or 0))
        self.banner = match["banner"].decode("utf-8", "replace")

    def _last_line_start(self) -> int:
        # How much may be forgotten: an announcement may begin at the last line end, if that is near.
        start = self._unread.rfind(b"\n", -_ANNOUNCEMENT_BYTES_MAX)
        return len(self._unread) if start < 0 else start

    # One judge a mode. Each looks at self._unread and returns how many bytes of it are settled;
    # none, in the same mode as before, asks for more. How the bytes were cut must not matter.

    def _judge_running(self) -> int:
        match = _ANNOUNCEMENT.search(self._unread)
        if match is None:
            settled = self._last_line_start()
            if settled:
                self._entered = None
            return settled
        continues = self._listing or (self._entered is not None and match.start() == 0)
        if match["prompt"]:
            self._arrive(Mode.PROMPT)
        elif match["raw"]:
            self._arrive(Mode.RAW)
        elif match["paste"] and self._ctrl_e_sent:
            self._arrive(Mode.PASTE)
        elif match["more"] and continues:
            self._arrive(Mode.CONTINUATION)
        else:
            if match["banner"]:
                self._note_banner(match)
            self._entered = None
        return match.end()

    def _judge_prompt(self) -> int:
        for index, byte in enumerate(self._unread):
            if byte != 0x0A:
                self.line.receive_byte(byte)
                continue
            self._entered = self.line.text if self._enters_sent else None
            self._listing = self.mode is Mode.CONTINUATION and not self._enters_sent
            self._enters_sent = max(0, self._enters_sent - 1)
            self.mode = Mode.RUNNING
            return index  # the line feed may begin an announcement
        return len(self._unread)

    def _judge_paste(self) -> int:
        match = _ANNOUNCEMENT.search(self._unread)
        if match is None:
            return self._last_line_start()
        if match["prompt"]:
            self._arrive(Mode.PROMPT)
        elif match["paste"]:
            self.arrivals += 1
        return match.end()

    def _judge_raw(self) -> int:
        match = _ANNOUNCEMENT_IN_RAW.search(self._unread)
        if match is None:
            if beginning := _RAW_REPLY_BEGINNING.search(self._unread):
                return min(beginning.start(), self._last_line_start())
            return self._last_line_start()
        if match["ok"]:
            self.mode = Mode.RAW_RUNNING
        elif match["window"]:
            self.mode = Mode.RAW_PASTE
        else:
            self._leave_raw(match)
        return match.end()

    def _judge_raw_paste(self) -> int:
        if self._unread.startswith(b"\x04"):
            self.mode = Mode.RAW_RUNNING
        return 1

    def _judge_raw_running(self) -> int:
        if self._ends == 2:
            is_prompt = self._unread.startswith(b">")
            self._arrive(Mode.RAW)
            return 1 if is_prompt else 0
        match = _ANNOUNCEMENT_IN_RAW_RUN.search(self._unread)
        if match is None:
            return self._last_line_start()
        if match["end"]:
            self._ends += 1
        else:
            self._leave_raw(match)
        return match.end()

    def _leave_raw(self, match: re.Match[bytes]) -> None:
        # A soft reset comes back to the raw prompt; Ctrl-B and a hard reset give a banner and the friendly one.
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
