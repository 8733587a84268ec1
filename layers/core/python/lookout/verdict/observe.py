"""What a round tells of a server besides its verdict: each region's last word, why it fails, what it speaks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lookout.config.model import Site
from lookout.probe.result import ProbeResult, Reason
from lookout.verdict.quorum import RoundVerdict
from lookout.verdict.schedule import ROUND_DEADLINE_S
from lookout.verdict.state import Failure, RegionView, ServerState


def moment(results: Mapping[str, ProbeResult], minute: int) -> int:
    """When the newest evidence was gathered, kept inside the round so that no region's clock can move it further."""
    newest = max((r.at_ms // 1000 for r in results.values()), default=minute)
    return min(max(newest, minute), minute + ROUND_DEADLINE_S)


def failure_of(results: Sequence[ProbeResult]) -> Failure:
    """The first result among those of the most frequent (layer, reason)."""
    counts = Counter((r.layer, r.reason) for r in results)
    worst = max(results, key=lambda r: counts[(r.layer, r.reason)])
    return Failure(
        worst.layer.value if worst.layer else None,
        worst.reason.value if worst.reason else None,
        worst.message,
        worst.http_status,
        worst.era.value if worst.era else None,
        worst.protocol_version,
    )


def observe(
    state: ServerState, results: Mapping[str, ProbeResult], verdict: RoundVerdict, minute: int, site: Site
) -> dict[str, Any]:
    """What changes in the state; `verdict` is what the quorum said."""
    known = {view.region: view for view in state.regions}
    for region, result in results.items():
        known[region] = RegionView(
            region,
            result.status.value,
            min(max(result.at_ms // 1000, minute), minute + ROUND_DEADLINE_S),
            result.latency_ms,
            result.layer.value if result.layer else None,
            result.reason.value if result.reason else None,
            result.message,
        )
    seen: dict[str, Any] = {"regions": tuple(known[r] for r in site.regions if r in known)}
    if results:
        seen["heard_at"] = minute
    if verdict.outcome.failing:
        seen["failure"] = failure_of([results[r] for r in verdict.failing])
    spoke = next((r for r in results.values() if r.era is not None), None)
    if spoke is not None:
        seen["era"] = spoke.era.value if spoke.era else None
        seen["protocol_version"] = spoke.protocol_version
        seen["transport"] = spoke.transport
        seen["server_name"] = spoke.server_name or state.server_name
        seen["server_version"] = spoke.server_version or state.server_version
        seen["findings"] = tuple(sorted({f.code for r in results.values() if r.era is not None for f in r.findings}))
    listed = next((r for r in results.values() if r.tools_count is not None), None)
    if listed is not None:
        seen["tools_count"], seen["tools_hash"] = listed.tools_count, listed.tools_hash
    if any(r.reason is not Reason.CREDENTIAL_UNAVAILABLE for r in results.values()):
        ends = [r.credential_expires for r in results.values() if r.credential_expires is not None]
        seen["credential_expires"] = min(ends, default=None)
    certificate = next((r.tls.not_after for r in results.values() if r.tls is not None), None)
    if certificate is not None:
        seen["tls_not_after"] = certificate
    address = next((r.address for r in results.values() if r.address is not None), None)
    if address is not None:
        seen["address"] = address
    return seen
