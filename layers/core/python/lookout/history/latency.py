"""Percentiles of latency, exact over the probes of a day, within 1/32 over many days. Pure, whole milliseconds.

A percentile is the nearest rank: the least value that at least p in a hundred of the probes do not exceed. It is a
value that was measured, never one between two, and it is never an average of percentiles.

A `Sketch` counts values in buckets: exact below 64, then 32 to each doubling, so a bucket is at most 1/32 of its values
wide. Adding counts merges sketches, exactly and in any order, so the percentiles of 90 days come from 90 sketches as
they would from one. What it answers is the bucket's largest value: at least the exact percentile p, and less than
p + p/32.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

FINE_BITS: Final = 5
"""A doubling has 2^5 buckets."""
EXACT_BELOW: Final = 2 << FINE_BITS


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of so many probes, in milliseconds."""

    probes: int
    p50: int
    p95: int
    p99: int


def nearest_rank(ordered: Sequence[int], percent: int) -> int:
    """The percentile of values in ascending order; there must be one."""
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def percentiles(values: Iterable[int]) -> Percentiles | None:
    """Exact; None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None
    return Percentiles(len(ordered), *(nearest_rank(ordered, p) for p in (50, 95, 99)))


def bucket(value: int) -> int:
    """The index of a value's bucket; rises with the value."""
    shift = max(0, value.bit_length() - FINE_BITS - 1)
    return (shift << FINE_BITS) + (value >> shift)


def largest(index: int) -> int:
    """The largest value of a bucket."""
    if index < EXACT_BELOW:
        return index
    shift = (index >> FINE_BITS) - 1
    return ((index - (shift << FINE_BITS) + 1) << shift) - 1


@dataclass(frozen=True, slots=True)
class Sketch:
    """How many values fell into which bucket."""

    buckets: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Iterable[int]) -> Sketch:
        """Count values."""
        return cls(Counter(bucket(value) for value in values))

    def __add__(self, other: Sketch) -> Sketch:
        return Sketch(Counter(self.buckets) + Counter(other.buckets))

    @property
    def percentiles(self) -> Percentiles | None:
        """At least the exact ones, and above them by less than 1/32; None of nothing."""
        total = sum(self.buckets.values())
        if not total:
            return None
        return Percentiles(total, *(self._percentile(total, p) for p in (50, 95, 99)))

    def _percentile(self, total: int, percent: int) -> int:
        indices = sorted(self.buckets)
        seen = list(accumulate(self.buckets[index] for index in indices))
        return largest(indices[bisect_left(seen, -(-percent * total // 100))])


def merge(sketches: Iterable[Mapping[str, Sketch]]) -> dict[str, Sketch]:
    """Sketches by region, added up."""
    out: dict[str, Sketch] = {}
    for one in sketches:
        for region, sketch in one.items():
            out[region] = out.get(region, Sketch()) + sketch
    return out
