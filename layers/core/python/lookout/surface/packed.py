"""A surface as it is stored: its lists alone, as gzipped JSON, under the address that its content comes to.

Who reads one back checks that the content has the address it was found under, so nothing but what was seen is compared.
"""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Final

from lookout.errors import FormatError
from lookout.surface.model import SIZE_LIMIT, Surface

PACKED_LIMIT: Final = 1024 * 1024
"""Bytes one stored surface may take."""


def pack(surface: Surface) -> bytes:
    """The bytes to store; the same content gives the same. Raises FormatError where they are more than PACKED_LIMIT."""
    text = json.dumps(surface.content(), sort_keys=True, separators=(",", ":")).encode()
    data = gzip.compress(text, compresslevel=6, mtime=0)
    if len(data) > PACKED_LIMIT:
        raise FormatError(f"a surface of {len(data)} bytes is more than the {PACKED_LIMIT} that are stored")
    return data


def inflate(data: bytes, limit: int = SIZE_LIMIT) -> bytes:
    """The JSON that was stored. Raises FormatError where it is damaged or more than `limit` bytes."""
    engine = zlib.decompressobj(wbits=31)
    try:
        text = engine.decompress(data, limit + 1)
    except zlib.error as error:
        raise FormatError("a stored surface is damaged") from error
    if len(text) > limit or not engine.eof:
        raise FormatError(f"a stored surface is truncated, or more than the {limit} bytes that may be read")
    return text


def unpack(data: bytes, address: str) -> Surface:
    """Inverse of `pack`, for what was stored at `address`. Raises FormatError on anything else."""
    return parse(inflate(data), address)


def parse(text: bytes, address: str) -> Surface:
    """The surface of an address, from its JSON. Raises FormatError where it is another one."""
    try:
        surface = Surface.from_json(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"a stored surface is damaged: {type(error).__name__}") from error
    if surface.address != address:
        raise FormatError(f"the surface stored at {address} is another one: {surface.address}")
    return surface
