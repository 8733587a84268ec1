"""webhook: `lookout/v1` under Standard Webhooks headers, or one of the other bodies a receiver may ask for. Pure.

`server_slug`, `probe_result`, `previous_status` and `timestamp` are in every body of our own format (SHAPES 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lookout import __version__
from lookout.notify.facts import Phase, phase
from lookout.notify.request import HttpRequest, Target, post
from lookout.notify.signing import sign
from lookout.notify.sinks.alertmanager import webhook_v4
from lookout.notify.template import fill
from lookout.notify.text import rfc3339
from lookout.notify.words import links
from lookout.regions import city
from lookout.verdict.case import Notice

FORMATS: Final = ("lookout/v1", "alertmanager-v4")
_TEXT: Final = 2000
"""What a server said is kept at 300 characters; whatever may come one day, a body stays far below 256 KB."""
_INCIDENT: Final = (
    "id",
    "kind",
    "started_at",
    "resolved_at",
    "duration_seconds",
    "resolution",
    "flapping",
    "acknowledged_at",
    "acknowledged_by",
    "opening_undelivered",
)
_FLAT_EVENTS: Final = {
    "incident.opened": "downtime_started",
    "incident.resolved": "downtime_resolved",
    "slo.burn": "slo_breach_warning",
    "drift.detected": "schema_drift_detected",
}


def request(notice: Notice, target: Target, site_url: str, now: int) -> HttpRequest:
    """The POST. Signed where the sink has keys: one signature per key, so that a receiver may know either."""
    headers = {
        **target.options.get("headers", {}),
        "webhook-id": notice.id,
        "webhook-timestamp": str(now),
    }
    made = post(target.url, body(notice, target, site_url), headers)
    if target.signing is not None:
        made.headers["webhook-signature"] = sign(target.signing, notice.id, now, made.body)
    return made


def body(notice: Notice, target: Target, site_url: str) -> Any:
    """What the sink's `format`, `compat` or `template` asks for; at most one of them is set."""
    options = target.options
    if options.get("format") == "alertmanager-v4":
        return webhook_v4(notice, site_url)
    if options.get("compat") == "alivemcp":
        return flat(notice, site_url)
    if "template" in options:
        return fill(options["template"], payload(notice, site_url))
    return payload(notice, site_url)


def payload(notice: Notice, site_url: str) -> dict[str, Any]:
    """`lookout/v1` as a JSON object, keys in the documented order."""
    failure = notice.failure
    return {
        "version": "1",
        "type": notice.type,
        "id": notice.id,
        "timestamp": rfc3339(notice.created_at),
        "server_slug": notice.slug,
        "probe_result": notice.status,
        "previous_status": notice.previous_status,
        "status": notice.status,
        "dedup_key": notice.dedup_key,
        "severity": notice.severity,
        "server": dict(notice.server),
        "failure": {
            "layer": _bounded(failure.layer),
            "reason": _bounded(failure.reason),
            "message": failure.message[:_TEXT],
            "http_status": failure.http_status,
            "era": failure.era,
            "protocol_version": failure.protocol_version,
        },
        "quorum": {
            "regions_total": notice.quorum.regions_total,
            "regions_failing": notice.quorum.regions_failing,
            "regions_unknown": notice.quorum.regions_unknown,
            "rule": notice.quorum.rule[:_TEXT],
            "consecutive_rounds": notice.quorum.consecutive_rounds,
        },
        "regions": [
            {
                "region": view.region,
                "city": city(view.region),
                "status": view.status,
                "latency_ms": view.latency_ms,
                "reason": _bounded(view.reason),
                "checked_at": rfc3339(view.checked_at),
            }
            for view in notice.regions
        ],
        "incident": _incident(notice),
        "drift": dict(notice.drift) if notice.drift is not None else None,
        "digest": _digest(notice.digest) if notice.digest is not None else None,
        "maintenance": _maintenance(notice.maintenance) if notice.maintenance is not None else None,
        "escalation": _escalation(notice.escalation) if notice.escalation is not None else None,
        "report": _report(notice.report) if notice.report is not None else None,
        "slo": dict(notice.slo) if notice.slo is not None else None,
        "links": links(notice, site_url),
        "monitor": {"name": "lookout", "version": __version__, "kind": "external"},
    }


def flat(notice: Notice, site_url: str) -> dict[str, Any]:
    """`compat: alivemcp`: one level, no nulls but where nothing is known. A type it has no event for keeps its name."""
    return {
        "event": _event(notice),
        "server_slug": notice.slug,
        "timestamp": rfc3339(notice.created_at),
        "probe_result": notice.status,
        "previous_status": notice.previous_status,
        "probe_count": notice.quorum.consecutive_rounds,
        "failure_layer": _bounded(notice.failure.layer),
        "last_error": notice.failure.message[:_TEXT] or _bounded(notice.failure.reason),
        "dashboard_url": links(notice, site_url)["status_page"],
    }


def _event(notice: Notice) -> str:
    """Of a burning budget the beginning alone is a breach: what follows must not sound like another."""
    follows = notice.slo is not None and phase(notice) is not Phase.OPENED
    named = notice.type.replace(".", "_")
    return named if follows else _FLAT_EVENTS.get(notice.type, named)


def _bounded(text: str | None) -> str | None:
    return text[:_TEXT] if text is not None else None


def _escalation(escalation: Mapping[str, Any]) -> dict[str, Any]:
    return {"after_seconds": escalation["after_s"]}


def _digest(digest: Mapping[str, Any]) -> dict[str, Any]:
    """The members' times as all others are written."""
    return {**digest, "members": [_timed(one, ("since", "until")) for one in digest["members"]]}


def _report(report: Mapping[str, Any]) -> dict[str, Any]:
    """Its times, and those of its members, as all others are written."""
    members = [_timed(one, ("since", "until")) for one in report["members"]]
    return {**_timed(report, ("begins_at", "ends_at")), "members": members}


def _timed(value: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    times = {key: value[key] for key in keys if key in value}
    return {**value, **{key: rfc3339(at) if at is not None else None for key, at in times.items()}}


def _maintenance(maintenance: Mapping[str, Any]) -> dict[str, Any]:
    """Its times as all others are written."""
    return _timed(maintenance, ("begins_at", "ends_at"))


def _incident(notice: Notice) -> dict[str, Any]:
    """The same keys also where the notice is about no incident."""
    incident = notice.incident
    if incident is None:
        return dict.fromkeys(_INCIDENT)
    resolved, taken = incident.resolved_at, incident.acknowledged
    values = (
        incident.id,
        incident.kind,
        rfc3339(incident.started_at),
        rfc3339(resolved) if resolved is not None else None,
        resolved - incident.started_at if resolved is not None else None,
        incident.resolution,
        incident.flapping,
        rfc3339(taken.at) if taken is not None else None,
        _bounded(taken.by) if taken is not None else None,
        notice.opening_undelivered,
    )
    return dict(zip(_INCIDENT, values, strict=True))
