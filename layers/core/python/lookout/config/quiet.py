"""`Quiet`: hours in which a sink is not told what can wait. Standard library only: runs in Lambda."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

DAY_MINUTES: Final = 1440
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SEVERITIES: Final = ("info", "warning", "high", "critical")
"""From what can wait to what cannot."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """From `begin` to `end`, minutes of the local day; where the end is not later, it is the next day's.

    Clocks that are turned: what they leap over is where they land, and of a time that comes twice it is the first.
    """

    begin: int
    end: int
    timezone: str
    """An IANA name."""
    days: tuple[str, ...] = ()
    """On which of WEEKDAYS it begins; empty: on all."""
    below: str = "high"
    """Of SEVERITIES: what is of a lower one waits."""

    def holds(self, severity: str) -> bool:
        """Does a notice of that severity wait?"""
        return SEVERITIES.index(severity) < SEVERITIES.index(self.below)

    def until(self, now: int) -> int | None:
        """The end (unix s) of the hours that `now` is in; None: it is in none."""
        zone = ZoneInfo(self.timezone)
        today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
        for day in (today - timedelta(days=1), today):
            if self.days and WEEKDAYS[day.weekday()] not in self.days:
                continue
            end = day + timedelta(days=self.end <= self.begin)
            if _moment(day, self.begin, zone) <= now < (over := _moment(end, self.end, zone)):
                return over
        return None

    def minutes(self) -> Collection[int]:
        """The minutes of a week without turned clocks in which it is quiet, from Monday midnight."""
        length = (self.end - self.begin - 1) % DAY_MINUTES + 1
        begins = (n * DAY_MINUTES + self.begin for n, day in enumerate(WEEKDAYS) if day in (self.days or WEEKDAYS))
        return {minute % (7 * DAY_MINUTES) for begin in begins for minute in range(begin, begin + length)}

    def to_item(self) -> dict[str, Any]:
        """JSON object."""
        return {**asdict(self), "days": list(self.days)}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Inverse of `to_item`; unknown keys are ignored."""
        known = {one.name: item[one.name] for one in fields(cls) if one.name in item}
        return cls(**{**known, "days": tuple(known.get("days", ()))})


def quiet_until(hours: Sequence[Quiet], severity: str, now: int) -> int | None:
    """Until when (unix s) a notice of that severity waits at `now`; None: it need not.

    Hours that follow one another without a gap are one, up to a week.
    """
    holding = [one for one in hours if one.holds(severity)]
    at = now
    while at < now + 7 * 86_400 and (ends := [end for one in holding if (end := one.until(at)) is not None]):
        at = max(ends)
    return at if at > now else None


def _moment(day: date, minute: int, zone: ZoneInfo) -> int:
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return int(local.timestamp())
