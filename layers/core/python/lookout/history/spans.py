"""Spans of time: pairs (begin, end) in unix seconds, the end not included. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

Span = tuple[int, int]
FOREVER: Final = 1 << 62
"""Later than anything, in unix seconds."""


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time in as few spans as can be, in order. Empty and reversed spans are nothing."""
    out: list[Span] = []
    for begin, end in sorted(span for span in spans if span[0] < span[1]):
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], end))
        else:
            out.append((begin, end))
    return out


def clip(spans: Iterable[Span], since: int, until: int) -> list[Span]:
    """What of them lies within [since, until)."""
    return union((max(begin, since), min(end, until)) for begin, end in spans)


def without(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """What of them lies in none of `taken`."""
    out = union(spans)
    for gone_from, gone_until in union(taken):
        out = union(
            part for begin, end in out for part in ((begin, min(end, gone_from)), (max(begin, gone_until), end))
        )
    return out


def seconds(spans: Iterable[Span]) -> int:
    """How long they are together; what two share counts once."""
    return sum(end - begin for begin, end in union(spans))
