"""The JSON read models: our own API, Statuspage v2, shields and the embed shape (SHAPES 5 and 6). Pure.

Every function returns a JSON object ready for `encode`. Unknown is null, never 0 and never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final
from urllib.parse import quote

from lookout.history.latency import Percentiles
from lookout.history.slo import Burn, budget_left, burns, objective
from lookout.history.uptime import Tally, percent
from lookout.probe.result import Status
from lookout.regions import city
from lookout.status import changes
from lookout.status import incidents as cases
from lookout.status import maintenance as windows
from lookout.status.conformance import breaches
from lookout.status.feed import headline, incident_url, server_url
from lookout.status.incidents import Line, is_outage
from lookout.status.maintenance_json import planned, scheduled
from lookout.status.summary import (
    WORDS,
    age_s,
    all_incidents,
    outages_of,
    overall,
    silent_regions,
    stale,
    warnings_of,
)
from lookout.status.text import clean, public_url, ratio, rfc3339
from lookout.status.view import ServerView, Snapshot
from lookout.verdict.case import Incident, SurfaceChange
from lookout.verdict.state import Failure, RegionView

CONTENT_TYPE: Final = "application/json"
INCIDENTS_CAP: Final = 50

_COMPONENT: Final[Mapping[Status, str]] = {
    Status.UP: "operational",
    Status.AUTH_REQUIRED: "operational",
    Status.DEGRADED: "degraded_performance",
    Status.DOWN: "major_outage",
    Status.CREDENTIAL_REJECTED: "major_outage",
}
"""Statuspage has no word for "not known": every other status is `under_maintenance`, with a description that says why,
because both `operational` and an outage would claim what nobody saw."""

_LIVE: Final[Mapping[Status, str]] = {
    Status.UP: "live",
    Status.AUTH_REQUIRED: "live",
    Status.DEGRADED: "degraded",
    Status.DOWN: "down",
    Status.CREDENTIAL_REJECTED: "down",
}


def encode(data: object) -> bytes:
    """Compact JSON, ASCII only."""
    return json.dumps(data, separators=(",", ":"), allow_nan=False).encode() + b"\n"


def _when(at: int | None) -> str | None:
    return rfc3339(at) if at else None


def _tally(tally: Tally) -> dict[str, Any]:
    return {
        "uptime": ratio(tally.uptime),
        "uptime_percent": percent(tally.uptime),
        "coverage": ratio(tally.coverage),
        "ok": tally.ok,
        "fail": tally.fail,
        "unknown": tally.unknown,
        "degraded": tally.degraded,
        "excluded": tally.excluded,
    }


def percentiles(found: Percentiles) -> dict[str, int]:
    """Of latency, in milliseconds."""
    return {"probes": found.probes, "p50": found.p50, "p95": found.p95, "p99": found.p99}


def error_budget(slo: str, left: Fraction | None, rates: Iterable[Burn]) -> dict[str, Any]:
    """What is left over 30 days, and how fast it burns: burning where both windows of a rule reach its threshold."""
    return {
        "objective": ratio(objective(slo)),
        "window": "30d",
        "remaining": ratio(left),
        "burn": [
            {
                "window": burn.rule.name,
                "short_window_seconds": burn.rule.short_s,
                "rate": ratio(burn.long_rate),
                "short_rate": ratio(burn.short_rate),
                "threshold": ratio(burn.rule.threshold),
                "burning": burn.burning,
            }
            for burn in rates
        ],
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "layer": failure.layer,
        "reason": failure.reason,
        "message": clean(failure.message),
        "http_status": failure.http_status,
    }


def _region(seen: RegionView) -> dict[str, Any]:
    return {
        "region": seen.region,
        "city": city(seen.region),
        "status": seen.status,
        "latency_ms": seen.latency_ms,
        "checked_at": rfc3339(seen.checked_at),
        "layer": seen.layer,
        "reason": seen.reason,
    }


def _envelope(snapshot: Snapshot, now: int) -> dict[str, Any]:
    return {"generated_at": rfc3339(snapshot.generated_at), "stale": stale(snapshot, now)}


def incident(snapshot: Snapshot, item: Incident) -> dict[str, Any]:
    """One incident, of any kind."""
    ended, taken = item.resolved_at, item.acknowledged
    return {
        "id": item.id,
        "server": item.slug,
        "title": headline(item),
        "kind": item.kind,
        "status": item.status,
        "started_at": rfc3339(item.started_at),
        "opened_at": rfc3339(item.opened_at),
        "resolved_at": _when(ended),
        "resolution": item.resolution,
        "updated_at": rfc3339(cases.moved_at(item)),
        "acknowledged_at": _when(taken.at if taken is not None else None),
        "flapping": item.flapping,
        "duration_seconds": ended - item.started_at if ended is not None else None,
        "failure": _failure(item.failure),
        "first_failure": _failure(item.evidence) if item.evidence is not None else None,
        "regions": list(item.regions),
        "regions_total": item.regions_total,
        "timeline": [_line(line) for line in reversed(cases.lines(item))],
        "url": incident_url(snapshot, item),
    }


def maintenance(snapshot: Snapshot, now: int) -> dict[str, Any]:
    """GET /api/v1/maintenance: of the last and the next seven days, by when it begins."""
    return {**_envelope(snapshot, now), "maintenance": [planned(snapshot, one, now) for one in snapshot.maintenance]}


def _line(line: Line) -> dict[str, Any]:
    return {"at": rfc3339(line.at), "what": line.what, "title": line.title, "text": line.text}


def _brief(snapshot: Snapshot, view: ServerView) -> dict[str, Any]:
    state = view.state
    return {
        "slug": view.slug,
        "name": clean(view.title),
        "url": public_url(view.url),
        "tags": list(view.tags),
        "status": state.status.value,
        "ok": True if state.status.ok else False if state.status.failing else None,
        "since": _when(state.since),
        "last_checked_at": _when(max((r.checked_at for r in state.regions), default=None)),
        "incident": state.incident_id,
        "page": server_url(snapshot, view),
    }


def _server(snapshot: Snapshot, view: ServerView) -> dict[str, Any]:
    state = view.state
    failing = state.status.failing and state.failure is not None
    return {
        **_brief(snapshot, view),
        "previous_status": state.previous.value,
        "interval_seconds": view.interval_s,
        "slo": view.slo,
        "error_budget": error_budget(
            view.slo, budget_left(view.windows.get("30d", Tally()), view.slo), burns(view.burn, view.slo)
        ),
        "windows": {
            name: {
                **_tally(tally),
                "uptime_time": ratio(view.outages[name].uptime_time) if name in view.outages else None,
                "latency_ms": {region: percentiles(found) for region, found in view.latency.get(name, {}).items()},
            }
            for name, tally in view.windows.items()
        },
        "regions": [_region(seen) for seen in state.regions],
        "failure": _failure(state.failure) if failing and state.failure else None,
        "protocol": {"version": state.protocol_version, "era": state.era, "transport": state.transport},
        "implementation": {
            "name": clean(state.server_name) if state.server_name else None,
            "version": clean(state.server_version) if state.server_version else None,
        },
        "tools": {"count": state.tools_count, "hash": state.tools_hash},
        "tls": {"not_after": _when(state.tls_not_after)},
        "conformance": [{"rule": breach.rule, "severity": breach.severity} for breach in breaches(state)],
    }


def _change(change: SurfaceChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "at": rfc3339(change.at),
        "class": changes.class_of(change).value,
        "unstable": bool(change.drift.get("unstable")),
        "summary": changes.in_words(change),
        "old_hash": change.drift.get("old_hash"),
        "new_hash": change.drift.get("new_hash"),
        "regions": list(change.drift.get("regions", ())),
    }


def current(snapshot: Snapshot, now: int) -> dict[str, Any]:
    """GET /api/v1/status and /status.json: the whole site, small."""
    whole = overall(snapshot, now)
    silent = silent_regions(snapshot, now)
    still = [i for _, i in all_incidents(snapshot) if i.resolved_at is None]
    return {
        **_envelope(snapshot, now),
        "site": {"name": clean(snapshot.site_name), "url": snapshot.site_url},
        "status": {"indicator": whole.indicator, "headline": whole.headline, "detail": whole.detail},
        "counts": {status.value: whole.counts.get(status, 0) for status in Status},
        "regions": [
            {"region": name, "city": city(name), "newest_round": _when(at), "reporting": name not in silent}
            for name, at in snapshot.regions.items()
        ],
        "servers": [_brief(snapshot, view) for view in snapshot.servers],
        "open_incidents": [incident(snapshot, i) for i in still if is_outage(i)],
        "open_warnings": [incident(snapshot, i) for i in still if not is_outage(i)],
        "maintenance": [planned(snapshot, one, now) for one in windows.current(snapshot, now)],
        "version": snapshot.version,
    }


def servers(snapshot: Snapshot, now: int) -> dict[str, Any]:
    """GET /api/v1/servers."""
    return {**_envelope(snapshot, now), "servers": [_server(snapshot, view) for view in snapshot.servers]}


def server(snapshot: Snapshot, view: ServerView, now: int) -> dict[str, Any]:
    """GET /api/v1/servers/{slug}: also its days and incidents."""
    return {
        **_envelope(snapshot, now),
        **_server(snapshot, view),
        "timezone": snapshot.timezone,
        "days": _days(view),
        "incidents": [incident(snapshot, i) for i in outages_of(view)],
        "warnings": [incident(snapshot, i) for i in warnings_of(view)],
        "maintenance": [planned(snapshot, one, now) for one in windows.current(snapshot, now, view.slug)],
        "surface_changes": [_change(change) for change in changes.changes_of(view)],
    }


def history(snapshot: Snapshot, view: ServerView) -> dict[str, Any]:
    """/status/{slug}/history.json: 90 days, as a chart wants them. Latency is by UTC day, all else by the site's."""
    return {
        "generated_at": rfc3339(snapshot.generated_at),
        "slug": view.slug,
        "timezone": snapshot.timezone,
        "days": _days(view),
        "latency_ms": {
            date: {region: percentiles(one) for region, one in found.items()}
            for date, found in view.latency_days.items()
        },
        "outages": [
            {"id": one.id, "started_at": rfc3339(one.started_at), "resolved_at": _when(one.resolved_at)}
            for one in outages_of(view)
        ],
    }


