"""What a page shows of one server, from two sources that overlap: days that were rolled up, and the codes of the last
minutes. Pure. An hour counts from one of them: from its day where that has it, else from its minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from lookout.history.calendar import LocalDay
from lookout.history.chunk import HOUR
from lookout.history.day import QUARTER, DaySummary
from lookout.history.spans import Span, clip, seconds, without
from lookout.history.uptime import NOT_DUE, Tally, tally, total


@dataclass(frozen=True, slots=True)
class Rolled:
    """Daily summaries as local days: `tallies` one for each of `days`, `hours` (unix s) those they hold, `first` the
    beginning of the first quarter of an hour that counted (None: none did).
    """

    days: tuple[LocalDay, ...]
    tallies: tuple[Tally, ...]
    hours: frozenset[int]
    first: int | None
    summaries: tuple[DaySummary, ...]

    @classmethod
    def of(cls, days: Sequence[LocalDay], summaries: Iterable[DaySummary]) -> Rolled:
        """Any summaries, of the UTC days that the local ones touch."""
        known = tuple(sorted(summaries, key=lambda one: one.day))
        tallies = tuple(total(one.between(day.begin, day.end) for one in known) for day in days)
        hours = frozenset(hour for one in known for hour in one.hours)
        first = next((one.first for one in known if one.tally.due or one.tally.excluded), None)
        return cls(tuple(days), tallies, hours, first, known)

    def between(self, since: int, until: int) -> Tally:
        """Of the quarters that begin in [since, until)."""
        return total(one.between(since, until) for one in self.summaries)


@dataclass(frozen=True, slots=True)
class Windows:
    """One server at `now`. `codes` are its outcome codes by minute, from `codes_since` on, none missing."""

    rolled: Rolled
    codes: Mapping[int, str]
    codes_since: int
    now: int

    @property
    def days(self) -> list[Tally]:
        """Every local day, the running one last."""
        fresh = {m: code for m, code in self.codes.items() if m // HOUR * HOUR not in self.rolled.hours}
        out = list(self.rolled.tallies)
        for i, day in enumerate(self.rolled.days):
            if day.end > self.codes_since:
                out[i] += tally(code for minute, code in fresh.items() if day.begin <= minute < day.end)
        return out

    def last(self, length_s: int) -> Tally:
        """The last so many seconds: to the minute where minutes are known, to the quarter of an hour before that."""
        since = self.now - length_s
        counted = tally(code for minute, code in self.codes.items() if minute > since)
        return counted + self.rolled.between(since, self.codes_since) if since < self.codes_since else counted

    @property
    def first(self) -> int | None:
        """The quarter of an hour since which anything is known; None where nothing is."""
        fresh = min((minute for minute, code in self.codes.items() if code != NOT_DUE), default=None)
        known = [at // QUARTER * QUARTER for at in (self.rolled.first, fresh) if at is not None]
        return min(known) if known else None

    def outage(self, since: int, incidents: Iterable[Span], excluded: Iterable[Span] = ()) -> Outage | None:
        """Incident seconds in [since, now), and how long that window is from where anything is known, excluded
        maintenance left out of both; None where nothing is left. `uptime_time` of it is exact.
        """
        begin = None if self.first is None else max(since, self.first)
        if begin is None or begin >= self.now:
            return None
        gone = clip(excluded, begin, self.now)
        counted = self.now - begin - seconds(gone)
        return Outage(seconds(without(clip(incidents, begin, self.now), gone)), counted) if counted else None


@dataclass(frozen=True, slots=True)
class Outage:
    """`down_s` of `of_s` seconds, which are at least one."""

    down_s: int
    of_s: int

    @property
    def uptime_time(self) -> Fraction:
        """The share of time without an incident, exact."""
        return 1 - Fraction(self.down_s, self.of_s)
