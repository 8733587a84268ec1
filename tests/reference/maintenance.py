"""What a recurring maintenance window covers, written slowly: day by day, and hour by hour of the wall clock.

It imports nothing of Lookout, nor a library of recurrence rules: RFC 5545 (3.3.10; 3.3.5 for what clocks leap over) and
docs/decisions/0012-verdicts.md are all it is written from.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MINUTE = timedelta(minutes=1)
Rule = Mapping[str, Sequence[str]]


def parse(text: str) -> dict[str, list[str]]:
    return {part.split("=")[0]: part.split("=")[1].split(",") for part in text.split(";")}


def begins(text: str, start: datetime, last_day: date, zone: ZoneInfo) -> list[int]:
    """The moments of the rule from `start` (local) to the end of `last_day`, in unix seconds."""
    rule = parse(text)
    out: set[int] = set()
    for number, moment in enumerate(named(rule, start, last_day)):
        if "COUNT" in rule and number >= int(rule["COUNT"][0]):
            break
        at = instant(moment, zone)
        if "UNTIL" in rule and past(rule["UNTIL"][0], moment, at):
            break
        out.add(at)
    return sorted(out)


def past(until: str, moment: datetime, at: int) -> bool:
    if until.endswith("Z"):
        return at > int(datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    if "T" in until:
        return moment > datetime.strptime(until, "%Y%m%dT%H%M%S")
    return moment.date() > datetime.strptime(until, "%Y%m%d").date()


@cache
def instant(moment: datetime, zone: ZoneInfo) -> int:
    """When a clock on the wall shows it first, of all offsets; where it leaps over it, as if it had not yet."""
    at = int(moment.replace(tzinfo=UTC).timestamp())
    for candidate in range(at - 14 * 3600, at + 12 * 3600 + 1, 900):
        if datetime.fromtimestamp(candidate, zone).replace(tzinfo=None) == moment:
            return candidate
    return instant(moment - MINUTE, zone) + 60


def named(rule: Rule, start: datetime, last_day: date) -> Iterator[datetime]:
    """Every local time of the rule, in order."""
    rule = filled(rule, start)
    day = start.date()
    chosen = positions(rule, start, last_day) if "BYSETPOS" in rule else None
    while day <= last_day:
        for moment in moments_of(rule, day, start):
            if moment >= start and (chosen is None or moment in chosen):
                yield moment
        day += timedelta(days=1)


def positions(rule: Rule, start: datetime, last_day: date) -> set[datetime]:
    """BYSETPOS: of each month or year, those in that place."""
    day, end = start.date().replace(month=1, day=1), last_day.replace(month=12, day=31)
    sets: dict[tuple[int, ...], list[datetime]] = {}
    while day <= end:
        period = (day.year, day.month) if rule["FREQ"][0] == "MONTHLY" else (day.year,)
        sets.setdefault(period, []).extend(moments_of(rule, day, start))
        day += timedelta(days=1)
    out = set()
    for found in sets.values():
        for place in map(int, rule["BYSETPOS"]):
            if 0 < place <= len(found) or -len(found) <= place < 0:
                out.add(found[place - 1 if place > 0 else place])
    return out


def filled(rule: Rule, start: datetime) -> Rule:
    """With what the start says where the rule does not."""
    out = dict(rule)
    frequency = rule["FREQ"][0]
    if not out.keys() & {"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"}:
        if frequency == "WEEKLY":
            out["BYDAY"] = [DAYS[start.weekday()]]
        if frequency in ("MONTHLY", "YEARLY"):
            out["BYMONTHDAY"] = [str(start.day)]
        if frequency == "YEARLY":
            out.setdefault("BYMONTH", [str(start.month)])
    if frequency != "HOURLY":
        out.setdefault("BYHOUR", [str(start.hour)])
    out.setdefault("BYMINUTE", [str(start.minute)])
    return out


def moments_of(rule: Rule, day: date, start: datetime) -> list[datetime]:
    if not (in_period(rule, day, start) and day_fits(rule, day)):
        return []
    midnight = datetime.combine(day, datetime.min.time())
    minutes = sorted({int(minute) for minute in rule["BYMINUTE"]})
    hours = [midnight + timedelta(hours=hour) for hour in range(24)]
    return [hour + MINUTE * minute for hour in hours if hour_fits(rule, hour, start) for minute in minutes]


def hour_fits(rule: Rule, hour: datetime, start: datetime) -> bool:
    if "BYHOUR" in rule and str(hour.hour) not in rule["BYHOUR"]:
        return False
    if rule["FREQ"][0] == "HOURLY":
        passed = int((hour - start.replace(minute=0)).total_seconds()) // 3600
        return passed % int(rule.get("INTERVAL", ["1"])[0]) == 0
    return True


def in_period(rule: Rule, day: date, start: datetime) -> bool:
    frequency, first = rule["FREQ"][0], start.date()
    if frequency == "HOURLY":
        return True
    if frequency == "DAILY":
        passed = (day - first).days
    elif frequency == "WEEKLY":
        begin = DAYS.index(rule.get("WKST", ["MO"])[0])
        monday = [one - timedelta(days=(one.weekday() - begin) % 7) for one in (day, first)]
        passed = (monday[0] - monday[1]).days // 7
    elif frequency == "MONTHLY":
        passed = 12 * (day.year - first.year) + day.month - first.month
    else:
        passed = day.year - first.year
    return passed % int(rule.get("INTERVAL", ["1"])[0]) == 0


def day_fits(rule: Rule, day: date) -> bool:
    of_month = calendar.monthrange(day.year, day.month)[1]
    of_year = 366 if calendar.isleap(day.year) else 365
    number = day.timetuple().tm_yday
    year, week, _ = day.isocalendar()
    weeks = date(year, 12, 28).isocalendar()[1]
    places = {
        "BYMONTH": {day.month},
        "BYMONTHDAY": {day.day, day.day - of_month - 1},
        "BYYEARDAY": {number, number - of_year - 1},
        "BYWEEKNO": {week, week - weeks - 1},
    }
    for key, place in places.items():
        if key in rule and place.isdisjoint(map(int, rule[key])):
            return False
    if "BYDAY" not in rule:
        return True
    by_month = rule["FREQ"][0] == "MONTHLY" or "BYMONTH" in rule
    at, length = (day.day, of_month) if by_month else (number, of_year)
    name = DAYS[day.weekday()]
    forms = {name, f"{(at - 1) // 7 + 1}{name}", f"-{(length - at) // 7 + 1}{name}"}
    return not forms.isdisjoint(word.removeprefix("+") for word in rule["BYDAY"])
