"""One scheduled minute of one shard: (state, rounds, servers, site) -> what should change. Pure and replayable.

It decides nothing about when: `verdict.schedule` says which minute is ripe. It never looks at a clock: the moment of a
notice is when the deciding evidence was gathered, so replaying the same rounds gives the same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lookout.config.model import Server, Site
from lookout.history.round import Round
from lookout.history.uptime import NOT_DUE, OUTCOME_CODES
from lookout.probe.result import ProbeResult, Reason, Status
from lookout.verdict import ids
from lookout.verdict.drift import Drifts, judge_surface, pairs
from lookout.verdict.notices import incident_notice
from lookout.verdict.quorum import RoundVerdict, decide
from lookout.verdict.schedule import ROUND_DEADLINE_S
from lookout.verdict.state import (
    Failure,
    Incident,
    Notice,
    Quorum,
    RegionView,
    ServerState,
    ShardState,
    SurfaceChange,
)
from lookout.verdict.streak import advance

TRANSACTION_ITEMS: Final = 100
"""DynamoDB's limit. Two are the state and the verdicts; an incident or a surface change takes two with its notice."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one minute changes. `verdicts` is `{slug: outcome code}` of that minute; `incidents` are whole new rows."""

    minute: int
    state: ShardState
    verdicts: Mapping[str, str] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    notices: tuple[Notice, ...] = ()
    changes: tuple[SurfaceChange, ...] = ()


def by_server(rounds: Mapping[str, Round], site: Site) -> dict[str, dict[str, ProbeResult]]:
    """The results of one minute by slug and region, regions in the site's order."""
    out: dict[str, dict[str, ProbeResult]] = {}
    for region in site.regions:
        for result in rounds[region].results if region in rounds else ():
            out.setdefault(result.slug, {})[region] = result
    return out


def surfaces_to_compare(
    state: ShardState, minute: int, rounds: Mapping[str, Round], site: Site
) -> set[tuple[str, str]]:
    """The pairs of surface addresses whose difference `judge_minute` may want to tell."""
    found = by_server(rounds, site)
    return {p for slug, one in state.servers.items() for p in pairs(one, found.get(slug, {}), minute, site)}


def judge_minute(
    state: ShardState,
    minute: int,
    rounds: Mapping[str, Round],
    servers: Sequence[Server],
    site: Site,
    incidents: Mapping[str, Incident],
    drifts: Drifts | None = None,
) -> Judgement:
    """Judge `minute` of one shard.

    `rounds` by region (absent: silent), `servers` all of the shard, `incidents` the open ones by id, `drifts` what
    changed between those of `surfaces_to_compare` that could be read. States of servers no longer listed are dropped:
    whoever removed the server closed its incident (`close`).
    """
    by_slug = by_server(rounds, site)
    states: dict[str, ServerState] = {}
    verdicts: dict[str, str] = {}
    changed: list[Incident] = []
    notices: list[Notice] = []
    for server in servers:
        before = state.servers.get(server.slug, ServerState(server.slug, since=minute))
        judged = _judge_server(server, before, minute, by_slug.get(server.slug, {}), site, incidents)
        states[server.slug] = judged.state
        if judged.code != NOT_DUE:
            verdicts[server.slug] = judged.code
        if judged.incident is not None:
            changed.append(judged.incident)
        if judged.notice is not None:
            notices.append(judged.notice)
    changes: list[SurfaceChange] = []
    for server in servers:
        if server.slug not in verdicts:
            continue
        results = by_slug.get(server.slug, {})
        told = judge_surface(
            server,
            states[server.slug],
            results,
            drifts or {},
            minute=minute,
            at=_moment(results, minute),
            quorum=_quorum(decide(results, site.regions, server.quorum), states[server.slug]),
            site=site,
            room=(TRANSACTION_ITEMS - 2 - len(changed) - len(notices) - len(changes)) // 2,
        )
        states[server.slug] = told.state
        changes += told.changes
        notices += told.notices
    after = replace(state, judged=minute, servers=states)
    return Judgement(minute, after, verdicts, tuple(changed), tuple(notices), tuple(changes))


@dataclass(frozen=True, slots=True)
class _One:
    state: ServerState
    code: str
    incident: Incident | None = None
    notice: Notice | None = None


