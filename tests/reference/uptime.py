"""The arithmetic of uptime, written the slow and obvious way: one minute, one second, one probe at a time.

It imports nothing of Lookout: what it knows of outcome codes, maintenance and days is written here once more, from
docs/reference/api.md. The tests of history and bench/history.py hold Lookout to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from fractions import Fraction

UP, DEGRADED, NEEDS_CREDENTIAL, DOWN, REJECTED, UNKNOWN = "u", "g", "a", "d", "c", "?"
OK = {UP, DEGRADED, NEEDS_CREDENTIAL, "w"}
FAIL = {DOWN, REJECTED}
LEFT_OUT = set("UGADCm")


@dataclass
class Counts:
    """Rounds."""

    ok: int = 0
    fail: int = 0
    unknown: int = 0
    excluded: int = 0
    degraded: int = 0

    def see(self, code: str) -> None:
        if code in OK:
            self.ok += 1
        if code == DEGRADED:
            self.degraded += 1
        if code in FAIL:
            self.fail += 1
        if code == UNKNOWN:
            self.unknown += 1
        if code in LEFT_OUT:
            self.excluded += 1

    @property
    def uptime(self) -> Fraction | None:
        if self.ok + self.fail == 0:
            return None
        return Fraction(self.ok, self.ok + self.fail)

    @property
    def coverage(self) -> Fraction | None:
        if self.ok + self.fail + self.unknown == 0:
            return None
        return Fraction(self.ok + self.fail, self.ok + self.fail + self.unknown)


def counts(codes: Iterable[str]) -> Counts:
    out = Counts()
    for code in codes:
        out.see(code)
    return out


def uptime(codes: str) -> Fraction | None:
    return counts(codes).uptime


def coverage(codes: str) -> Fraction | None:
    return counts(codes).coverage


def days(codes: Mapping[int, str], zone: tzinfo) -> dict[str, Counts]:
    """By the date a clock on the wall shows in each minute (unix seconds)."""
    out: dict[str, Counts] = {}
    for minute, code in codes.items():
        date = datetime.fromtimestamp(minute, zone).strftime("%Y-%m-%d")
        out.setdefault(date, Counts()).see(code)
    return out


def in_maintenance(code: str, minute: int, windows: Iterable[tuple[int, int, str]]) -> str:
    """The code as it counts; windows are (begin, end, exclude | count_up | count_as_is)."""
    countings = [counting for begin, end, counting in windows if begin <= minute < end]
    if code == ".":
        return code
    if "exclude" in countings:
        return "m" if code in {UNKNOWN, "w"} else code.upper()
    if "count_up" in countings and code not in LEFT_OUT:
        return "w"
    return code


def uptime_time(
    since: int, until: int, incidents: list[tuple[int, int]], excluded: list[tuple[int, int]], step_s: int = 1
) -> Fraction | None:
    """By the second; where all that is given lies on full minutes, a `step_s` of 60 says the same."""
    counted = down = 0
    for second in range(since, until, step_s):
        if any(begin <= second < end for begin, end in excluded):
            continue
        counted += 1
        if any(begin <= second < end for begin, end in incidents):
            down += 1
    return None if counted == 0 else Fraction(counted - down, counted)


def percentile(values: list[int], percent: int) -> int:
    """The least value that at least `percent` in a hundred of the values do not exceed."""
    for candidate in sorted(values):
        if sum(1 for value in values if value <= candidate) * 100 >= percent * len(values):
            return candidate
    raise AssertionError("there are no values")
