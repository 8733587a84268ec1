"""A sample notice of every type, about a server nobody has, to see and to try what a sink is sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from lookout.verdict import ids
from lookout.verdict.case import Incident, Notice
from lookout.verdict.state import Failure, Quorum, RegionView

SLUG: Final = "sample-server"
_URL: Final = "https://mcp.example.com/mcp"
_REGIONS: Final = ("eu-west-1", "us-west-2", "ap-southeast-1")
_DOWN: Final = Failure("http", "http_5xx", "502 Bad Gateway", 502, "modern", "2026-07-28")
_LASTED_S: Final = 842

TYPES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "incident.opened": ("availability", "down", "up", "critical"),
    "incident.updated": ("availability", "down", "down", "critical"),
    "incident.reminder": ("availability", "down", "up", "critical"),
    "incident.resolved": ("availability", "up", "down", "info"),
    "drift.detected": ("", "up", "up", "high"),
    "latency.degraded": ("latency", "degraded", "up", "warning"),
    "tls.expiring": ("certificate", "up", "up", "warning"),
    "credential.expiring": ("credential", "up", "up", "warning"),
    "slo.burn": ("slo", "degraded", "up", "high"),
    "region.stale": ("region", "unknown", "up", "warning"),
    "maintenance.started": ("", "maintenance", "up", "info"),
    "maintenance.ended": ("", "up", "maintenance", "info"),
    "digest": ("mass", "down", "up", "critical"),
    "digest.quiet": ("", "unknown", "unknown", "warning"),
    "digest.daily": ("", "unknown", "unknown", "info"),
    "digest.weekly": ("", "unknown", "unknown", "info"),
    "test": ("", "up", "up", "info"),
}
"""Each type: the kind of incident it is about (empty: none), status, status before, severity.

