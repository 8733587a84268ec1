"""How slow a server usually is, counted anew each time from every round it ever had (decision 12, R2 and R3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lookout.probe.result import ProbeResult

DAY: Final = 86400
DAYS: Final = 7
ENOUGH: Final = 100
EDGES: Final = [round(2 ** (i / 4)) for i in range(80)]


@dataclass(frozen=True)
class Timed:
    """A round that had a latency."""

    minute: int
    latency_ms: int


def latency_of(results: Sequence[ProbeResult]) -> int | None:
    """The lower median of the regions that got an answer they could use."""
    took = sorted(result.latency_ms for result in results if result.status.value in ("up", "degraded"))
    return took[(len(took) - 1) // 2] if took else None


def usual(timed: Sequence[Timed], minute: int) -> int | None:
    """The 95th percentile of the 7 days before that of `minute`, coarsely; None where they hold too little."""
    today = minute // DAY
    within = sorted(one.latency_ms for one in timed if today - DAYS <= one.minute // DAY < today)
    if len(within) < ENOUGH:
        return None
    rank = next(n for n in range(len(within) + 1) if 100 * n >= 95 * len(within))
    # Coarsening keeps the order, so the percentile of the coarse is the coarse percentile.
    return next((edge for edge in EDGES if edge >= within[rank - 1]), EDGES[-1])
