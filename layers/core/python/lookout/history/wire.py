"""Small numbers as bytes, and back: what the packings of history are written in. Pure.

A number is written as LEB128 (seven bits a byte, lowest first, the top bit says that more follows); a signed one is
folded first (0, -1, 1, -2, ... become 0, 1, 2, 3, ...); a text is its length and its UTF-8 bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Final

from lookout.errors import FormatError

UNPACKED_LIMIT: Final = 4 * 1024 * 1024
"""Bytes a record may unpack to: an hour takes some KB, a damaged record may claim anything."""
NUMBER_LIMIT: Final = 1 << 63


class Writer:
    """Collects numbers and texts."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def number(self, value: int) -> None:
        """A number of 0 or more."""
        while value > 0x7F:
            self._bytes.append(value & 0x7F | 0x80)
            value >>= 7
        self._bytes.append(value)

    def numbers(self, values: Sequence[int]) -> None:
        """Numbers of 0 or more, one after the other. Most are small: then it is a byte each, and quick."""
        if max(values, default=0) < 0x80:
            self._bytes += bytes(values)
        else:
            for value in values:
                self.number(value)

    def signed(self, values: Iterable[int]) -> None:
        """Any numbers, one after the other."""
        self.numbers([value << 1 if value >= 0 else (-value << 1) - 1 for value in values])

    def text(self, value: str) -> None:
        """A text."""
        raw = value.encode("utf-8", "surrogatepass")
        self.number(len(raw))
        self._bytes += raw

    def packed(self, version: int) -> bytes:
        """The version in one byte, then all that was written, compressed by zlib."""
        return bytes([version]) + zlib.compress(bytes(self._bytes), 9)


class Reader:
    """Reads what a `Writer` wrote, from the bytes after the version. Every method raises FormatError on damage."""

    def __init__(self, compressed: bytes) -> None:
        inflate = zlib.decompressobj()
        try:
            self._bytes = inflate.decompress(compressed, UNPACKED_LIMIT)
        except zlib.error as error:
            raise FormatError(f"a packed record is damaged: {error}") from error
        if inflate.unconsumed_tail or not inflate.eof:
            raise FormatError("a packed record is truncated or larger than 4 MiB")
        self._at = 0

    def number(self) -> int:
        """The next number, below 2^63."""
        value = shift = 0
        while True:
            if self._at >= len(self._bytes):
                raise FormatError("a packed record ends too early")
            byte = self._bytes[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if value >= NUMBER_LIMIT:
                raise FormatError("a packed record holds a number beyond 63 bits")
            if byte < 0x80:
                return value
            shift += 7

    def numbers(self, count: int) -> Sequence[int]:
        """The next numbers."""
        found = self._bytes[self._at : self._at + count]
        if len(found) == count and max(found, default=0) < 0x80:
            self._at += count
            return found
        return [self.number() for _ in range(count)]

    def count(self, limit: int) -> int:
        """The next number, as a count of at most `limit` things."""
        value = self.number()
        if value > limit:
            raise FormatError(f"a packed record claims {value} entries where {limit} are possible")
        return value

    def signed(self, count: int) -> list[int]:
        """The next signed numbers."""
        return [value >> 1 if not value & 1 else -((value + 1) >> 1) for value in self.numbers(count)]

    def text(self) -> str:
        """The next text."""
        end = self.count(len(self._bytes)) + self._at
        raw, self._at = self._bytes[self._at : end], end
        try:
            return raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise FormatError("a packed record holds a text that is not UTF-8") from error

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._bytes):
            raise FormatError("a packed record goes on where it should end")
