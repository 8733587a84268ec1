"""Server-sent events, parsed on bytes (WHATWG HTML, "Server-sent events"). Sans-I/O.

Lines end at CR LF, LF or CR and nowhere else: U+2028 or U+0085 inside a JSON string is data.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event."""

    type: str
    data: bytes


class Parser:
    """Feed bytes, get events. The caller bounds how much it feeds."""

    def __init__(self) -> None:
        self._buffer = b""
        self._type = ""
        self._data: list[bytes] = []
        self._started = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events completed by this chunk."""
        self._buffer += chunk
        if not self._started:
            if self._buffer.startswith(b"\xef\xbb\xbf"[: len(self._buffer)]) and len(self._buffer) < 3:
                return
            self._buffer = self._buffer.removeprefix(b"\xef\xbb\xbf")
            self._started = True
        while True:
            ends = [i for i in (self._buffer.find(b"\n"), self._buffer.find(b"\r")) if i >= 0]
            if not ends:
                return
            end = min(ends)
            if self._buffer[end : end + 1] == b"\r" and end + 1 == len(self._buffer):
                return
            line, width = self._buffer[:end], 2 if self._buffer[end : end + 2] == b"\r\n" else 1
            self._buffer = self._buffer[end + width :]
            event = self._line(line)
            if event is not None:
                yield event

    def _line(self, line: bytes) -> Event | None:
        if not line:
            data, kind = b"\n".join(self._data), self._type or "message"
            had, self._data, self._type = bool(self._data), [], ""
            return Event(kind, data) if had else None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._type = value.decode("utf-8", "replace")
        return None