def _judge_server(
    server: Server,
    before: ServerState,
    minute: int,
    results: Mapping[str, ProbeResult],
    site: Site,
    incidents: Mapping[str, Incident],
) -> _One:
    incident = incidents.get(before.incident_id) if before.incident_id else None
    if server.paused:
        return _pause(server, before, minute, incident, site)
    if before.status is Status.PAUSED:
        before = _anew(before, since=minute, previous=Status.PAUSED, previous_since=before.since)
    if not server.due(minute) or (not before.last_round and not results):
        return _One(before, NOT_DUE)
    verdict = decide(results, site.regions, server.quorum)
    after = advance(before, verdict.outcome, minute, server.down_after, server.up_after)
    after = _observe(after, results, verdict, minute, site)
    code = OUTCOME_CODES[verdict.outcome]
    at = _moment(results, minute)
    quorum = _quorum(verdict, after)
    if after.status.failing and incident is None:
        incident = _open(server, after, verdict, minute)
        after = after.opened(incident)
        return _One(
            after, code, incident, incident_notice("incident.opened", server, after, incident, quorum, minute, at, site)
        )
    if incident is None:
        return _One(after, code)
    if not after.status.failing:
        incident = replace(incident, resolved_at=after.since, resolution="recovered")
        after = after.closed("availability")
        return _One(
            after,
            code,
            incident,
            incident_notice("incident.resolved", server, after, incident, quorum, minute, at, site),
        )
    if after.status is not before.status:
        incident = replace(incident, status=after.status.value, failure=after.failure or Failure())
        return _One(
            after,
            code,
            incident,
            incident_notice("incident.updated", server, after, incident, quorum, minute, at, site),
        )
    return _One(after, code)


def _pause(server: Server, before: ServerState, minute: int, incident: Incident | None, site: Site) -> _One:
    if before.status is Status.PAUSED:
        return _One(before, NOT_DUE)
    after = _anew(
        before,
        status=Status.PAUSED,
        since=minute,
        previous=before.status,
        previous_since=before.since,
        last_round=before.last_round,
    )
    if incident is None:
        return _One(after, NOT_DUE)
    closed, notice = close(server, incident, minute, "paused", before, site)
    return _One(after, NOT_DUE, closed, notice)


def _anew(before: ServerState, **values: Any) -> ServerState:
    """A state that forgets everything but what the server offers."""
    kept: dict[str, Any] = {"surface": before.surface, "drifts": before.drifts, "drift_at": before.drift_at}
    return ServerState(before.slug, **kept, **values)


def close(
    server: Server, incident: Incident, at: int, resolution: str, before: ServerState, site: Site
) -> tuple[Incident, Notice]:
    """End an incident because we stop watching (`removed`, `paused`), with its notice."""
    closed = replace(incident, resolved_at=max(at, incident.started_at), resolution=resolution)
    status = Status.PAUSED if resolution == "paused" else Status.UNKNOWN
    gone = before.with_(status=status, previous=before.status, previous_since=before.since, since=at, incidents={})
    quorum = Quorum(len(site.regions), 0, len(site.regions), resolution, 0)
    return closed, incident_notice("incident.resolved", server, gone, closed, quorum, at, at, site)


def _moment(results: Mapping[str, ProbeResult], minute: int) -> int:
    """When the newest evidence was gathered, kept inside the round so that no region's clock can move it further."""
    newest = max((r.at_ms // 1000 for r in results.values()), default=minute)
    return min(max(newest, minute), minute + ROUND_DEADLINE_S)


def _observe(
    state: ServerState, results: Mapping[str, ProbeResult], verdict: RoundVerdict, minute: int, site: Site
) -> ServerState:
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
    if verdict.outcome.failing:
        seen["failure"] = _failure([results[r] for r in verdict.failing])
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
    return state.with_(**seen)


def _failure(failing: Sequence[ProbeResult]) -> Failure:
    """The first result among those of the most frequent (layer, reason)."""
    counts = Counter((r.layer, r.reason) for r in failing)
    worst = max(failing, key=lambda r: counts[(r.layer, r.reason)])
    return Failure(
        worst.layer.value if worst.layer else None,
        worst.reason.value if worst.reason else None,
        worst.message,
        worst.http_status,
        worst.era.value if worst.era else None,
        worst.protocol_version,
    )


def _quorum(verdict: RoundVerdict, after: ServerState) -> Quorum:
    rounds = after.fail_rounds if verdict.outcome.failing else after.ok_rounds
    return Quorum(verdict.total, len(verdict.failing), len(verdict.unknown), verdict.rule, rounds)


def _open(server: Server, after: ServerState, verdict: RoundVerdict, minute: int) -> Incident:
    return Incident(
        id=ids.incident_id(server.slug, "availability", minute),
        slug=server.slug,
        started_at=after.since,
        opened_at=minute,
        status=after.status.value,
        public=server.public,
        title=server.title,
        failure=after.failure or Failure(),
        regions=verdict.failing,
        regions_total=verdict.total,
    )
