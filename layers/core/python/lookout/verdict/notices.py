"""What is told about a judgement: a notice is complete, so that a renderer needs nothing else (SHAPES 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lookout.config.model import Server, Site
from lookout.probe.result import Status
from lookout.surface.changes import Class
from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice, SurfaceChange
from lookout.verdict.routing import Subject, audience, remembering
from lookout.verdict.state import Failure, Quorum, ServerState

_LAST: Final = 1 << 40
_DRIFT_SEVERITY: Final = {Class.BREAKING: "high", Class.RISKY: "warning"}


def incident_notice(
    notice_type: str,
    server: Server,
    state: ServerState,
    incident: Incident,
    quorum: Quorum,
    minute: int,
    at: int,
    site: Site,
    severity: str | None = None,
) -> Notice:
    """The notice of an incident's opening, updating or resolution; `severity` where it is not as for an outage.

    Its identity and its place among the others come from the judged `minute`, never from `at`, when its evidence was
    gathered: by a region's wrong clock, or a late probe, two minutes' evidence may be of the same second.
    """
    return _notice(
        notice_type,
        server,
        state,
        site,
        minute=minute,
        at=at,
        quorum=quorum,
        dedup_key=incident.id,
        severity=severity or _severity(notice_type, incident, state, quorum),
        sequence=0 if minute == incident.opened_at else _LAST if incident.resolved_at is not None else minute,
        failure=(state.failure if incident.kind == "availability" else None) or incident.failure,
        incident=incident,
    )


def drift_notice(
    server: Server,
    state: ServerState,
    change: SurfaceChange,
    quorum: Quorum,
    at: int,
    site: Site,
    incident: Incident | None = None,
) -> Notice:
    """The notice of a surface change: high where it breaks callers, warning where it may, else info.

    It belongs to the open drift incident, where there is one.
    """
    return _notice(
        "drift.detected",
        server,
        state,
        site,
        minute=change.at,
        at=at,
        quorum=quorum,
        dedup_key=incident.id if incident is not None else change.id,
        identity=change.id,
        severity=_DRIFT_SEVERITY.get(Class(change.drift["class"]), "info"),
        sequence=at,
        failure=Failure(),
        incident=incident,
        drift=change.drift,
    )


def _severity(notice_type: str, incident: Incident, state: ServerState, quorum: Quorum) -> str:
    if notice_type == "incident.resolved":
        return "info"
    if incident.kind != "availability":
        return "warning"
    everywhere = quorum.regions_failing == quorum.regions_total and state.status is Status.DOWN
    return "critical" if everywhere else "high"


def _notice(
    notice_type: str,
    server: Server,
    state: ServerState,
    site: Site,
    *,
    minute: int,
    at: int,
    quorum: Quorum,
    dedup_key: str,
    severity: str,
    sequence: int,
    failure: Failure,
    identity: str | None = None,
    incident: Incident | None = None,
    drift: Mapping[str, Any] | None = None,
) -> Notice:
    seen_by = incident.regions if incident is not None else tuple(drift["regions"]) if drift is not None else ()
    kind = incident.kind if incident is not None else "drift"
    subject = Subject(notice_type, severity, kind, seen_by)
    sinks = audience(site, server, subject, incident.sinks if incident is not None else ())
    if incident is not None:
        incident = remembering(incident, server, sinks)
    return Notice(
        id=ids.notice_id(identity or dedup_key, notice_type, minute),
        type=notice_type,
        created_at=at,
        slug=server.slug,
        status=state.status.value,
        previous_status=state.previous.value,
        previous_since=state.previous_since,
        severity=severity,
        dedup_key=dedup_key,
        sequence=sequence,
        server={
            "slug": server.slug,
            "name": server.title,
            "url": server.url,
            "visibility": server.visibility,
            "tags": list(server.tags),
        },
        failure=failure,
        quorum=quorum,
        regions=state.regions,
        incident=incident,
        sinks=sinks,
        drift=drift,
        held=incident.held if incident is not None else "",
    )
