"""Days as people at one place count them: of 23, 24 or 25 hours, without a gap and without an overlap. Pure.

The time zone comes in as a `tzinfo`; whoever knows its name makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from lookout.history.day import QUARTER


@dataclass(frozen=True, slots=True)
class LocalDay:
    """One day: `begin` and `end` in unix seconds, the end not included, both on a quarter of an hour."""

    date: str
    begin: int
    end: int


def midnight(day: date, zone: tzinfo) -> int:
    """When a day begins. Where its midnight is skipped (clocks go forward at 0:00) it begins with the jump.

    Offsets that are no quarters of an hour ended decades ago; such a midnight is taken to begin its quarter.
    """
    return int(datetime.combine(day, time(0), zone).timestamp()) // QUARTER * QUARTER


def local_days(now: int, count: int, zone: tzinfo) -> list[LocalDay]:
    """The last `count` days at `now`, the running one last. A day that never was (a zone that crossed the date line)
    has no place among them.
    """
    today = datetime.fromtimestamp(now, zone).date()
    out: list[LocalDay] = []
    end = midnight(today + timedelta(days=1), zone)
    while len(out) < count:
        begin = midnight(today, zone)
        if begin < end:
            out.append(LocalDay(today.isoformat(), begin, end))
        today, end = today - timedelta(days=1), begin
    return out[::-1]
