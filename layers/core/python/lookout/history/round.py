"""One packed round: everything one region saw of one shard in one scheduled minute.

Packing, version 1: one byte 0x01, then zlib-compressed UTF-8 JSON
`{"s": shard, "m": minute, "r": region, "p": [ProbeResult.compact(), ...]}`, and `"k": k` in the k-th confirmation.
A reader for every older version stays here for as long as records of it can exist.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from lookout.errors import FormatError
from lookout.probe.result import ProbeResult

VERSION: Final = 1
UNPACKED_LIMIT: Final = 4 * 1024 * 1024
"""Bytes a record may unpack to: 40 servers of 1 KB evidence are far below, a damaged record may claim anything."""


@dataclass(frozen=True, slots=True)
class Round:
    """`minute` is the scheduled minute in unix seconds, a multiple of 60.

    `confirmation` k > 0: not the minute's round, but what failed in it, asked for the k-th time again (decision 12, Q).
    """

    shard: str
    minute: int
    region: str
    results: tuple[ProbeResult, ...]
    confirmation: int = 0

    def result(self, slug: str) -> ProbeResult | None:
        """What this region saw of that server."""
        return next((r for r in self.results if r.slug == slug), None)


def pack_json(version: int, value: Any) -> bytes:
    """Version byte + zlib(JSON)."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    return bytes([version]) + zlib.compress(text.encode("utf-8", "surrogatepass"), 9)


def unpack_json(data: bytes, known: Iterable[int]) -> tuple[int, Any]:
    """Inverse of `pack_json`: (version, value). Raises FormatError on anything damaged, too large or unknown."""
    if not data or data[0] not in set(known):
        raise FormatError(f"a packed record of version {data[0] if data else 'none'} cannot be read by this code")
    inflate = zlib.decompressobj()
    try:
        text = inflate.decompress(data[1:], UNPACKED_LIMIT)
        if inflate.unconsumed_tail or not inflate.eof:
            raise FormatError("a packed record is truncated or larger than 4 MiB")
        return data[0], json.loads(text.decode("utf-8", "surrogatepass"))
    except (zlib.error, ValueError) as error:
        raise FormatError(f"a packed record is damaged: {error}") from error


def pack(round_: Round) -> bytes:
    """The bytes of a round item's `data` attribute."""
    value = {
        "s": round_.shard,
        "m": round_.minute,
        "r": round_.region,
        "p": [r.compact() for r in sorted(round_.results, key=lambda r: r.slug)],
    }
    return pack_json(VERSION, {**value, "k": round_.confirmation} if round_.confirmation else value)


def unpack(data: bytes) -> Round:
    """Inverse of `pack`. Raises FormatError."""
    _, value = unpack_json(data, (VERSION,))
    try:
        results = tuple(ProbeResult.from_compact(p) for p in value["p"])
        return Round(value["s"], value["m"], value["r"], results, int(value.get("k", 0)))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"a packed round lacks what it must have: {error!r}") from error
