"""The same arithmetic, written the slow and obvious way: one minute, one second, one probe at a time."""

from __future__ import annotations

from fractions import Fraction

OK, FAIL = set("ugaw"), set("dc")


def uptime(codes: str) -> Fraction | None:
    good = bad = 0
    for code in codes:
        if code in OK:
            good += 1
        if code in FAIL:
            bad += 1
    return None if good + bad == 0 else Fraction(good, good + bad)


def coverage(codes: str) -> Fraction | None:
    known = due = 0
    for code in codes:
        if code in OK or code in FAIL:
            known += 1
        if code in OK or code in FAIL or code == "?":
            due += 1
    return None if due == 0 else Fraction(known, due)


def uptime_time(
    since: int, until: int, incidents: list[tuple[int, int]], excluded: list[tuple[int, int]]
) -> Fraction | None:
    counted = down = 0
    for second in range(since, until):
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
