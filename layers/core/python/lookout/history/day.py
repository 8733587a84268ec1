"""The daily summary of one server: a UTC day in quarters of an hour, its incidents, its latency per region. Pure.

Quarters, because every time zone in use today is a whole number of them from UTC: the local days of any of them are
sums of quarters, exactly, on days of 23 and 25 hours too (`history.calendar`), without reading a minute again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lookout.history.chunk import DAY, HOUR, Chunk
from lookout.history.latency import Percentiles, Sketch, percentiles
from lookout.history.spans import Span, clip, seconds
from lookout.history.uptime import Tally, tally, total

QUARTER: Final = 900
QUARTERS: Final = DAY // QUARTER


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One server, one UTC day. `hours` are the hours (unix s) already in it; `tally` is the sum of `quarters`.

    `quarters` has 96 tallies, or none in a summary of version 1, which knew the sum alone. `incidents` touched the day;
    `incident_s` are the seconds of it they took, each second once.
    """

    slug: str
    day: int
    tally: Tally
    hours: tuple[int, ...]
    quarters: tuple[Tally, ...] = ()
    incidents: int = 0
    incident_s: int = 0
    latency: Mapping[str, Percentiles] = field(default_factory=dict)
    """By region: of the probes that were answered, exact."""

    @classmethod
    def of(
        cls,
        slug: str,
        day: int,
        hours: tuple[int, ...],
        parts: Sequence[Tally],
        incidents: int,
        incident_s: int,
        latency: Mapping[str, Percentiles],
    ) -> DaySummary:
        """From 96 quarters, or from anything else of which only the sum is kept."""
        quarters = tuple(parts) if len(parts) == QUARTERS else ()
        return cls(slug, day, total(parts), hours, quarters, incidents, incident_s, latency)

    @classmethod
    def from_item(cls, slug: str, day: int, item: Mapping[str, Any]) -> DaySummary:
        """A summary of version 1: `tally` [ok, fail, unknown, excluded, degraded] and `hours` since the epoch."""
        return cls(slug, day, Tally(*(int(n) for n in item["tally"])), tuple(int(h) * HOUR for h in item["hours"]))

    @property
    def first(self) -> int:
        """When the first quarter begins in which anything counted; the day's beginning where that is not known."""
        counted = (i for i, one in enumerate(self.quarters) if one != Tally())
        return self.day + QUARTER * next(counted, 0)

    def between(self, since: int, until: int) -> Tally:
        """The rounds of the quarters that begin in [since, until).

        A summary of version 1 belongs as a whole to whatever holds its noon: the whole truth in UTC, and elsewhere
        the day is at least counted once.
        """
        if self.quarters:
            return total(one for i, one in enumerate(self.quarters) if since <= self.day + i * QUARTER < until)
        return self.tally if since <= self.day + DAY // 2 < until else Tally()


def answered(chunks: Iterable[Chunk]) -> dict[str, list[int]]:
    """The latencies of the probes that completed, by region: a time-out is no latency."""
    out: dict[str, list[int]] = {}
    for chunk in chunks:
        for region, found in chunk.samples.items():
            out.setdefault(region, []).extend(s.latency_ms for s in found if s.status.ok)
    return {region: values for region, values in sorted(out.items()) if values}


def summarise(
    slug: str, day: int, chunks: Iterable[Chunk], incidents: Iterable[Span] = (), done: Iterable[int] = ()
) -> DaySummary:
    """The summary of a day from all its chunks and the spans of its incidents: doing it again gives the same.

    `done` are hours that were rolled up whether or not there was anything to keep. An incident that still goes on ends
    where the last chunk does, or later.
    """
    of_day = sorted((c for c in chunks if day <= c.hour < day + DAY), key=lambda c: c.hour)
    quarters = [Tally()] * QUARTERS
    for chunk in of_day:
        for i in range(HOUR // QUARTER):
            minutes = chunk.outcomes[i * QUARTER // 60 : (i + 1) * QUARTER // 60]
            quarters[(chunk.hour - day) // QUARTER + i] = tally(minutes)
    until = of_day[-1].hour + HOUR if of_day else day
    touching = [part for span in incidents for part in clip([span], day, until)]
    latency = {region: found for region, v in answered(of_day).items() if (found := percentiles(v)) is not None}
    hours = {c.hour for c in of_day} | {hour for hour in done if day <= hour < day + DAY}
    return DaySummary.of(slug, day, tuple(sorted(hours)), quarters, len(touching), seconds(touching), latency)


def sketches(day: int, chunks: Iterable[Chunk]) -> dict[str, Sketch]:
    """The latency sketches of a day, by region."""
    return {region: Sketch.of(v) for region, v in answered(c for c in chunks if day <= c.hour < day + DAY).items()}