Those that begin with `digest.` are notices of the type digest that sum up.
"""


def sample(notice_type: str, now: int, *, public: bool = True) -> Notice:
    """One notice of a type of TYPES, as of `now` (unix s). Without `public` it has no links, which would lead nowhere.

    The incident of a kind is always the same, so that a sample of its end closes what one of its beginning opened.
    """
    kind, status, previous, severity = TYPES[notice_type]
    began = now - now % 60 - _LASTED_S
    key = f"inc_{ids.ulid(0, SLUG, kind or notice_type)}"
    failure = _DOWN if kind == "availability" else Failure()
    made = Notice(
        id=f"evt_{ids.ulid(now, SLUG, notice_type)}",
        type="digest" if notice_type.startswith("digest.") else notice_type,
        created_at=now,
        slug=SLUG,
        status=status,
        previous_status=previous,
        previous_since=began - 23 * 86_400,
        severity=severity,
        dedup_key=key,
        sequence=now,
        server={
            "slug": SLUG,
            "name": "Sample Server",
            "url": _URL,
            "visibility": "public" if public else "private",
            "tags": ["sample"],
        },
        failure=failure,
        quorum=Quorum(3, 3 if status == "down" else 0, 0, "2-of-3", 3 if status == "down" else 0),
        regions=tuple(_view(region, status, now) for region in _REGIONS),
        incident=_incident(key, kind, status, began, failure, public=public) if kind else None,
    )
    return _summing_up(made, notice_type) if notice_type.startswith("digest.") else _particular(made, began)


def _particular(notice: Notice, began: int) -> Notice:
    """What some types have beside the others."""
    if notice.type == "incident.resolved" and notice.incident is not None:
        over = replace(notice.incident, resolved_at=began + _LASTED_S, resolution="recovered")
        return replace(notice, incident=over, sequence=1 << 40)
    if notice.type == "drift.detected":
        return replace(notice, drift=_DRIFT)
    if notice.type == "slo.burn":
        return replace(notice, slo=_BURNING, sequence=0)
    if notice.type == "region.stale":
        region = _REGIONS[0]
        server = {**notice.server, "slug": f"region:{region}", "name": f"Probing region {region}", "url": None}
        alone = (RegionView(region, "unknown", began - 60),)
        return replace(
            notice, slug=f"region:{region}", server=server, regions=alone, quorum=Quorum(3, 0, 1, "silent", 0)
        )
    if notice.type == "digest":
        server = {**notice.server, "slug": "digest:site", "name": "12 servers", "url": None}
        return replace(notice, slug="digest:site", server=server, digest=_digest(began), regions=(), sequence=0)
    if notice.type.startswith("maintenance."):
        server = {**notice.server, "slug": "maintenance:sample", "name": "Maintenance of 3 servers", "url": None}
        planned = {**_PLANNED, "begins_at": began, "ends_at": began + 3600}
        return replace(notice, slug="maintenance:sample", server=server, maintenance=planned, regions=())
    return notice


def _summing_up(notice: Notice, name: str) -> Notice:
    """A digest of what was."""
    now, slug = notice.created_at, name.replace(".", ":")
    title, report = _SUMMED[name](now)
    server = {**notice.server, "slug": slug, "name": title, "url": None}
    return replace(notice, slug=slug, server=server, regions=(), report=report, sequence=0)


def _quiet_hours(now: int) -> tuple[str, dict[str, Any]]:
    return "Quiet hours", {**_QUIET, "begins_at": now - 9 * 3600, "ends_at": now, "members": _waited(now)}


def _day(now: int) -> tuple[str, dict[str, Any]]:
    end = now // 3600 * 3600
    return "The last day", {**_PERIOD, "kind": "daily", "begins_at": end - 86_400, "ends_at": end}


def _week(now: int) -> tuple[str, dict[str, Any]]:
    end = now // 3600 * 3600
    return "The last week", {**_PERIOD, "kind": "weekly", "begins_at": end - 7 * 86_400, "ends_at": end}


_SUMMED: Final = {"digest.quiet": _quiet_hours, "digest.daily": _day, "digest.weekly": _week}


def _waited(now: int) -> list[dict[str, Any]]:
    told = {"slug": SLUG, "name": "Sample Server", "severity": "warning", "status": "up", "notices": 2}
    slow = {"type": "incident.resolved", "kind": "latency", "open": False, "since": now - 9000, "until": now - 7000}
    ends = {"type": "tls.expiring", "kind": "certificate", "open": True, "since": now - 8000, "until": None}
    return [{**told, **ends, "notices": 1}, {**told, **slow}]


def _view(region: str, status: str, now: int) -> RegionView:
    if status == "down":
        return RegionView(region, status, now - 5, 312, _DOWN.layer, _DOWN.reason, _DOWN.message)
    return RegionView(region, status, now - 5, 180)


def _incident(key: str, kind: str, status: str, began: int, failure: Failure, *, public: bool) -> Incident:
    return Incident(
        id=key,
        slug=SLUG,
        started_at=began,
        opened_at=began + 120,
        status=status,
        public=public,
        title="Sample Server",
        failure=failure,
        regions=_REGIONS,
        regions_total=len(_REGIONS),
        kind=kind,
        evidence=failure,
    )


_PLANNED: Final[Mapping[str, Any]] = {
    "window": "sample",
    "servers": [f"{SLUG}-{n}" for n in range(1, 4)],
    "more": 0,
    "uptime": "exclude",
    "reason": "New disks",
}
_BURNING: Final[Mapping[str, Any]] = {
    "objective": "99.9%",
    "window": "6h",
    "severity": "page",
    "burn_rate": 7.2,
    "threshold": 6.0,
    "short_window_seconds": 1800,
    "short_burn_rate": 12.0,
    "budget_remaining": 0.41,
}
_DRIFT: Final[Mapping[str, Any]] = {
    "class": "breaking",
    "added": ["find"],
    "removed": ["fetch"],
    "changed": [
        {
            "tool": "search",
            "changes": [
                {"path": "/inputSchema/required", "kind": "required_added", "class": "breaking", "detail": "q"}
            ],
        }
    ],
    "old_hash": "sha256:" + "0" * 64,
    "new_hash": "sha256:" + "1" * 64,
    "unstable": False,
    "regions": list(_REGIONS[:2]),
}


_QUIET: Final[Mapping[str, Any]] = {"kind": "quiet", "notices": 3, "open": 1, "more": 0}


def _summed(number: int, **more: Any) -> dict[str, Any]:
    told = {"slug": f"{SLUG}-{number}", "name": f"Sample Server {number}", "status": "up", "uptime": 1.0}
    return {**told, "coverage": 1.0, "outages": 0, "downtime_seconds": 0, "incidents": 0, "open": [], **more}


_PERIOD: Final[Mapping[str, Any]] = {
    "servers": 3,
    "fine": 1,
    "uptime": 0.997,
    "coverage": 0.999,
    "outages": 2,
    "downtime_seconds": _LASTED_S,
    "incidents": 1,
    "open": 1,
    "members": [
        _summed(1, uptime=0.991, outages=2, downtime_seconds=_LASTED_S),
        _summed(2, coverage=0.997, incidents=1, open=["certificate"]),
        _summed(3),
    ],
    "more": 0,
}


def _digest(began: int) -> Mapping[str, Any]:
    member = {"status": "down", "reason": _DOWN.reason, "since": began, "until": None}
    members = [{"slug": f"{SLUG}-{n}", "name": f"Sample Server {n}", **member} for n in range(1, 13)]
    return {"scope": "site", "servers": 12, "failing": 12, "new": 12, "members": members, "more": 0}
