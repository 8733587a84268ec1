"""Maintenance as JSON: in the API's own form, and in Statuspage's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lookout.status import maintenance as windows
from lookout.status.text import clean, rfc3339
from lookout.status.view import Planned, Snapshot


def planned(snapshot: Snapshot, one: Planned, now: int) -> dict[str, Any]:
    """One time of a maintenance window."""
    return {
        "id": one.id,
        "state": windows.state(one, now),
        "title": f"Maintenance of {windows.whom(snapshot, one)}",
        "begins_at": rfc3339(one.begin),
        "ends_at": rfc3339(one.end),
        "servers": list(one.servers),
        "reason": clean(one.reason, 200) or None,
        "uptime": one.uptime,
    }


def scheduled(snapshot: Snapshot, one: Planned, now: int, components: Mapping[str, Any]) -> dict[str, Any]:
    """A maintenance as Statuspage has it: an incident with times set beforehand."""
    state, announced = windows.state(one, now), _milliseconds(one.announced)
    began = _milliseconds(one.begin) if state == "in_progress" else None
    updates = [("scheduled", announced), *([("in_progress", began)] if began else [])]
    body = clean(one.reason, 200) or f"Maintenance of {windows.whom(snapshot, one)}"
    return {
        "id": one.id,
        "name": f"Maintenance of {windows.whom(snapshot, one)}",
        "status": state,
        "impact": "maintenance",
        "created_at": announced,
        "updated_at": began or announced,
        "monitoring_at": None,
        "resolved_at": None,
        "started_at": _milliseconds(one.begin),
        "scheduled_for": _milliseconds(one.begin),
        "scheduled_until": _milliseconds(one.end),
        "shortlink": f"{snapshot.site_url}/#maintenance",
        "page_id": "lookout",
        "incident_updates": [
            {
                "id": f"{one.id}-{word}",
                "incident_id": one.id,
                "status": word,
                "body": body,
                "created_at": at,
                "updated_at": at,
                "display_at": at,
                "affected_components": [],
                "deliver_notifications": False,
            }
            for word, at in reversed(updates)
        ],
        "components": [components[slug] for slug in one.servers if slug in components],
    }


def _milliseconds(at: int) -> str:
    """As Statuspage writes times."""
    return rfc3339(at).replace("Z", ".000Z")
