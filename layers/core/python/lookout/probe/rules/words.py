"""How a rule speaks of a value it found: short, quoted, and cheap whatever the value is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from lookout.probe.quoting import quote

SHOWN: Final = 3
"""Examples a message gives before it only counts."""


def described(value: Any) -> str:
    """A JSON value in a few words: what it is, and a scalar itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{quote(value, 60)}"'
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    if isinstance(value, int) and abs(value) >= 10**18:
        return "a very large number"
    return str(value)


def some(items: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(items) - SHOWN
    return "; ".join(items[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def names(values: Iterable[str]) -> str:
    """Names a server chose, quoted, the first few and a count."""
    return some([quote(value, 60) or '""' for value in values]).replace("; ", ", ")


def is_integer(value: Any) -> bool:
    """A JSON integer: true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)
