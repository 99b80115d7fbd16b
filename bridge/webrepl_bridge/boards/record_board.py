"""What boards have in common whose files are asked for by records."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, ClassVar

from .records import Download, Talk, Upload, ask, encode_name
from .terminal_board import TerminalBoard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from ..protocol.file_requests import Answer, FileRequest


class RecordBoard(TerminalBoard):
    """A board that answers WebREPL's records.

    Attributes:
        chunks_ahead: how many chunks of a file are asked for at once.
    """

    chunks_ahead: ClassVar[int]

    @abstractmethod
    def _talk(self) -> AbstractAsyncContextManager[Talk]:
        """Take a turn in asking the board; what the block leaves in the middle is given up."""

    @asynccontextmanager
    async def put(
        self, name: str, size_bytes: int, offset_bytes: int = 0, *, keep: bool = False
    ) -> AsyncIterator[Upload]:
        """See Board."""
        encoded = encode_name(name)
        async with self._talk() as talk:
            upload = Upload(talk, encoded, size_bytes, offset_bytes, keep=keep)
            await upload.open()
            yield upload

    @asynccontextmanager
    async def get(self, name: str, offset_bytes: int = 0, size_bytes: int | None = None) -> AsyncIterator[Download]:
        """See Board."""
        encoded = encode_name(name)
        async with self._talk() as talk:
            await talk.open(lambda client: client.ask_get(encoded, offset_bytes, size_bytes))
            yield Download(talk, self.chunks_ahead)

    async def ask(self, request: FileRequest[Answer]) -> Answer:
        """See Board."""
        async with self._talk() as talk:
            return await ask(talk, request, self.chunks_ahead)
