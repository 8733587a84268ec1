"""The last minutes of one server as a text, one outcome code each, the running minute last. Pure.

Three days are 4,320 characters. They are counted by `str.count`: a thousand servers are looked at every minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from lookout.history.uptime import EXCLUDED, NOT_DUE, OUTCOME_CODES, Tally, tally

_KNOWN: Final = {code: tally(code) for code in {*OUTCOME_CODES.values(), *EXCLUDED, *EXCLUDED.values()}}
_FAILING: Final = [code for code, one in _KNOWN.items() if one.fail]


def counted(codes: str) -> Tally:
    """`history.uptime.tally` of a text."""
    out = [0, 0, 0, 0, 0]
    for code, one in _KNOWN.items():
        if count := codes.count(code):
            each = (one.ok, one.fail, one.unknown, one.excluded, one.degraded)
            out = [had + count * more for had, more in zip(out, each, strict=True)]
    return Tally(*out)


def fails(codes: str) -> bool:
    """Is any of them a failed round?"""
    return any(code in codes for code in _FAILING)


def tallies(codes: str, windows_s: Iterable[int]) -> dict[int, Tally]:
    """The tallies of the last so many seconds; a window that reaches further back than `codes` is not among them."""
    return {window: counted(codes[-(window // 60) :]) for window in windows_s if window // 60 <= len(codes)}


def by_server(verdicts: Mapping[int, Mapping[str, str]], begin: int, end: int) -> dict[str, str]:
    """Of each server the codes of the minutes in [begin, end), from verdicts by minute. Not judged is not due."""
    minutes = [verdicts.get(minute, {}) for minute in range(begin, end, 60)]
    slugs = {slug for codes in minutes for slug in codes}
    return {slug: "".join([codes.get(slug, NOT_DUE)[:1] or NOT_DUE for codes in minutes]) for slug in slugs}
