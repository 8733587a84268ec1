"""The prose, said once more and slowly: what one round of one server says (decision 12, R). Nothing here comes from
`lookout.verdict`.

reported   the regions that say the server is fine, and those that say it fails
unknown    nobody reported, or fewer than half of the regions that probe did
fails      as many regions as the quorum asks for: the server's own number (never more than reported), else more
           than half of those that reported, and at least 2 where 2 or more did
degraded   a region fails, and they are too few
fine       what most say; where two are said equally often, the worse of them; but who is up, and slow beside what is
           usual, is degraded
unknown    also where it fails and nobody had heard of the server for long
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from lookout.config.model import Server
from lookout.probe.result import ProbeResult

from tests.reference.usual import latency_of

FINE = ("degraded", "auth_required", "up")
"""Worst first."""
CODES = {"up": "u", "degraded": "g", "auth_required": "a", "down": "d", "credential_rejected": "c", "unknown": "?"}
FAILING = ("down", "credential_rejected")
LATEST_EVIDENCE_S = 120
NOTICEABLE_MS = 250
COUNTINGS = ("exclude", "count_up", "count_as_is")
"""The strongest first."""


@dataclass(frozen=True)
class Window:
    """Maintenance of one server, its end not included."""

    begin: int
    end: int
    counting: str


@dataclass(frozen=True)
class Plan:
    """What was configured when a minute was judged: the server, the regions that probe, the sinks there are."""

    server: Server
    regions: tuple[str, ...]
    sinks: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True)
class Change:
    """A change of what the server offers, as it is told: its class, the surfaces it leads from and to, who saw it."""

    cls: str
    old: str
    new: str
    regions: tuple[str, ...]


@dataclass(frozen=True)
class Heard:
    """One judged minute of one server: what was configured then, and what regions said, asked or not.

    `usual_ms` is its baseline on that day, `heard_at` the last minute before in which any region reported it. `again`
    is which confirmation of the minute it is, if it is none of the rounds.
    """

    minute: int
    plan: Plan
    results: Mapping[str, ProbeResult]
    usual_ms: int | None = None
    heard_at: int | None = None
    changes: tuple[Change, ...] = ()
    again: int = 0

    @property
    def server(self) -> Server:
        """Its definition then."""
        return self.plan.server

    @property
    def regions(self) -> tuple[str, ...]:
        """Those that probed then."""
        return self.plan.regions

    @cached_property
    def of_regions(self) -> dict[str, ProbeResult]:
        """What the regions that probe said, in their order."""
        return {region: self.results[region] for region in self.regions if region in self.results}

    @cached_property
    def at(self) -> int:
        """The newest evidence, in seconds, as far as a clock may be believed."""
        times = [result.at_ms // 1000 for result in self.of_regions.values()]
        return believable(max(times), self.minute) if times else self.minute

    def saying(self, *statuses: str) -> list[str]:
        """The regions that say one of these."""
        return [region for region, result in self.of_regions.items() if result.status.value in statuses]

    @cached_property
    def failing(self) -> list[str]:
        """The regions that say it fails."""
        return self.saying(*FAILING)

    @cached_property
    def reported(self) -> int:
        """How many regions said anything that counts."""
        return len(self.saying(*FINE, *FAILING))

    @cached_property
    def needed(self) -> int:
        """How many must fail for the round to fail."""
        if self.server.quorum is not None:
            return max(1, min(self.server.quorum, self.reported))
        least = 2 if self.reported >= 2 else 1
        return next(n for n in range(least, 99) if 2 * n > self.reported)

    @cached_property
    def said(self) -> str:
        """What the regions together say, by name, whatever was before."""
        if self.reported == 0 or self.reported < len(self.regions) / 2:
            return "unknown"
        if len(self.failing) >= self.needed:
            rejected = self.saying("credential_rejected")
            return "credential_rejected" if len(rejected) > len(self.failing) / 2 else "down"
        if self.failing:
            return "degraded"
        most = max(len(self.saying(status)) for status in FINE)
        return next(status for status in FINE if len(self.saying(status)) == most)

    @cached_property
    def outcome(self) -> str:
        """The round's status by name."""
        if self.said == "up" and self.slow:
            return "degraded"
        if self.said in FAILING and self.cold:
            return "unknown"
        return self.said

    @cached_property
    def latency_ms(self) -> int | None:
        """How long it took, all regions together."""
        return latency_of(list(self.of_regions.values()))

    @property
    def slow(self) -> bool:
        """Is it slow beside what is usual for it?"""
        ratio, took, usual = self.server.slow_ratio_percent, self.latency_ms, self.usual_ms
        if not ratio or took is None or usual is None:
            return False
        return took > NOTICEABLE_MS and took > Fraction(ratio, 100) * usual

    @property
    def cold(self) -> bool:
        """Is it the first that is heard of it after long?"""
        if self.heard_at is None:
            return False
        return self.minute - self.heard_at > max(15 * 60, 3 * self.server.interval_s)

    @cached_property
    def cause(self) -> str | None:
        """Why a degraded round is degraded."""
        if self.outcome != "degraded":
            return None
        if self.failing:
            return "regional"
        slow_ones = [one for one in self.of_regions.values() if one.status == "degraded" and one.reason == "slow"]
        return "latency" if self.said == "up" or slow_ones else None

    @property
    def limited(self) -> bool:
        """Does nobody know, since the server does not let us ask?"""
        turned_away = [one for one in self.of_regions.values() if one.reason in ("rate_limited", "bot_wall")]
        return not self.known and bool(turned_away) and 2 * len(turned_away) >= len(self.of_regions)

    @cached_property
    def counting(self) -> str | None:
        """How the round counts where maintenance was declared for its minute; None where none was."""
        declared = {w.counting for w in self.plan.windows if w.begin <= self.minute < w.end}
        return next((counting for counting in COUNTINGS if counting in declared), None)

    @property
    def covered(self) -> bool:
        """Was maintenance declared for its minute?"""
        return self.counting is not None

    @property
    def code(self) -> str:
        """What is recorded for uptime, as history writes it."""
        seen = CODES[self.outcome]
        if self.counting == "exclude":
            return {"?": "m"}.get(seen, seen.upper())
        return "w" if self.counting == "count_up" else seen

    @cached_property
    def known(self) -> bool:
        """Does it say anything?"""
        return self.outcome != "unknown" or self.breaks

    @property
    def breaks(self) -> bool:
        """Is it a confirmation that ends the failing streak, and says no more?"""
        return self.again > 0 and not self.fails

    @cached_property
    def fails(self) -> bool:
        """Does it say that the server fails?"""
        return self.outcome in FAILING


