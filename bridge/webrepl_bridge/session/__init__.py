"""One board, shared by everyone who is attached.

shared    the session: its board, its clients, what they see, what is done to the board
keyboard  what they type, and who may
client    one client: what waits for it, what it may do, how it is let go
files     the queue for file operations
"""

from .client import BACKLOG_CHARS_MAX, AnyClient, Client, ClientEndedError, ClientTooSlowError
from .files import FileOperation
from .shared import Action, Limits, Session

__all__ = [
    "Action",
    "AnyClient",
    "BACKLOG_CHARS_MAX",
    "Client",
    "ClientEndedError",
    "ClientTooSlowError",
    "FileOperation",
    "Limits",
    "Session",
]
