"""The 90 day bars: one upright bar per day, as numbers a template draws. Pure.

A bar's colour class says how the judged rounds of the day went, its height how much of the day was covered, and a day
with a failed round carries a tick beneath it, so nothing is said by colour alone. A day without data is grey.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from lookout.history.uptime import Tally, percent
from lookout.status.text import day_name, plural
from lookout.status.view import Day

HEIGHT: Final = 40
"""Of a fully covered bar, in the units of the drawing; a day is 10 units wide."""
_LEAST: Final = 6


@dataclass(frozen=True, slots=True)
class Bar:
    """One day. `y` and `height` place the coloured part on its grey track; `level` is its class."""

    x: int
    y: int
    height: int
    level: str
    tick: bool
    label: str


def level(tally: Tally) -> str:
    """Full (no failed round), high (99 % and more), mid (95 % and more), low, or none (no data)."""
    uptime = tally.uptime
    if uptime is None:
        return "none"
    if uptime == 1:
        return "full"
    if uptime >= Fraction(99, 100):
        return "high"
    return "mid" if uptime >= Fraction(95, 100) else "low"


def describe(tally: Tally) -> str:
    """`99.93% uptime (1 of 1440 rounds failed), 100% covered`; `no data`."""
    if tally.uptime is None:
        return "maintenance, not counted" if tally.excluded else "no data"
    parts = [f"{percent(tally.uptime)} uptime"]
    if tally.fail:
        parts[0] += f" ({tally.fail} of {plural(tally.ok + tally.fail, 'round')} failed)"
    if tally.degraded:
        parts.append(f"{plural(tally.degraded, 'round')} degraded")
    if tally.excluded:
        parts.append(f"{plural(tally.excluded, 'round')} in maintenance not counted")
    coverage = tally.coverage
    if coverage is not None and coverage < 1:
        low = ", less than half the day" if coverage < Fraction(1, 2) else ""
        parts.append(f"{percent(coverage, 1)} covered{low}")
    return ", ".join(parts)


def bars(days: Iterable[Day]) -> list[Bar]:
    """One bar per day, in order."""
    out = []
    for index, day in enumerate(days):
        coverage = day.tally.coverage or Fraction(0)
        height = max(_LEAST, round(HEIGHT * coverage)) if day.tally.uptime is not None else 0
        label = f"{day_name(day.date)}: {describe(day.tally)}"
        out.append(Bar(index * 10, HEIGHT - height, height, level(day.tally), day.tally.fail > 0, label))
    return out


def in_words(days: Iterable[Day]) -> str:
    """All bars in one sentence, for someone who does not see them."""
    tallies = [day.tally for day in days]
    known = [t for t in tallies if t.uptime is not None]
    failed = sum(1 for t in known if t.fail)
    grey = len(tallies) - len(known)
    text = f"Last {plural(len(tallies), 'day')}: {plural(failed, 'day')} with failed rounds"
    return text + (f", {plural(grey, 'day')} without data" if grey else "")
