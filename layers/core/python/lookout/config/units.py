"""Durations and time zones as they are written in lookout.yaml and on the command line. Pure."""

from __future__ import annotations

import difflib
from typing import Final
from zoneinfo import available_timezones

_UNITS: Final = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def milliseconds(text: str) -> int:
    """`90s` -> 90000. The schema has checked the form."""
    unit = text.lstrip("0123456789")
    return int(text.removesuffix(unit)) * _UNITS[unit]


def seconds(text: str) -> int:
    """`90s` -> 90; what is less than a second is dropped."""
    return milliseconds(text) // 1000


def no_zone(name: str) -> str:
    """What is wrong with the name of a time zone that does not exist."""
    close = difflib.get_close_matches(name, available_timezones(), 1)
    hint = f"did you mean {close[0]}?" if close else "write UTC, or a name such as Europe/Berlin"
    return f"{name[:60]!r} is no time zone of the IANA database; {hint}"