def _days(view: ServerView) -> list[dict[str, Any]]:
    return [{"date": day.date, **_tally(day.tally)} for day in view.days]


def incidents(snapshot: Snapshot, now: int) -> dict[str, Any]:
    """GET /api/v1/incidents: open ones first, then newest first, at most 50 in all."""
    found = [i for _, i in all_incidents(snapshot)]
    found.sort(key=lambda i: i.resolved_at is not None)
    return {**_envelope(snapshot, now), "incidents": [incident(snapshot, i) for i in found[:INCIDENTS_CAP]]}


def summary(snapshot: Snapshot, now: int) -> dict[str, Any]:
    """GET /api/v2/summary.json: Statuspage v2. Times carry milliseconds, as Statuspage's do."""
    whole = overall(snapshot, now)
    updated = _ms(snapshot.generated_at)
    components = [
        {
            "id": view.slug,
            "name": clean(view.title),
            "status": _COMPONENT.get(view.state.status, "under_maintenance"),
            "created_at": _ms(view.state.since or snapshot.generated_at),
            "updated_at": _ms(view.state.since or snapshot.generated_at),
            "position": position,
            "description": None if view.state.status in _COMPONENT else WORDS[view.state.status],
            "showcase": True,
            "start_date": None,
            "group_id": None,
            "page_id": "lookout",
            "group": False,
            "only_show_if_degraded": False,
        }
        for position, view in enumerate(snapshot.servers, 1)
    ]
    by_id: dict[str, Any] = {str(component["id"]): component for component in components}
    return {
        "page": {
            "id": "lookout",
            "name": clean(snapshot.site_name),
            "url": snapshot.site_url,
            "time_zone": "Etc/UTC",
            "updated_at": updated,
        },
        "status": {"indicator": whole.indicator, "description": whole.headline},
        "components": components,
        "incidents": [
            {
                "id": item.id,
                "name": headline(item),
                "status": "investigating",
                "impact": "major",
                "created_at": _ms(item.opened_at),
                "updated_at": _ms(cases.moved_at(item)),
                "monitoring_at": None,
                "resolved_at": None,
                "started_at": _ms(item.started_at),
                "shortlink": incident_url(snapshot, item),
                "page_id": "lookout",
                "incident_updates": [_update(item, line) for line in cases.lines(item) if line.what != "began"],
                "components": [by_id[view.slug]],
            }
            for view, item in all_incidents(snapshot)
            if item.resolved_at is None and is_outage(item)
        ],
        "scheduled_maintenances": [scheduled(snapshot, one, now, by_id) for one in windows.current(snapshot, now)],
    }


