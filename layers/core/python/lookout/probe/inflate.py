"""A compressed body, decoded piece by piece: never more at once than a piece, never past its end. Sans-I/O.

Nobody asked for one (`accept-encoding: identity`), but clients read it, so a server that sends one works. As they do,
what follows its end is passed over, and of one that is cut off what came is taken.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, Final

PIECE: Final = 65_536
KNOWN: Final = ("gzip", "x-gzip", "deflate")
"""Content codings that are read. `deflate` is the zlib format (RFC 9110) or, as some send it, bare."""
_ZLIB_OR_GZIP, _BARE = 47, -15


class Inflater:
    """Decodes one body."""

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._inflate: Any = None
        self._head = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The decoded pieces, each of at most 64 KiB; stop asking and nothing more is decoded. Raises ValueError."""
        if self._inflate is None:
            data = self._head = self._head + data
            if len(data) < 2:
                return
            self._inflate = zlib.decompressobj(_BARE if self._coding == "deflate" and _bare(data) else _ZLIB_OR_GZIP)
        try:
            while data and not self._inflate.eof:
                piece = self._inflate.decompress(data, PIECE)
                data = self._inflate.unconsumed_tail
                if piece:
                    yield piece
                if len(piece) == PIECE and not data and not self._inflate.eof:
                    yield from self._pending()
        except zlib.error as error:
            raise ValueError("the body is not what content-encoding says") from error

    def _pending(self) -> Iterator[bytes]:
        """What zlib holds back when it was full as its input ended."""
        while piece := self._inflate.decompress(b"", PIECE):
            yield piece


def _bare(head: bytes) -> bool:
    """No zlib header (RFC 1950, 2.2): the method is not 8, or the check does not divide by 31."""
    return head[0] & 0x0F != 8 or int.from_bytes(head[:2], "big") % 31 != 0
