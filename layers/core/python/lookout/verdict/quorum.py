"""One round of one server, from all regions together: what the round says, before any streak.

reported   regions whose probe said ok or fail (unknown and silent regions say nothing)
too few    fewer than half of the configured regions reported                     -> unknown
quorum     the server's own number, else more than half of those that reported,
           and at least 2 where 2 or more reported
fail       at least `quorum` regions fail                                         -> down | credential_rejected
regional   some fail, but fewer                                                   -> degraded
otherwise  the most frequent of up, degraded, auth_required; a tie goes to the worse
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lookout.probe.result import ProbeResult, Status


@dataclass(frozen=True, slots=True)
class RoundVerdict:
    """What one round says. `failing` are the regions that fail, `unknown` those that could not say, in order."""

    outcome: Status
    failing: tuple[str, ...]
    unknown: tuple[str, ...]
    reported: int
    needed: int
    total: int

    @property
    def rule(self) -> str:
        """`2-of-3`: how many of those that reported must fail."""
        return f"{self.needed}-of-{self.reported}"


def quorum_of(reported: int, configured: int | None) -> int:
    """How many of `reported` regions must fail for the round to fail (1 or more)."""
    if configured is not None:
        return max(1, min(configured, reported))
    majority = reported // 2 + 1
    return max(majority, 2) if reported >= 2 else 1


_SEVERITY = (Status.DEGRADED, Status.AUTH_REQUIRED, Status.UP)


def decide(results: Mapping[str, ProbeResult], regions: Sequence[str], quorum: int | None = None) -> RoundVerdict:
    """The verdict over `results` by region; regions absent from it were silent. Others than `regions` are ignored."""
    seen = [(region, results[region].status) for region in regions if region in results]
    failing = tuple(region for region, status in seen if status.failing)
    fine = [status for _, status in seen if status.ok]
    unknown = tuple(region for region in regions if region not in results or not _says(results[region].status))
    reported = len(failing) + len(fine)
    needed = quorum_of(reported, quorum)
    if reported == 0 or reported * 2 < len(regions):
        outcome = Status.UNKNOWN
    elif len(failing) >= needed:
        rejected = sum(results[region].status is Status.CREDENTIAL_REJECTED for region in failing)
        outcome = Status.CREDENTIAL_REJECTED if rejected * 2 > len(failing) else Status.DOWN
    elif failing:
        outcome = Status.DEGRADED
    elif fine.count(fine[0]) == len(fine):
        outcome = fine[0]
    else:
        counts = Counter(fine)
        outcome = max(_SEVERITY, key=lambda s: (counts[s], -_SEVERITY.index(s)))
    return RoundVerdict(outcome, failing, unknown, reported, needed, len(regions))


def _says(status: Status) -> bool:
    return status.ok or status.failing
