"""The `lookout/v1` webhook body. Pure. `server_slug`, `probe_result`, `previous_status`, `timestamp`, always."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lookout import __version__
from lookout.regions import city
from lookout.verdict.state import Incident, Notice


def rfc3339(at: int) -> str:
    """Unix seconds -> `2026-08-22T14:34:07Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def links(notice: Notice, site_url: str) -> dict[str, str | None]:
    """Where a person reads on. A private server has no public page, and its links are null; a region has the index."""
    if notice.type == "region.stale":
        return {"status_page": f"{site_url}/", "incident": None}
    if notice.server.get("visibility") != "public":
        return {"status_page": None, "incident": None}
    return {
        "status_page": f"{site_url}/status/{notice.slug}/",
        "incident": f"{site_url}/incidents/{notice.incident.id}/" if notice.incident is not None else None,
    }


def _incident(incident: Incident | None) -> dict[str, Any]:
    """The same keys also where the notice is about no incident."""
    if incident is None:
        return dict.fromkeys(("id", "started_at", "resolved_at", "duration_seconds"))
    resolved = incident.resolved_at
    return {
        "id": incident.id,
        "started_at": rfc3339(incident.started_at),
        "resolved_at": rfc3339(resolved) if resolved is not None else None,
        "duration_seconds": resolved - incident.started_at if resolved is not None else None,
    }


def payload(notice: Notice, site_url: str) -> dict[str, Any]:
    """The body as a JSON object, keys in the documented order."""
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
            "layer": failure.layer,
            "reason": failure.reason,
            "message": failure.message,
            "http_status": failure.http_status,
            "era": failure.era,
            "protocol_version": failure.protocol_version,
        },
        "quorum": {
            "regions_total": notice.quorum.regions_total,
            "regions_failing": notice.quorum.regions_failing,
            "regions_unknown": notice.quorum.regions_unknown,
            "rule": notice.quorum.rule,
            "consecutive_rounds": notice.quorum.consecutive_rounds,
        },
        "regions": [
            {
                "region": view.region,
                "city": city(view.region),
                "status": view.status,
                "latency_ms": view.latency_ms,
                "reason": view.reason,
                "checked_at": rfc3339(view.checked_at),
            }
            for view in notice.regions
        ],
        "incident": _incident(notice.incident),
        "drift": dict(notice.drift) if notice.drift is not None else None,
        "links": links(notice, site_url),
        "monitor": {"name": "lookout", "version": __version__, "kind": "external"},
    }