def _update(item: Incident, line: Line) -> dict[str, Any]:
    """One line of a timeline, as Statuspage has it."""
    at = _ms(line.at)
    return {
        "id": f"{item.id}-{line.what}-{line.at}",
        "incident_id": item.id,
        "status": "investigating",
        "body": f"{line.title}: {line.text}" if line.text else line.title,
        "created_at": at,
        "updated_at": at,
        "display_at": at,
        "affected_components": [],
        "deliver_notifications": False,
    }


def _ms(at: int) -> str:
    return rfc3339(at).removesuffix("Z") + ".000Z"


def embed(snapshot: Snapshot, view: ServerView) -> dict[str, Any]:
    """GET /api/embed-status/{slug}. What is not known is null."""
    day = view.windows.get("24h", Tally())
    return {
        "slug": view.slug,
        "status": _LIVE.get(view.state.status, "unknown"),
        "last_probe_at": _when(max((r.checked_at for r in view.state.regions), default=None)),
        "uptime_24h_pct": int(day.uptime * 10_000) / 100 if day.uptime is not None else None,
        "p95_latency_ms_24h": view.lately.p95 if view.lately is not None else None,
        "schema_drift_in_last_24h": any(c.at > snapshot.generated_at - 86400 for c in changes.changes_of(view))
        if view.state.surface.tracks
        else None,
        "status_page_url": server_url(snapshot, view),
    }


def problem(status: int, title: str, detail: str, instance: str) -> dict[str, Any]:
    """application/problem+json (RFC 9457)."""
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "instance": quote(instance)}


def age_header(snapshot: Snapshot, now: int) -> dict[str, str]:
    """`Lookout-Snapshot-Age: <seconds>`, only where the snapshot is stale."""
    return {"lookout-snapshot-age": str(age_s(snapshot, now))} if stale(snapshot, now) else {}
