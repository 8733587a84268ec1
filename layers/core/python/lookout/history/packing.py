"""The bytes of chunks, daily summaries and sketches: one version byte, then what that version says. Pure.

**Chunk, version 2** (0x02): columns of small numbers, zlib (`history.wire`):

    hours since the epoch; the 60 outcome codes as one text
    names: count, then each as text        reasons and phases that occur in the chunk, sorted
    regions: count; then of each, sorted:
        name
        which minutes it reported: a 60-bit number, bit n for minute n
        the status codes of those minutes, one after the other, as one text
        the reasons: per minute 0, or 1 + the index of its name
        phases: count; then of each: index of its name, a column
        the totals: per minute the total less the sum of its phases, signed
    a column: its least value, then per minute 0 where there is none, or 1 + the value less the least

The total is nearly the sum of its phases, so its column holds little; a column less its least value is mostly single
bytes. Both make what zlib gets short. Milliseconds are whole.

**Chunk, version 1** (0x01): zlib(JSON) of `{"h": hour, "o": outcomes, "r": {region: [[minute, status code, latency ms,
reason|null], ...]}}`.

**Day, version 2** (0x02), zlib: the days since the epoch; which hours are in it: a 24-bit number; whether quarters
follow (1) or only their sum (0); ok, fail, unknown, excluded and degraded of each of the 96 quarters of an hour, kind
by kind (or the five sums); incidents and their seconds; regions: count; of each, sorted: name, probes, p50, p95, p99.

**Day, version 1**: two attributes of the item, `tally` and `hours`: `DaySummary.from_item`.

**Sketch, version 1** (0x01), zlib: regions: count; of each, sorted: name, buckets: count; of each, ascending: index
less the one before, count.

A reader for every older version stays for as long as records of it can exist; tests/golden holds bytes of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from lookout.errors import FormatError
from lookout.history.chunk import DAY, HOUR, MINUTES, Chunk, Sample
from lookout.history.day import QUARTERS, DaySummary
from lookout.history.latency import Percentiles, Sketch
from lookout.history.round import unpack_json
from lookout.history.uptime import OUTCOME_CODES, Tally
from lookout.history.wire import Reader, Writer
from lookout.probe.result import Status

CHUNK_VERSION: Final = 2
DAY_VERSION: Final = 2
SKETCH_VERSION: Final = 1
NAMES_LIMIT: Final = 256
REGIONS_LIMIT: Final = 64
_STATUS_OF: Final = {code: status for status, code in OUTCOME_CODES.items()}
_NO_STATUS: Final = "?"


def version(data: bytes) -> int:
    """The version byte. Raises FormatError where there is none."""
    if not data:
        raise FormatError("a packed record is empty")
    return data[0]


def _unknown(data: bytes) -> FormatError:
    return FormatError(f"a packed record of version {version(data)} cannot be read by this code")


# --- chunks ------------------------------------------------------------------------------------------------------


def pack_chunk(chunk: Chunk) -> bytes:
    """The bytes of a chunk item's `data` attribute."""
    out = Writer()
    out.number(chunk.hour // HOUR)
    out.text(chunk.outcomes)
    names = sorted(
        {name for found in chunk.samples.values() for s in found for name in (*s.phases, s.reason) if name is not None}
    )
    index = {name: i for i, name in enumerate(names)}
    out.number(len(names))
    for name in names:
        out.text(name)
    out.number(len(chunk.samples))
    for region, found in sorted(chunk.samples.items()):
        out.text(region)
        out.number(sum(1 << sample.minute for sample in found))
        out.text("".join(OUTCOME_CODES.get(sample.status, _NO_STATUS) for sample in found))
        out.numbers([0 if sample.reason is None else 1 + index[sample.reason] for sample in found])
        phases = sorted({phase for sample in found for phase in sample.phases})
        out.number(len(phases))
        for phase in phases:
            out.number(index[phase])
            _write_column(out, [sample.phases.get(phase) for sample in found])
        out.signed(sample.latency_ms - sum(sample.phases.values()) for sample in found)
    return out.packed(CHUNK_VERSION)


def _write_column(out: Writer, values: Sequence[int | None]) -> None:
    least = min(value for value in values if value is not None)
    out.number(least)
    out.numbers([0 if value is None else 1 + value - least for value in values])


def unpack_chunk(slug: str, data: bytes) -> Chunk:
    """Inverse of `pack_chunk`, for every version there was. Raises FormatError."""
    readers: dict[int, Callable[[str, bytes], Chunk]] = {1: _chunk_1, 2: _chunk_2}
    reader = readers.get(version(data))
    if reader is None:
        raise _unknown(data)
    return reader(slug, data)


def _chunk_2(slug: str, data: bytes) -> Chunk:
    read = Reader(data[1:])
    hour, outcomes = read.number() * HOUR, read.text()
    names = [read.text() for _ in range(read.count(NAMES_LIMIT))]
    samples: dict[str, tuple[Sample, ...]] = {}
    for _ in range(read.count(REGIONS_LIMIT)):
        region = read.text()
        samples[region] = _samples(read, names)
    read.end()
    return _checked(slug, hour, outcomes, samples)


def _samples(read: Reader, names: Sequence[str]) -> tuple[Sample, ...]:
    present = read.number()
    if present >> MINUTES:
        raise FormatError("a packed chunk has minutes beyond its hour")
    minutes = [minute for minute in range(MINUTES) if present >> minute & 1]
    codes = read.text()
    if len(codes) != len(minutes):
        raise FormatError("a packed chunk has not one status per minute")
    reasons = read.numbers(len(minutes))
    phases: list[dict[str, int]] = [{} for _ in minutes]
    for _ in range(read.count(len(names))):
        name = _name(names, read.number())
        least = read.number()
        for own, above in zip(phases, read.numbers(len(phases)), strict=True):
            if above:
                own[name] = least + above - 1
    totals = [rest + sum(own.values()) for rest, own in zip(read.signed(len(phases)), phases, strict=True)]
    return tuple(
        Sample(minute, _status(code), total, _name(names, reason - 1) if reason else None, own)
        for minute, code, total, reason, own in zip(minutes, codes, totals, reasons, phases, strict=True)
    )


def _name(names: Sequence[str], index: int) -> str:
    if index >= len(names):
        raise FormatError("a packed chunk refers to a name it does not have")
    return names[index]


def _status(code: str) -> Status:
    if code not in _STATUS_OF:
        raise FormatError(f"a packed chunk has a status {code!r} nobody knows")
    return _STATUS_OF[code]


def _chunk_1(slug: str, data: bytes) -> Chunk:
    _, value = unpack_json(data, (1,))
    try:
        samples = {
            str(region): tuple(
                Sample(int(minute), _status(code), int(latency), reason) for minute, code, latency, reason in rows
            )
            for region, rows in value["r"].items()
        }
        return _checked(slug, int(value["h"]), value["o"], samples)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise FormatError(f"a packed chunk lacks what it must have: {error!r}") from error


def _checked(slug: str, hour: int, outcomes: str, samples: Mapping[str, tuple[Sample, ...]]) -> Chunk:
    if len(outcomes) != MINUTES:
        raise FormatError(f"a packed chunk has {len(outcomes)} outcomes instead of {MINUTES}")
    return Chunk(slug, hour, outcomes, samples)


# --- days --------------------------------------------------------------------------------------------------------


def pack_day(summary: DaySummary) -> bytes:
    """The bytes of a daily summary's `data` attribute."""
    out = Writer()
    out.number(summary.day // DAY)
    out.number(sum(1 << (hour - summary.day) // HOUR for hour in summary.hours))
    out.number(1 if summary.quarters else 0)
    for kind in zip(*(_counts(tally) for tally in summary.quarters or (summary.tally,)), strict=True):
        out.numbers(kind)
    out.number(summary.incidents)
    out.number(summary.incident_s)
    out.number(len(summary.latency))
    for region, found in sorted(summary.latency.items()):
        out.text(region)
        for value in (found.probes, found.p50, found.p95, found.p99):
            out.number(value)
    return out.packed(DAY_VERSION)


def _counts(tally: Tally) -> tuple[int, ...]:
    return (tally.ok, tally.fail, tally.unknown, tally.excluded, tally.degraded)


def unpack_day(slug: str, data: bytes) -> DaySummary:
    """Inverse of `pack_day`. Raises FormatError."""
    if version(data) != DAY_VERSION:
        raise _unknown(data)
    read = Reader(data[1:])
    day, mask = read.number() * DAY, read.number()
    hours = tuple(day + HOUR * i for i in range(24) if mask >> i & 1)
    parts = QUARTERS if read.count(1) else 1
    columns = [read.numbers(parts) for _ in range(5)]
    tallies = tuple(Tally(*row) for row in zip(*columns, strict=True))
    incidents, incident_s = read.number(), read.number()
    latency = {}
    for _ in range(read.count(REGIONS_LIMIT)):
        region = read.text()
        latency[region] = Percentiles(*(read.number() for _ in range(4)))
    read.end()
    quarters = tallies if parts == QUARTERS else ()
    return DaySummary.of(slug, day, hours, quarters or tallies, incidents, incident_s, latency)


# --- sketches ----------------------------------------------------------------------------------------------------


def pack_sketches(sketches: Mapping[str, Sketch]) -> bytes:
    """The bytes of one day's latency sketches by region."""
    out = Writer()
    out.number(len(sketches))
    for region, sketch in sorted(sketches.items()):
        out.text(region)
        out.number(len(sketch.buckets))
        before = 0
        for index, count in sorted(sketch.buckets.items()):
            out.number(index - before)
            out.number(count)
            before = index
    return out.packed(SKETCH_VERSION)


def unpack_sketches(data: bytes) -> dict[str, Sketch]:
    """Inverse of `pack_sketches`. Raises FormatError."""
    if version(data) != SKETCH_VERSION:
        raise _unknown(data)
    read = Reader(data[1:])
    out = {}
    for _ in range(read.count(REGIONS_LIMIT)):
        region = read.text()
        index, buckets = 0, {}
        for _ in range(read.count(4096)):
            index += read.number()
            buckets[index] = read.number()
        out[region] = Sketch(buckets)
    read.end()
    return out
