"""How long a server takes, against itself: the latency of a round, and the 95th percentile of the seven days before.

Pure. Decision 12, R2 to R4. Percentiles come from histograms whose buckets grow by the fourth root of two, so that
one is at most 19 % too high; the whole costs a server a few numbers a day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, Final

from lookout.config.model import Server
from lookout.probe.result import ProbeResult, Status
from lookout.verdict.state import ServerState

EDGES: Final = tuple(round(2 ** (i / 4)) for i in range(80))
"""Upper edges of the buckets, in ms."""
DAYS: Final = 7
ENOUGH: Final = 100
"""Rounds that make a baseline."""
FLOOR_MS: Final = 250
"""What is faster is never slow."""
_DAY: Final = 86400
_PERCENT: Final = 95


def round_latency(results: Iterable[ProbeResult]) -> int | None:
    """The lower median of the regions that were served, in ms; None where none was."""
    seen = sorted(r.latency_ms for r in results if r.status in (Status.UP, Status.DEGRADED))
    return seen[(len(seen) - 1) // 2] if seen else None


def baseline(histograms: Iterable[Mapping[str, int]]) -> int:
    """The 95th percentile of days, in ms; 0 where they hold too few rounds."""
    counts: Counter[int] = Counter()
    for histogram in histograms:
        counts.update({int(bucket): count for bucket, count in histogram.items()})
    total = counts.total()
    if total < ENOUGH:
        return 0
    buckets = sorted(counts)
    ranks = list(accumulate(counts[bucket] for bucket in buckets))
    return EDGES[buckets[bisect_left(ranks, -(-total * _PERCENT // 100))]]


def new_day(state: ServerState, minute: int) -> dict[str, Any]:
    """What the first round of a day changes: its baseline, and the days that are too old."""
    day = minute // _DAY
    kept = {key: histogram for key, histogram in state.latencies.items() if int(key) >= day - DAYS}
    usual_ms = baseline(histogram for key, histogram in kept.items() if int(key) < day)
    return {"usual_day": day, "usual_ms": usual_ms, "latencies": kept}


def too_slow(server: Server, usual_ms: int, latency_ms: int | None) -> bool:
    """Is a round slow against the server's own baseline (0: none)?"""
    if not usual_ms or not server.slow_ratio_percent or latency_ms is None or latency_ms <= FLOOR_MS:
        return False
    return latency_ms * 100 > server.slow_ratio_percent * usual_ms


def counted(
    latencies: Mapping[str, Mapping[str, int]], minute: int, latency_ms: int | None
) -> Mapping[str, Mapping[str, int]]:
    """The histograms with one more round."""
    if latency_ms is None:
        return latencies
    day, bucket = str(minute // _DAY), str(min(bisect_left(EDGES, latency_ms), len(EDGES) - 1))
    today = latencies.get(day, {})
    return {**latencies, day: {**today, bucket: today.get(bucket, 0) + 1}}
