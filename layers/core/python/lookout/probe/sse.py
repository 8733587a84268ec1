"""Server-sent events, parsed on bytes (WHATWG HTML, "Server-sent events"). Sans-I/O.

Lines end at CR LF, LF or CR and nowhere else: U+2028 or U+0085 inside a JSON string is data. A CR ends its line at
once, also as the last byte that came: what ends its lines with CR alone and then waits has said all it will say.
Time is linear in the bytes fed, however they are cut; memory is what one event holds. The caller bounds what it feeds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_TYPE_LIMIT: Final = 200
"""Bytes of an event's type that are kept."""


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event."""

    type: str
    data: bytes


class Parser:
    """Feed bytes, get events."""

    def __init__(self) -> None:
        self._head: bytes | None = b""
        """What may be the beginning of a byte order mark; None once that is decided."""
        self._partial = bytearray()
        """The line that has not ended."""
        self._after_cr = False
        self._type = ""
        self._data: bytearray | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """The events completed by this chunk."""
        if self._head is not None:
            chunk, self._head = self._head + chunk, None
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._head = chunk
                return []
            chunk = chunk.removeprefix(_BOM)
        start = 1 if self._after_cr and chunk.startswith(b"\n") else 0
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        events: list[Event] = []
        for end in _LINE_END.finditer(chunk, start):
            line = chunk[start : end.start()]
            start = end.end()
            if self._partial:
                self._partial += line
                line = bytes(self._partial)
                self._partial.clear()
            if line:
                self._field(line)
            elif self._data is not None:
                events.append(Event(self._type or "message", bytes(self._data)))
                self._data, self._type = None, ""
            else:
                self._type = ""
        self._partial += chunk[start:]
        return events

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            if self._data is None:
                self._data = bytearray(value)
            else:
                self._data += b"\n"
                self._data += value
        elif name == b"event":
            self._type = value[:_TYPE_LIMIT].decode("utf-8", "replace")
