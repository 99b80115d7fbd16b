"""What boards have in common that run the firmware's own WebREPL, on whatever carries its frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from webrepl_link.errors import BoardError

from ..protocol.base64_transfers import GetBase64, PutBase64
from ..protocol.errnos import ENOSYS
from .programs import program
from .stock import StockBoard

if TYPE_CHECKING:
    from ..protocol.put_files import PutFiles
    from ..protocol.transfers import Transfer


class WebReplBoard(StockBoard):
    """A board whose REPL comes in text frames: what a file holds crosses them in base64."""

    def _new_put(self, name: str, size_bytes: int, offset_bytes: int, keep: bool) -> Transfer:
        if not self._firmware.free_bytes:
            return super()._new_put(name, size_bytes, offset_bytes, keep)
        return PutBase64(self._repl, program("put_base64"), name, size_bytes, offset_bytes, keep=keep)

    def _new_put_files(self, request: PutFiles) -> Transfer:
        raise BoardError(ENOSYS, "the REPL takes one file at a time")

    def _new_get(self, name: str, offset_bytes: int, size_bytes: int | None) -> Transfer:
        if not self._firmware.free_bytes:
            return super()._new_get(name, offset_bytes, size_bytes)
        return GetBase64(self._repl, program("get_base64"), name, offset_bytes, size_bytes)
