"""A board as Python has it: files, code that runs there, the terminal; reached through a bridge or directly.

connect   from an address to a `ConnectedBoard`
files     what can be done with its files
trees     copying whole directories, and making one like another; what that takes is planned in sync_plan
terminal  what it prints, for who reads it, and dialogues at it
"""

from webrepl_link.errors import BoardError, OpenError, TransportError, WebReplError

from ..protocol.file_requests import Entry, Space
from ..protocol.raw_repl import ProgramError
from .board import ConnectedBoard, PasswordError, connect
from .files import Files
from .terminal import Terminal

__all__ = [
    "BoardError",
    "ConnectedBoard",
    "Entry",
    "Files",
    "OpenError",
    "PasswordError",
    "ProgramError",
    "Space",
    "Terminal",
    "TransportError",
    "WebReplError",
    "connect",
]
