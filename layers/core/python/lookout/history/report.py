"""The history of one server over a window, period by period, from its chunks. Exact, and pure.

Asked for one region it counts what that region saw itself; otherwise what the quorum judged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction

from lookout.history.calendar import LocalDay
from lookout.history.chunk import HOUR, MINUTE, Chunk, Sample
from lookout.history.day import QUARTER
from lookout.history.latency import Percentiles, percentiles
from lookout.history.spans import Span
from lookout.history.uptime import NOT_DUE, OUTCOME_CODES, Tally, tally, total, uptime_time

Probe = tuple[int, str, Sample]
"""When (unix seconds of its minute), from which region, what."""


@dataclass(frozen=True, slots=True)
class Period:
    """`begin` and `end` in unix seconds; `latency` by region, of probes that completed."""

    name: str
    begin: int
    end: int
    tally: Tally
    latency: Mapping[str, Percentiles] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """`whole` is the window as one period, `regions` those that probed in it. `first` is the first minute anything is
    known of (None: none is). `uptime_time` counts from the quarter of an hour that is in, as on the page; it is None of
    a single region, which judges nothing.
    """

    slug: str
    region: str | None
    whole: Period
    periods: tuple[Period, ...]
    regions: tuple[str, ...]
    first: int | None
    uptime_time: Fraction | None


def hours(since: int, until: int) -> list[LocalDay]:
    """The hours that touch [since, until), UTC, named by their beginning."""
    begins = range(since // HOUR * HOUR, until, HOUR)
    return [LocalDay(datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%MZ"), at, at + HOUR) for at in begins]


def report(
    slug: str,
    chunks: Iterable[Chunk],
    periods: Sequence[LocalDay],
    window: Span,
    incidents: Iterable[Span],
    excluded: Iterable[Span] = (),
    region: str | None = None,
) -> Report:
    """Of the minutes within `window`, in `periods`: in order, without gaps, perhaps reaching beyond it.

    The chunks are taken one at a time. `excluded` is maintenance that does not count, for `uptime_time`: of the rounds,
    the codes say it.
    """
    since, until = window
    begins = [one.begin for one in periods]
    codes: list[list[str]] = [[] for _ in periods]
    values: list[dict[str, list[int]]] = [{} for _ in periods]
    seen: set[str] = set()
    first: int | None = None
    for chunk in chunks:
        for at, code in _codes(chunk, region):
            if since <= at < until:
                codes[bisect_right(begins, at) - 1].append(code)
                first = at if first is None else min(first, at)
        for name, samples in chunk.samples.items():
            for sample in samples:
                at = chunk.hour + MINUTE * sample.minute
                if since <= at < until:
                    seen.add(name)
                    if sample.status.ok and region in (None, name):
                        values[bisect_right(begins, at) - 1].setdefault(name, []).append(sample.latency_ms)
    rows = tuple(
        Period(one.date, max(one.begin, since), min(one.end, until), tally(counted), _latency([found]))
        for one, counted, found in zip(periods, codes, values, strict=True)
    )
    whole = Period("window", since, until, total(row.tally for row in rows), _latency(values))
    by_time = None
    if region is None and first is not None:
        by_time = uptime_time(max(since, first // QUARTER * QUARTER), until, incidents, excluded)
    return Report(slug, region, whole, rows, tuple(sorted(seen)), first, by_time)


def probes_of(chunks: Iterable[Chunk], region: str | None = None) -> Iterator[Probe]:
    """Every probe, chunk by chunk; within one in the order of time, then region."""
    for chunk in chunks:
        found = (
            (chunk.hour + MINUTE * sample.minute, name, sample)
            for name, samples in chunk.samples.items()
            if region in (None, name)
            for sample in samples
        )
        yield from sorted(found, key=lambda probe: probe[:2])


def _codes(chunk: Chunk, region: str | None) -> Iterator[tuple[int, str]]:
    """The codes of the minutes in which anything was due."""
    if region is None:
        yield from ((chunk.hour + MINUTE * i, code) for i, code in enumerate(chunk.outcomes) if code != NOT_DUE)
    else:
        yield from ((at, OUTCOME_CODES[sample.status]) for at, _, sample in probes_of([chunk], region))


def _latency(found: Sequence[Mapping[str, list[int]]]) -> dict[str, Percentiles]:
    values: dict[str, list[int]] = {}
    for one in found:
        for region, more in one.items():
            values.setdefault(region, []).extend(more)
    return {region: p for region, v in sorted(values.items()) if (p := percentiles(v)) is not None}
