"""`Digest`: when a sink is told what there was, every day or every week. Standard library only: runs in Lambda."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

from lookout.config.quiet import WEEKDAYS

DAILY: Final = "daily"
WEEKLY: Final = "weekly"
_LOOKED_AT: Final = 9
"""Days: a week has its day among them, also in a zone that left one out as it crossed the date line."""


@dataclass(frozen=True, slots=True)
class Digest:
    """`every` is daily or weekly, at `hour` (0 to 23) of the local day; a weekly one on one of WEEKDAYS.

    Clocks that are turned: an hour they leap over is where they land, and of one that comes twice it is the first. So
    the time between two moments may be an hour shorter or longer, and none is left out or counted twice.
    """

    every: str
    hour: int
    timezone: str
    """An IANA name."""
    on: str = ""

    @property
    def rule(self) -> str:
        """All of it as a text: another text is another digest."""
        return " ".join(word for word in (self.every, self.on, f"{self.hour:02d}", self.timezone) if word)

    def last(self, now: int) -> int:
        """The newest moment (unix s) that is not after `now`."""
        zone = ZoneInfo(self.timezone)
        tomorrow = datetime.fromtimestamp(now, UTC).astimezone(zone).date() + timedelta(days=1)
        days = (tomorrow - timedelta(days=n) for n in range(_LOOKED_AT + 1))
        moments = (_moment(day, self.hour, zone) for day in days if not self.on or WEEKDAYS[day.weekday()] == self.on)
        return max(moment for moment in moments if moment <= now)

    def before(self, moment: int) -> int:
        """The moment before one."""
        return self.last(moment - 1)

    def to_item(self) -> dict[str, Any]:
        """JSON object."""
        return asdict(self)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Inverse of `to_item`; unknown keys are ignored."""
        return cls(**{one.name: item[one.name] for one in fields(cls) if one.name in item})


def _moment(day: date, hour: int, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=zone).timestamp())
