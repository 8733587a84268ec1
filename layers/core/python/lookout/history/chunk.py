"""The hourly chunk: every probe of one server in one hour, from every region, and what was judged each minute. Pure.

`history.packing` writes it as bytes, `history.day` sums a day of them up. `hour` and `day` are unix seconds of their
beginning, UTC. Joining two chunks of one hour loses nothing and counts nothing twice, in whatever order and however
often it is done: that is what lets rounds arrive late and a rollup run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from lookout.history.round import Round
from lookout.history.uptime import NOT_DUE, Tally, tally
from lookout.probe.result import ProbeResult, Status

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86400
MINUTES: Final = 60
NOBODY_JUDGED: Final = "?"
"""The code of a minute that was due and that no judge came to: unknown, and so a gap in the coverage."""

Verdicts = Mapping[int, Mapping[str, str]]
"""What was judged: `{minute: {slug: outcome code}}`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One probe of one region: `minute` counts from the hour's beginning, `latency_ms` is the total, `phases` are whole
    milliseconds by phase (`ProbeResult`, without the total).
    """

    minute: int
    status: Status
    latency_ms: int
    reason: str | None
    phases: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, result: ProbeResult, minute: int) -> Sample:
        """What is kept of a probe's result."""
        phases = {name: max(0, round(ms)) for name, ms in result.timings_ms.items() if name != "total"}
        reason = result.reason.value if result.reason else None
        return cls(minute, result.status, max(0, result.latency_ms), reason, phases)

    def _order(self) -> tuple[int, str, int, str, list[tuple[str, int]]]:
        return (
            len(self.phases),
            self.status.value,
            self.latency_ms,
            self.reason or "",
            sorted(self.phases.items()),
        )


Samples = Mapping[str, tuple[Sample, ...]]
"""By region, regions sorted, each in the order of minutes."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One server, one hour. `outcomes` has one code per minute (history.uptime), `.` where nothing was due."""

    slug: str
    hour: int
    outcomes: str
    samples: Samples

    @property
    def tally(self) -> Tally:
        """Of the quorum's outcomes, never of single regions."""
        return tally(self.outcomes)

    @property
    def empty(self) -> bool:
        """Nothing was due and nothing was probed: not worth keeping."""
        return not self.samples and not self.outcomes.strip(NOT_DUE)


def never_due(minute: int) -> bool:
    """The `due` of a server that was not watched then."""
    del minute
    return False


def outcome_line(
    hour: int,
    verdicts: Verdicts,
    slug: str,
    due: Callable[[int], bool] = never_due,
) -> str:
    """60 codes of one server. A minute that no judge came to is unknown where `due` says that the server was due."""
    out = []
    for minute in range(hour, hour + HOUR, MINUTE):
        row = verdicts.get(minute)
        if row is None:
            out.append(NOBODY_JUDGED if due(minute) else NOT_DUE)
        else:
            out.append(row.get(slug, NOT_DUE))
    return "".join(out)


def build(
    slug: str,
    hour: int,
    verdicts: Verdicts,
    rounds: Iterable[Round],
    due: Callable[[int], bool] = never_due,
) -> Chunk:
    """The chunk of one server from an hour's verdicts and rounds; the order of rounds does not matter."""
    samples: dict[str, dict[int, Sample]] = {}
    for item in rounds:
        result = item.result(slug)
        if result is not None and hour <= item.minute < hour + HOUR:
            minute = (item.minute - hour) // MINUTE
            samples.setdefault(item.region, {})[minute] = Sample.of(result, minute)
    return Chunk(slug, hour, outcome_line(hour, verdicts, slug, due), _ordered(samples))


def join(one: Chunk, other: Chunk) -> Chunk:
    """Everything either of two chunks of the same server and hour knows. Idempotent, commutative, associative.

    Where both know a minute they know the same, but for two cases: a judged outcome replaces "nobody judged it", and
    a probe with its phases replaces the same probe without (version 1 kept none).
    """
    outcomes = "".join(map(_stronger, one.outcomes, other.outcomes))
    samples: dict[str, dict[int, Sample]] = {}
    for source in (one, other):
        for region, found in source.samples.items():
            known = samples.setdefault(region, {})
            for sample in found:
                known[sample.minute] = max(known.get(sample.minute, sample), sample, key=Sample._order)
    return Chunk(one.slug, one.hour, outcomes, _ordered(samples))


def _stronger(one: str, other: str) -> str:
    weak = (NOT_DUE, NOBODY_JUDGED)
    return max(one, other, key=lambda code: (weak.index(code) if code in weak else len(weak), code))


def _ordered(samples: Mapping[str, Mapping[int, Sample]]) -> dict[str, tuple[Sample, ...]]:
    return {region: tuple(found[minute] for minute in sorted(found)) for region, found in sorted(samples.items())}