def believable(at: int, minute: int) -> int:
    """No region's clock moves its evidence before its minute, or past the minute's deadline."""
    return sorted((minute, at, minute + LATEST_EVIDENCE_S))[1]


def silence(rounds: Sequence[Heard], i: int) -> int:
    """How many unknown rounds in a row end with round `i`."""
    count = 0
    while count <= i and not rounds[i - count].known:
        count += 1
    return count


def long_silence(rounds: Sequence[Heard], i: int) -> bool:
    """Is round `i` one of so many unknown ones that nothing said before counts any more?"""
    return silence(rounds, i) >= rounds[i].server.down_after


def remembered(rounds: Sequence[Heard], i: int) -> Iterator[Heard]:
    """The known rounds up to `i` that still count, newest first."""
    for k in range(i, -1, -1):
        if long_silence(rounds, k):
            return
        if rounds[k].known:
            yield rounds[k]


def streak(rounds: Sequence[Heard], i: int, *, exactly: bool) -> list[Heard]:
    """The known rounds in a row up to `i`, newest first, that say what the newest of them says.

    Exactly the same status, or only the same of "fails" and "is fine".
    """
    out: list[Heard] = []
    for one in remembered(rounds, i):
        if one.breaks:
            if not out or out[0].fails:
                break
            continue
        if out and (one.fails != out[0].fails or (exactly and one.outcome != out[0].outcome)):
            break
        out.append(one)
    return out
