"""The latency of servers' last 24 rolled-up hours, for a warm process: an hour is read once, some servers a minute."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

from lookout.history.chunk import DAY, HOUR, Chunk
from lookout.history.day import answered
from lookout.history.latency import Percentiles, percentiles

ROLLED_UP_S: Final = 600
"""So long after an hour its rollup is done."""
AT_ONCE: Final = 20
"""Servers that are read in one minute: a process that starts reads 24 hours of each, which is 30 ms of work."""


class Archive(Protocol):
    """What is read."""

    def each_chunk(self, slug: str, since: int, until: int, now: int) -> Iterator[Chunk]:
        """The chunks of hours in [since, until), oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Lately:
    """By region, and of all regions together. None where no probe was answered."""

    regions: dict[str, Percentiles] = field(default_factory=dict)
    all: Percentiles | None = None


@dataclass(slots=True)
class _Known:
    until: int = 0
    hours: dict[int, dict[str, array[int]]] = field(default_factory=dict)
    answer: Lately = field(default_factory=Lately)


class LastHours:
    """Of all servers. Exact over the hours it knows; one that was not read yet is missing."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._known: dict[str, _Known] = {}
        self._left = 0

    def begin(self, slugs: Iterable[str]) -> None:
        """A minute begins, in which these are asked for. Others are forgotten."""
        self._left = AT_ONCE
        wanted = set(slugs)
        self._known = {slug: known for slug, known in self._known.items() if slug in wanted}

    def of(self, slug: str, now: int) -> Lately:
        """The latency of the 24 hours before the newest that is rolled up ended; an hour old while others wait."""
        until = (now - ROLLED_UP_S) // HOUR * HOUR
        known = self._known.setdefault(slug, _Known())
        if known.until != until and self._left:
            self._left -= 1
            since = until - DAY
            unread = max((since, *(hour + HOUR for hour in known.hours)))  # a rollup may have been late
            for chunk in self._archive.each_chunk(slug, unread, until, now):
                known.hours[chunk.hour] = {region: array("L", found) for region, found in answered([chunk]).items()}
            known.hours = {hour: found for hour, found in known.hours.items() if hour >= since}
            known.until, known.answer = until, _sum(known.hours.values())
        return known.answer


def _sum(hours: Iterable[dict[str, array[int]]]) -> Lately:
    values: dict[str, list[int]] = {}
    for hour in hours:
        for region, found in hour.items():
            values.setdefault(region, []).extend(found)
    regions = {region: p for region, v in sorted(values.items()) if (p := percentiles(v)) is not None}
    return Lately(regions, percentiles(one for v in values.values() for one in v))
