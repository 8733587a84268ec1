"""RFC 5545 recurrence rules (RRULE), as far as maintenance windows need them: which are taken, and what they name.

A rule counts in local time: 03:00 stays 03:00 when clocks change. As RFC 5545 (3.3.5) has it, a local time that clocks
leap over is read with the offset before the leap, and of one that comes twice the first is meant.

`dateutil` walks a rule from its start, and one that names nothing to the end of year 9999. So that no rule costs more
than moments, a walk begins at the period asked for, and happens at the end of the calendar, which repeats itself every
400 years to the weekday. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise
from typing import Final, Literal, Self
from zoneinfo import ZoneInfo

from dateutil import rrule

LONGEST_RULE: Final = 200
"""Characters."""
MOST_A_DAY: Final = 48
_SHIFT_YEARS: Final = 19 * 400
_EPOCH: Final = datetime.fromisoformat("2000-01-01T00:00")
_LATEST: Final = datetime.fromisoformat("2399-01-01T00:00")
_MARGIN: Final = timedelta(days=2)
"""More than any clock was ever changed by, on top of the widest offset."""
_SOON_YEARS: Final = 10
_FREQUENCIES: Final[dict[str, Literal[0, 1, 2, 3, 4]]] = {
    "HOURLY": rrule.HOURLY,
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
    "YEARLY": rrule.YEARLY,
}
_DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_NUMBERS: Final = {
    "INTERVAL": (1, 400, False),
    "COUNT": (1, 1000, False),
    "BYMONTH": (1, 12, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, 53, True),
    "BYHOUR": (0, 23, False),
    "BYMINUTE": (0, 59, False),
    "BYSETPOS": (1, 366, True),
}
"""Smallest, greatest, and whether it may count from the end."""
_ONE: Final = ("INTERVAL", "COUNT")
_KEYS: Final = ("FREQ", "UNTIL", "BYDAY", "WKST", *_NUMBERS)
_ONLY_WITH: Final = {
    "BYMONTHDAY": ("HOURLY", "DAILY", "MONTHLY", "YEARLY"),
    "BYYEARDAY": ("HOURLY", "YEARLY"),
    "BYWEEKNO": ("YEARLY",),
    "BYSETPOS": ("MONTHLY", "YEARLY"),
}
_DAY: Final = re.compile(rf"([+-]?[0-9]{{1,2}})?({'|'.join(_DAYS)})")
_UNTIL: Final = re.compile(r"[0-9]{8}(T[0-9]{6}Z?)?")


class RuleError(ValueError):
    """What is wrong with a rule, in words a person can act on."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule that was checked. Times are local, without a zone; `numbers` and `days` say everything explicitly."""

    frequency: str
    start: datetime
    """Nothing is named before it; intervals are counted from it."""
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    """The last moment that may be named; UTC where `until_utc`."""
    until_utc: bool = False
    week_start: int = 0
    numbers: tuple[tuple[str, tuple[int, ...]], ...] = ()
    days: tuple[tuple[int, int], ...] = ()
    """Weekday (Monday 0), and which of the month or year (0: each)."""

    @classmethod
    def parse(cls, text: str, start: datetime | None = None) -> Self:
        """The rule `text`, from `start` (local). Raises RuleError."""
        parts = _parts(text)
        frequency = parts["FREQ"]
        numbers = {key: _numbers(key, value) for key, value in parts.items() if key in _NUMBERS}
        days = _days(parts["BYDAY"], frequency, numbers) if "BYDAY" in parts else ()
        interval, count = (numbers.pop(key, (None,))[0] for key in _ONE)
        if start is None:
            _needs_no_start(frequency, {*numbers, *(["BYDAY"] if days else [])}, interval or 1, count)
        first = start or _EPOCH
        if not (numbers.keys() & {"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"} or days):
            if frequency == "WEEKLY":
                days = ((first.weekday(), 0),)
            if frequency in ("MONTHLY", "YEARLY"):
                numbers["BYMONTHDAY"] = (first.day,)
            if frequency == "YEARLY":
                numbers.setdefault("BYMONTH", (first.month,))
        if frequency != "HOURLY":
            numbers.setdefault("BYHOUR", (first.hour,))
        numbers.setdefault("BYMINUTE", (first.minute,))
        if len(numbers.get("BYHOUR", range(24))) * len(numbers["BYMINUTE"]) > MOST_A_DAY:
            raise RuleError(f"occurs more than {MOST_A_DAY} times a day: name fewer hours or minutes")
        week_start = _DAYS.index(parts.get("WKST", "MO"))
        until, until_utc = _until(parts["UNTIL"]) if "UNTIL" in parts else (None, False)
        ordered = tuple(sorted(numbers.items()))
        return cls(frequency, first, interval or 1, count, until, until_utc, week_start, ordered, days)

    def moments(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The local times it names in [since, until), in order; COUNT is heeded; an UNTIL in UTC only by and large."""
        last = _last_of(self) if self.count is not None else None
        for moment in _walk(self, since):
            late = last is not None and moment > last
            over = self.until is not None and moment > self.until + (_MARGIN if self.until_utc else timedelta(0))
            if moment >= until or late or over:
                return
            yield moment

    def begins(self, since: int, until: int, timezone: str) -> list[int]:
        """The moments it names in [since, until), in unix seconds and in order, in the zone of that IANA name."""
        zone = ZoneInfo(timezone)
        first, last = (datetime.fromtimestamp(at, zone).replace(tzinfo=None) for at in (since, until))
        ends = self.until.replace(tzinfo=UTC).timestamp() if self.until is not None and self.until_utc else None
        found = {
            int(moment.replace(tzinfo=zone).timestamp()) for moment in self.moments(first - _MARGIN, last + _MARGIN)
        }
        return sorted(at for at in found if since <= at < until and (ends is None or at <= ends))

    def last(self, timezone: str) -> int | None:
        """No moment it names is later, in unix seconds; None: there is always another."""
        if self.count is not None:
            final = _last_of(self) or self.start
        elif self.until is not None:
            final = self.until
        else:
            return None
        zone = UTC if self.until_utc else ZoneInfo(timezone)
        return int(final.replace(tzinfo=zone).timestamp())


def rule_problem(text: str, start: datetime | None, duration_s: int | None) -> str | None:
    """What speaks against the rule, from `start` (local), for windows of that length (None: unknown); None: nothing."""
    try:
        rule = Recurrence.parse(text, start)
    except RuleError as error:
        return str(error)
    latest = rule.start.replace(year=rule.start.year + _SOON_YEARS, day=min(rule.start.day, 28))
    found = list(islice(rule.moments(rule.start, latest), 400))
    if not found:
        return f"names no moment in the {_SOON_YEARS} years from its start: check its days and its UNTIL"
    apart = min((int((after - before).total_seconds()) for before, after in pairwise(found)), default=None)
    if apart is not None and duration_s is not None and duration_s >= apart:
        return f"comes again after {apart // 60} minutes, and a window lasts {duration_s // 60}: make it shorter"
    return None


def _parts(text: str) -> dict[str, str]:
    if len(text) > LONGEST_RULE:
        raise RuleError(f"has {len(text)} characters; at most {LONGEST_RULE} are allowed")
    parts: dict[str, str] = {}
    for part in text.split(";"):
        key, separator, value = part.partition("=")
        if not separator or key not in _KEYS:
            known = ", ".join(_KEYS)
            raise RuleError(f"has the part {part[:40]!r}: write KEY=VALUE;KEY=VALUE, of {known}")
        if key in parts:
            raise RuleError(f"says {key} twice: write {key}=A,B, or remove one")
        parts[key] = value
    if parts.get("FREQ") not in _FREQUENCIES:
        raise RuleError(f"needs FREQ, one of {', '.join(_FREQUENCIES)}")
    if "COUNT" in parts and "UNTIL" in parts:
        raise RuleError("has COUNT and UNTIL: remove one of them")
    if parts.get("WKST", "MO") not in _DAYS:
        raise RuleError(f"needs for WKST one of {', '.join(_DAYS)}")
    for key, frequencies in _ONLY_WITH.items():
        if key in parts and parts["FREQ"] not in frequencies:
            raise RuleError(f"has {key}, which belongs to FREQ={' or '.join(frequencies)}")
    if "BYSETPOS" in parts and not {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"} & parts.keys():
        raise RuleError("has BYSETPOS, and nothing to choose from: add BYDAY or another")
    return parts


def _numbers(key: str, text: str) -> tuple[int, ...]:
    least, most, from_end = _NUMBERS[key]
    words = text.split(",")
    if not all(re.fullmatch(r"[+-]?[0-9]{1,4}", word) for word in words) or (key in _ONE and len(words) > 1):
        raise RuleError(f"needs for {key} {'a number' if key in _ONE else 'numbers, separated by commas'}")
    values = sorted({int(word) for word in words})
    if not all(least <= (abs(value) if from_end else value) <= most for value in values):
        raise RuleError(f"needs for {key} {least} to {most}{' (or -1 and so on, from the end)' if from_end else ''}")
    return tuple(values)


def _days(text: str, frequency: str, numbers: dict[str, tuple[int, ...]]) -> tuple[tuple[int, int], ...]:
    out: set[tuple[int, int]] = set()
    for word in text.split(","):
        match = _DAY.fullmatch(word)
        if match is None:
            raise RuleError(f"needs for BYDAY days such as SU or, of a month, 1SU or -1FR; of {', '.join(_DAYS)}")
        which = int(match[1] or 0)
        if match[1] and (frequency not in ("MONTHLY", "YEARLY") or "BYWEEKNO" in numbers or not 1 <= abs(which) <= 53):
            raise RuleError(f"has {word}: a numbered day belongs to FREQ=MONTHLY or YEARLY, without BYWEEKNO, 1 to 53")
        out.add((_DAYS.index(match[2]), which))
    if len({bool(which) for _, which in out}) > 1:
        raise RuleError("mixes numbered days and others in BYDAY: make two windows of it")
    return tuple(sorted(out))


def _until(text: str) -> tuple[datetime, bool]:
    """A date means its end."""
    if _UNTIL.fullmatch(text):
        try:
            moment = datetime.fromisoformat(text.rstrip("Z"))
        except ValueError:
            pass
        else:
            return (moment if "T" in text else moment + timedelta(hours=24, seconds=-1)), text.endswith("Z")
    raise RuleError("needs for UNTIL a day such as 20271231, or a time such as 20271231T030000 or 20271231T030000Z")


def _needs_no_start(frequency: str, keys: set[str], interval: int, count: int | None) -> None:
    """Without a start it must say by itself when it is."""
    if interval > 1 or count is not None:
        raise RuleError("counts from a beginning (INTERVAL, COUNT): add start: 2027-01-31T03:00, the first one")
    if frequency != "HOURLY" and "BYHOUR" not in keys:
        raise RuleError("does not say at which time: add BYHOUR=3 (and BYMINUTE), or start: 2027-01-31T03:00")
    if frequency == "YEARLY" and not keys & {"BYMONTH", "BYYEARDAY", "BYWEEKNO", "BYDAY"}:
        raise RuleError("does not say which month: add BYMONTH=1, or start: 2027-01-31T03:00")
    if frequency in ("WEEKLY", "MONTHLY", "YEARLY") and not keys & {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"}:
        hint = "BYDAY=SU" if frequency == "WEEKLY" else "BYDAY=1SU or BYMONTHDAY=1"
        raise RuleError(f"does not say on which day: add {hint}, or start: 2027-01-31T03:00")


def _walk(rule: Recurrence, since: datetime) -> Iterator[datetime]:
    """Every local time the rule names from `since` on, COUNT and UNTIL left aside. Ends within 400 years."""
    since = max(since, rule.start)
    if since >= _LATEST:
        return
    named: dict[str, tuple[int, ...]] = {key.lower(): values for key, values in rule.numbers}
    anchor = _anchor(rule, since)
    try:
        walked = rrule.rrule(
            _FREQUENCIES[rule.frequency],
            dtstart=anchor.replace(year=anchor.year + _SHIFT_YEARS),
            interval=rule.interval,
            wkst=rule.week_start,
            byweekday=[rrule.weekday(day, which or None) for day, which in rule.days] or None,
            bysetpos=named.get("bysetpos"),
            bymonth=named.get("bymonth"),
            bymonthday=named.get("bymonthday"),
            byyearday=named.get("byyearday"),
            byweekno=named.get("byweekno"),
            byhour=named.get("byhour"),
            byminute=named["byminute"],
            bysecond=0,
        )
    except ValueError:  # hours that its interval never meets
        return
    for moment in walked:
        found = moment.replace(year=moment.year - _SHIFT_YEARS)
        if found >= since:
            yield found


def _anchor(rule: Recurrence, since: datetime) -> datetime:
    """The newest beginning of a period that is whole intervals after the one of its start, and not after `since`."""
    first, interval = rule.start, rule.interval
    midnight = first.replace(hour=0, minute=0)
    if rule.frequency == "YEARLY":
        years = (since.year - first.year) // interval * interval
        return midnight.replace(year=first.year + years, month=1, day=1)
    if rule.frequency == "MONTHLY":
        months = 12 * (since.year - first.year) + since.month - first.month
        year, month = divmod(12 * first.year + first.month - 1 + months // interval * interval, 12)
        return midnight.replace(year=year, month=month + 1, day=1)
    if rule.frequency == "WEEKLY":
        begin, unit = midnight - timedelta(days=(midnight.weekday() - rule.week_start) % 7), timedelta(days=7)
    elif rule.frequency == "DAILY":
        begin, unit = midnight, timedelta(days=1)
    else:
        begin, unit = first.replace(minute=0), timedelta(hours=1)
    return begin + (since - begin) // unit // interval * interval * unit


@cache
def _last_of(rule: Recurrence) -> datetime | None:
    """The last moment COUNT leaves; None: it names none at all."""
    last = None
    for last in islice(_walk(rule, rule.start), rule.count):  # noqa: B007 - the last one is what is wanted
        pass
    return last
