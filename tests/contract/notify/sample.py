"""Notices to render: the incident of SHAPES 1 and 2, and one made by somebody who means ill."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lookout.verdict.case import Incident, Notice
from lookout.verdict.state import Failure, Quorum, RegionView

SITE = "https://status.acme.dev"
STARTED = 1_787_409_120  # 2026-08-22T14:32:00Z
OPENED = STARTED + 127
REGIONS = (
    RegionView("eu-west-1", "down", OPENED - 5, 312, "jsonrpc", "initialize_error", "HTTP 502 from origin"),
    RegionView("us-west-2", "down", OPENED - 5, 298, "jsonrpc", "initialize_error", "HTTP 502 from origin"),
    RegionView("ap-southeast-1", "down", OPENED - 4, None, "tcp", "connect_timeout", "no answer"),
)
FAILURE = Failure("jsonrpc", "initialize_error", "HTTP 502 from origin", 502, "legacy", "2025-06-18")
INCIDENT = Incident(
    "inc_01J00000000000000000000000",
    "acme-search",
    STARTED,
    OPENED,
    "down",
    public=True,
    title="Acme Search",
    failure=FAILURE,
    regions=("eu-west-1", "us-west-2", "ap-southeast-1"),
    regions_total=3,
)
OPEN = Notice(
    id="evt_01J00000000000000000000000",
    type="incident.opened",
    created_at=OPENED,
    slug="acme-search",
    status="down",
    previous_status="up",
    previous_since=STARTED - 23 * 86_400,
    severity="critical",
    dedup_key=INCIDENT.id,
    sequence=0,
    server={
        "slug": "acme-search",
        "name": "Acme Search",
        "url": "https://mcp.acme.dev/mcp",
        "visibility": "public",
        "tags": ["prod"],
    },
    failure=FAILURE,
    quorum=Quorum(3, 3, 0, "2-of-3", 3),
    regions=REGIONS,
    incident=INCIDENT,
    sinks=("hook", "oncall"),
)
RESOLVED = replace(
    OPEN,
    id="evt_01J00000000000000000000001",
    type="incident.resolved",
    created_at=STARTED + 900,
    status="up",
    previous_status="down",
    previous_since=STARTED,
    severity="info",
    sequence=1 << 40,
    quorum=Quorum(3, 0, 0, "2-of-3", 2),
    regions=tuple(replace(view, status="up", reason=None, message="", latency_ms=200) for view in REGIONS),
    incident=replace(INCIDENT, resolved_at=STARTED + 842, resolution="recovered"),
)
UNTOLD = replace(RESOLVED, opening_undelivered=True)
UPDATED = replace(OPEN, type="incident.updated", status="credential_rejected", previous_status="down", severity="high")
REMOVED = replace(RESOLVED, status="unknown", incident=replace(RESOLVED.incident, resolution="removed"))
PRIVATE = replace(OPEN, server={**OPEN.server, "visibility": "private"})
TEST = replace(OPEN, type="test", status="up", severity="info")
EVIL = (
    "<!channel> & `*_~\x00\x1b[31m\u202e\ud800\n<https://evil.example|click> @everyone @here <@1> <@&2> <users/all> "
    "<script>alert('1')</script> <a href=\"https://evil.example\">x</a> [click](https://evil.example) ||s|| ```c``` "
    "# h > q \\ \r\nBcc: all@evil.example\r\n\r\n {server.url} https://evil.example /stop #tag .x! +-= {} "
) * 200
"""Markup, mentions, links and commands of every medium, a header's end, a terminal's escape, half a character."""
HOSTILE = replace(
    OPEN,
    server={**OPEN.server, "name": EVIL[:100], "url": "https://mcp.acme.dev/" + "`<&>" * 480, "tags": ["x"] * 20},
    failure=replace(FAILURE, message=EVIL, reason=EVIL, layer=EVIL),
    regions=tuple(replace(REGIONS[0], region=f"xx-{'y' * 100}-{i}", message=EVIL) for i in range(20)),
    quorum=Quorum(20, 20, 0, EVIL, 10**9),
)
DRIFT = replace(
    OPEN,
    id="evt_01J00000000000000000000002",
    type="drift.detected",
    status="up",
    previous_status="pending",
    severity="high",
    dedup_key="chg_01J00000000000000000000000",
    failure=Failure(),
    quorum=Quorum(3, 0, 0, "2-of-3", 0),
    incident=None,
    drift={
        "class": "breaking",
        "added": ["find"],
        "removed": [f"tool-{n}" for n in range(12)],
        "changed": [
            {
                "tool": "search",
                "changes": [
                    {"path": "/inputSchema/required", "kind": "required_added", "class": "breaking", "detail": "q"},
                    {"path": "/description", "kind": "description_changed", "class": "risky"},
                ],
            }
        ],
        "old_hash": "sha256:" + "a" * 64,
        "new_hash": "sha256:" + "b" * 64,
        "unstable": False,
        "regions": ["eu-west-1", "us-west-2"],
    },
)
UNSTABLE = replace(
    DRIFT,
    drift={**(DRIFT.drift or {}), "class": "unknown", "unstable": True, "added": [], "removed": [], "changed": []},
)
HOSTILE_DRIFT = replace(
    DRIFT,
    server=HOSTILE.server,
    drift={
        **(DRIFT.drift or {}),
        "added": [f"{EVIL[:119]}…"] * 40,
        "removed": ["&" * 120] * 40,
        "changed": [
            {"tool": EVIL[:120], "changes": [{"path": EVIL[:200], "kind": "enum_value_removed", "class": "breaking"}]}
        ]
        * 50,
        "more": 10**6,
        "regions": [f"xx-{'y' * 100}-{i}" for i in range(20)],
    },
)
STALE = replace(
    OPEN,
    id="evt_01J00000000000000000000003",
    type="region.stale",
    created_at=STARTED + 600,
    slug="region:eu-west-1",
    status="unknown",
    previous_status="up",
    previous_since=0,
    severity="warning",
    dedup_key="reg_01J00000000000000000000000",
    server={
        "slug": "region:eu-west-1",
        "name": "Probing region Dublin (eu-west-1)",
        "url": None,
        "visibility": "public",
        "tags": [],
    },
    failure=Failure(),
    quorum=Quorum(3, 0, 1, "silent-10m", 0),
    regions=(RegionView("eu-west-1", "unknown", STARTED - 53),),
    incident=Incident(
        "reg_01J00000000000000000000000",
        "region:eu-west-1",
        STARTED,
        STARTED + 600,
        "unknown",
        public=False,
        title="Dublin (eu-west-1)",
        kind="region",
    ),
)
BACK = replace(
    STALE,
    id="evt_01J00000000000000000000004",
    created_at=STARTED + 842,
    status="up",
    previous_status="unknown",
    severity="info",
    sequence=1 << 40,
    quorum=Quorum(3, 0, 0, "silent-10m", 0),
    regions=(RegionView("eu-west-1", "up", STARTED + 842),),
    incident=replace(STALE.incident, resolved_at=STARTED + 842, resolution="reports again"),
)
GONE = replace(BACK, incident=replace(BACK.incident, resolution="removed"))


def of_kind(kind: str, notice_type: str, status: str, severity: str = "warning", reason: str | None = None) -> Notice:
    """An open incident of one kind, as its first notice tells it."""
    failure = Failure(reason=reason, message="what the server said" if reason else "")
    incident = replace(INCIDENT, id=f"inc_{kind:0<26}", kind=kind, status=status, failure=failure, evidence=None)
    return replace(
        OPEN,
        id=f"evt_{notice_type:0<26}",
        type=notice_type,
        status=status,
        previous_status="up",
        severity=severity,
        dedup_key=incident.id,
        failure=failure,
        quorum=Quorum(3, 0, 0, "2-of-3", 0),
        incident=incident,
    )


def ended(notice: Notice) -> Notice:
    """The end of that incident."""
    assert notice.incident is not None
    over = replace(notice.incident, resolved_at=STARTED + 842, resolution="recovered")
    return replace(RESOLVED, dedup_key=over.id, incident=over)


def of_nothing(notice_type: str, severity: str = "info", slug: str = "acme-search") -> Notice:
    """News: nothing will ever resolve it."""
    made = replace(OPEN, id=f"evt_{notice_type:0<26}", type=notice_type, status="up", severity=severity)
    server = {**OPEN.server, "slug": slug}
    return replace(made, dedup_key=made.id, slug=slug, server=server, failure=Failure(), incident=None)


REGIONAL = of_kind("regional", "incident.opened", "degraded", reason="connect_timeout")
SLOW = of_kind("latency", "latency.degraded", "degraded", reason="slow")
LIMITED = of_kind("limited", "incident.opened", "unknown", reason="rate_limited")
CERTIFICATE = of_kind("certificate", "tls.expiring", "up", "high")
CREDENTIAL = of_kind("credential", "credential.expiring", "up")
STRANGE = of_kind("weather", "incident.opened", "degraded")
FLAPPING = replace(UPDATED, status="down", incident=replace(INCIDENT, flapping=True))
REMINDER = replace(OPEN, id="evt_01J00000000000000000000009", type="incident.reminder", sequence=9)
ESCALATED = replace(REMINDER, id="evt_escalated", escalation={"after_s": 5400})
ACKNOWLEDGED = replace(UPDATED, status="down", incident=INCIDENT.noting(OPENED + 60, "acknowledged", by="ann"))
HOSTILE_ACKNOWLEDGED = replace(
    HOSTILE, type="incident.updated", severity="info", incident=INCIDENT.noting(OPENED, "acknowledged", EVIL, by=EVIL)
)
QUIETLY = replace(
    ACKNOWLEDGED, incident=INCIDENT.noting(OPENED, "acknowledged", "the key leaked", by="ann", public=False)
)
BURN = replace(
    of_kind("slo", "slo.burn", "up", "high"),
    sequence=0,
    slo={
        "objective": "99.9%",
        "window": "6h",
        "severity": "page",
        "burn_rate": 7.2,
        "threshold": 6.0,
        "short_window_seconds": 1800,
        "short_burn_rate": 12.0,
        "budget_remaining": 0.41,
    },
)
BURN_FASTER = replace(BURN, sequence=STARTED + 60)
BURN_OVER = replace(
    ended(BURN), type="slo.burn", slo={**(BURN.slo or {}), "burn_rate": None, "budget_remaining": -0.125}
)


def _member(name: str, until: int | None = None) -> dict[str, Any]:
    status = "down" if until is None else "up"
    reason = "http_5xx"
    return {"slug": "x", "name": name, "status": status, "reason": reason, "since": STARTED, "until": until}


def waited(name: str, until: int | None, **more: Any) -> dict[str, Any]:
    """Of what waited for the end of quiet hours, one incident."""
    told = {"slug": "x", "name": name, "type": "latency.degraded", "kind": "latency", "severity": "warning"}
    return {**told, "status": "up", "notices": 1, "open": until is None, "since": STARTED, "until": until, **more}


def summed(name: str, **more: Any) -> dict[str, Any]:
    """Of the digest of a day or a week, one server; it was up and seen all the time, if `more` says nothing else."""
    told = {"slug": "x", "name": name, "status": "up", "uptime": 1.0, "coverage": 1.0, "outages": 0}
    return {**told, "downtime_seconds": 0, "incidents": 0, "open": [], **more}


DIGEST = replace(
    STALE,
    id="evt_01J00000000000000000000005",
    type="digest",
    created_at=OPENED,
    slug="digest:provider:acme.dev",
    status="down",
    previous_status="up",
    severity="critical",
    dedup_key="mass_01J00000000000000000000000",
    server={**STALE.server, "slug": "digest:provider:acme.dev", "name": "200 servers of acme.dev"},
    failure=Failure("http", "http_5xx", "", 502),
    quorum=Quorum(3, 3, 0, "mass", 0),
    regions=(),
    incident=replace(
        STALE.incident,
        id="mass_01J00000000000000000000000",
        slug="digest:provider:acme.dev",
        status="down",
        kind="mass",
    ),
    digest={
        "scope": "provider:acme.dev",
        "servers": 200,
        "failing": 200,
        "new": 200,
        "members": [_member(f"Acme {n}") for n in range(50)],
        "more": 150,
    },
)
DIGEST_UPDATED = replace(DIGEST, sequence=OPENED + 60, digest={**(DIGEST.digest or {}), "new": 3})
DIGEST_OVER = replace(
    DIGEST,
    id="evt_01J00000000000000000000006",
    status="up",
    previous_status="down",
    severity="info",
    sequence=1 << 40,
    incident=replace(DIGEST.incident, resolved_at=STARTED + 842, resolution="recovered"),
    digest={**(DIGEST.digest or {}), "failing": 0, "new": 0, "members": [_member("Acme 0", STARTED + 800)] * 50},
)
DIGEST_PARTLY_OVER = replace(
    DIGEST_OVER,
    status="degraded",
    incident=replace(DIGEST_OVER.incident, resolution="told alone"),
    digest={
        **(DIGEST_OVER.digest or {}),
        "failing": 3,
        "members": [_member(f"Acme {n}", None if n < 3 else STARTED + 800) for n in range(50)],
    },
)
DIGEST_OF_ONE = replace(
    DIGEST,
    server={**DIGEST.server, "name": "1 server of acme.dev", "visibility": "private"},
    digest={**(DIGEST.digest or {}), "servers": 1, "failing": 1, "new": 1, "members": [_member("Inner")], "more": 0},
)
HOSTILE_DIGEST = replace(
    DIGEST,
    failure=replace(FAILURE, message="", reason=EVIL, layer=EVIL),
    digest={**(DIGEST.digest or {}), "members": [_member(EVIL[:100])] * 50, "more": 10**6, "servers": 10**6},
)
MAINTENANCE = Notice(
    id="evt_01J00000000000000000000010",
    type="maintenance.started",
    created_at=STARTED,
    slug="maintenance:mnt_1",
    status="maintenance",
    previous_status="unknown",
    previous_since=0,
    severity="info",
    dedup_key="mnt_01J00000000000000000000010",
    sequence=0,
    server={
        "slug": "maintenance:mnt_1",
        "name": "Maintenance of 30 servers",
        "url": None,
        "visibility": "public",
        "tags": [],
    },
    failure=Failure(),
    quorum=Quorum(0, 0, 0, "maintenance", 0),
    regions=(),
    incident=None,
    maintenance={
        "window": "mnt_1",
        "begins_at": STARTED,
        "ends_at": STARTED + 3600,
        "servers": [f"server-{i}" for i in range(20)],
        "more": 10,
        "uptime": "count_as_is",
        "reason": "New <disks>",
    },
)
MAINTENANCE_OVER = replace(
    MAINTENANCE,
    id="evt_01J00000000000000000000011",
    type="maintenance.ended",
    status="unknown",
    previous_status="maintenance",
    sequence=1,
)
QUIET = replace(
    MAINTENANCE,
    id="evt_01J00000000000000000000012",
    type="digest",
    created_at=STARTED + 9 * 3600,
    slug="digest:quiet",
    status="unknown",
    severity="warning",
    dedup_key="rep_01J00000000000000000000012",
    server={**MAINTENANCE.server, "slug": "digest:quiet", "name": "Quiet hours"},
    quorum=Quorum(0, 0, 0, "quiet", 0),
    maintenance=None,
    report={
        "kind": "quiet",
        "begins_at": STARTED,
        "ends_at": STARTED + 9 * 3600,
        "notices": 90,
        "open": 60,
        "members": [waited(f"Acme {n}", None) for n in range(45)]
        + [waited(f"Acme {n}", STARTED + 842) for n in range(4)]
        + [waited("Maintenance of 3 servers", None, type="maintenance.ended", kind=None, open=False)],
        "more": 30,
    },
)
QUIET_OF_ONE = replace(
    QUIET,
    severity="info",
    report={
        **(QUIET.report or {}),
        "notices": 1,
        "open": 0,
        "more": 0,
        "members": [waited("Acme Search", None, type="drift.detected", kind=None, open=False)],
    },
)
HOSTILE_QUIET = replace(
    QUIET,
    report={**(QUIET.report or {}), "members": [waited(EVIL[:100], None)] * 25 + [waited(EVIL[:100], STARTED)] * 25},
)
WEEK = replace(
    QUIET,
    id="evt_01J00000000000000000000013",
    slug="digest:weekly",
    severity="info",
    dedup_key="rep_01J00000000000000000000013",
    server={**QUIET.server, "slug": "digest:weekly", "name": "The last week"},
    quorum=Quorum(0, 0, 0, "weekly", 0),
    report={
        "kind": "weekly",
        "begins_at": STARTED - 7 * 86_400,
        "ends_at": STARTED,
        "servers": 80,
        "fine": 60,
        "uptime": 0.99965,
        "coverage": 0.99,
        "outages": 3,
        "downtime_seconds": 2460,
        "incidents": 2,
        "open": 2,
        "members": [
            summed("Acme Search", uptime=0.9931, outages=3, downtime_seconds=2460, incidents=1, open=["availability"]),
            summed("Acme Mail", coverage=0.971, incidents=1, open=["certificate"]),
            summed("Acme New", uptime=None, coverage=None),
            *(summed(f"Acme {n}", coverage=0.99) for n in range(47)),
        ],
        "more": 30,
    },
)
NOTHING: dict[str, Any] = {"outages": 0, "downtime_seconds": 0, "incidents": 0, "open": 0, "more": 0}
QUIET_DAY = replace(
    WEEK,
    slug="digest:daily",
    server={**WEEK.server, "slug": "digest:daily", "name": "The last day"},
    report={
        **(WEEK.report or {}),
        **NOTHING,
        "kind": "daily",
        "begins_at": STARTED - 86_400,
        "servers": 1,
        "fine": 1,
        "uptime": 1.0,
        "coverage": 1.0,
        "members": [summed("Acme")],
    },
)
BLIND_DAY = replace(
    QUIET_DAY,
    report={
        **(QUIET_DAY.report or {}),
        "fine": 0,
        "uptime": None,
        "coverage": None,
        "members": [summed("Acme", uptime=None, coverage=None)],
    },
)
HOSTILE_WEEK = replace(
    WEEK, report={**(WEEK.report or {}), "members": [summed(EVIL[:100], outages=1, open=["availability"])] * 50}
)
UNHEARD = of_nothing("weather.stormy", "warning")
EVERY = {
    "stale": STALE,
    "region back": BACK,
    "region removed": GONE,
    "opened": OPEN,
    "updated": UPDATED,
    "resolved": RESOLVED,
    "removed": REMOVED,
    "resolved, never told": UNTOLD,
    "private": PRIVATE,
    "test": TEST,
    "hostile": HOSTILE,
    "drift": DRIFT,
    "unstable": UNSTABLE,
    "hostile drift": HOSTILE_DRIFT,
    "regional": REGIONAL,
    "regional over": ended(REGIONAL),
    "slow": SLOW,
    "slow over": ended(SLOW),
    "limited": LIMITED,
    "limited over": ended(LIMITED),
    "certificate": CERTIFICATE,
    "certificate over": ended(CERTIFICATE),
    "credential": CREDENTIAL,
    "credential over": ended(CREDENTIAL),
    "strange": STRANGE,
    "strange over": ended(STRANGE),
    "flapping": FLAPPING,
    "reminder": REMINDER,
    "escalated": ESCALATED,
    "acknowledged": ACKNOWLEDGED,
    "hostile acknowledged": HOSTILE_ACKNOWLEDGED,
    "acknowledged in private": QUIETLY,
    "burn": BURN,
    "burn faster": BURN_FASTER,
    "burn over": BURN_OVER,
    "digest": DIGEST,
    "digest updated": DIGEST_UPDATED,
    "digest over": DIGEST_OVER,
    "digest partly over": DIGEST_PARTLY_OVER,
    "digest of one": DIGEST_OF_ONE,
    "hostile digest": HOSTILE_DIGEST,
    "maintenance": MAINTENANCE,
    "maintenance over": MAINTENANCE_OVER,
    "quiet": QUIET,
    "quiet of one": QUIET_OF_ONE,
    "hostile quiet": HOSTILE_QUIET,
    "week": WEEK,
    "quiet day": QUIET_DAY,
    "blind day": BLIND_DAY,
    "hostile week": HOSTILE_WEEK,
    "unheard of": UNHEARD,
    "bare": replace(
        OPEN,
        previous_status="pending",
        previous_since=0,
        failure=Failure(),
        regions=(),
        server={"slug": "acme-search"},
        incident=replace(INCIDENT, failure=Failure(), regions=()),
    ),
}
