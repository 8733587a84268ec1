"""A snapshot with every status in it, built in code: what the pages of a busy site look like."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lookout.history.uptime import Tally, total
from lookout.probe.result import Status
from lookout.status.view import Day, Planned, ServerView, Snapshot
from lookout.surface.confirm import Memory, Track
from lookout.verdict.case import Entry, Incident
from lookout.verdict.ids import incident_id
from lookout.verdict.state import Failure, RegionView, ServerState

NOW = 1_787_409_247
"""2026-08-22 14:34:07 UTC."""
MINUTE = NOW // 60 * 60
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE_URL = "https://status.acme.dev"


def regions(
    status: str, latencies: tuple[int, ...], layer: str | None = None, reason: str | None = None, message: str = ""
) -> tuple[RegionView, ...]:
    return tuple(
        RegionView(region, status, MINUTE - 50 + 3 * i, latency, layer, reason, message)
        for i, (region, latency) in enumerate(zip(REGIONS, latencies, strict=True))
    )


def days(bad: dict[int, Tally] | None = None, known: int = 90) -> tuple[Day, ...]:
    """`bad` by days ago; days further back than `known` hold no data."""
    today = datetime.fromtimestamp(NOW, UTC).date()
    rounds_today = NOW % 86400 // 60
    out = []
    for back in range(89, -1, -1):
        tally = Tally(ok=1440 if back else rounds_today) if back < known else Tally()
        out.append(Day((today - timedelta(days=back)).isoformat(), (bad or {}).get(back, tally)))
    return tuple(out)


def windows(of: tuple[Day, ...], day: Tally | None = None) -> dict[str, Tally]:
    sums = {name: total(d.tally for d in of[-count:]) for name, count in (("7d", 7), ("30d", 30), ("90d", 90))}
    return {"24h": day if day is not None else Tally(ok=1440 if of[-2].tally.due else of[-1].tally.ok), **sums}


def incident(slug: str, title: str, started: int, lasted: int | None, **changes: object) -> Incident:
    base = Incident(
        id=incident_id(slug, "availability", started + 120),
        slug=slug,
        started_at=started,
        opened_at=started + 120,
        status="down",
        public=True,
        title=title,
        resolved_at=None if lasted is None else started + lasted,
        resolution=None if lasted is None else "recovered",
        failure=Failure("http", "http_5xx", "HTTP 502 from origin", 502, "legacy", "2025-06-18"),
        regions=REGIONS,
        regions_total=3,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # keywords of the dataclass


def view(slug: str, title: str, state: ServerState, of: tuple[Day, ...], **more: object) -> ServerView:
    base = ServerView(slug, title, f"https://{slug}.acme.dev/mcp", ("prod",), state, windows(of), of, ())
    return replace(base, **more)  # type: ignore[arg-type]  # keywords of the dataclass


def snapshot() -> Snapshot:
    """Up, degraded, down, sign-in, rejected, unknown, pending, paused, and a name that is much too long."""
    d = 86400
    spoke = {
        "era": "legacy",
        "protocol_version": "2025-06-18",
        "transport": "streamable-http",
        "server_name": "acme-search",
        "server_version": "2.4.1",
        "tools_count": 12,
        "tools_hash": "9f86d081884c7d65" * 4,
        "surface": Memory({r: (Track("legacy/2025-06-18/", "9f86d081884c7d65" * 2),) for r in REGIONS}),
        "drifts": {"risky": 2},
        "tls_not_after": NOW + 61 * d,
        "credential_expires": NOW + 40 * d,
        "findings": ("eRPC-ID-RESULT", "wTOOL-NAME", "wGONE-SINCE"),
        "last_round": MINUTE,
    }
    search_days = days({17: Tally(ok=1426, fail=14), 18: Tally(ok=1440, degraded=30), 44: Tally(ok=700, unknown=740)})
    search = view(
        "acme-search",
        "Acme Search",
        ServerState(
            "acme-search", Status.UP, NOW - 17 * d, Status.DOWN, regions=regions("up", (212, 143, 388)), **spoke
        ),
        search_days,
        incidents=(incident("acme-search", "Acme Search", MINUTE - 17 * d, 842),),
    )
    down_days = days({0: Tally(ok=850, fail=24), 3: Tally(ok=1200, fail=240), 60: Tally(ok=1400, fail=40)})
    open_incident = incident("acme-files", "Acme Files", MINUTE - 24 * 60, None)
    past = incident("acme-files", "Acme Files", MINUTE - 3 * d, 4 * 3600, regions=REGIONS[:2])
    files = view(
        "acme-files",
        "Acme Files",
        ServerState(
            "acme-files",
            Status.DOWN,
            MINUTE - 24 * 60,
            Status.UP,
            fail_rounds=24,
            incidents={"availability": open_incident.id},
            regions=regions("down", (312, 297, 641), "http", "http_5xx", "HTTP 502 from origin"),
            failure=open_incident.failure,
            **spoke,
        ),
        down_days,
        windows=windows(down_days, Tally(ok=1416, fail=24)),
        incidents=(open_incident, past),
    )
    slow = list(regions("up", (480, 391, 720)))
    slow[2] = replace(slow[2], status="degraded", latency_ms=6840, layer="mcp", reason="slow")
    billing_days = days({0: Tally(ok=874, degraded=31), 9: Tally(ok=1380, fail=20, unknown=40)})
    billing = view(
        "acme-billing",
        "Acme Billing",
        ServerState(
            "acme-billing",
            Status.DEGRADED,
            NOW - 1900,
            Status.UP,
            regions=tuple(slow),
            **{**spoke, "era": "modern", "protocol_version": "2026-07-28", "tools_count": 5, "server_name": "billing"},
        ),
        billing_days,
    )
    crm = view(
        "partner-crm",
        "Partner CRM",
        ServerState(
            "partner-crm",
            Status.AUTH_REQUIRED,
            NOW - 41 * d,
            Status.PENDING,
            regions=regions("auth_required", (98, 121, 240), "http", "auth_required"),
            last_round=MINUTE,
        ),
        days(known=41),
        url="https://user:pass@crm.partner.example/v1/mcp?api_key=never-shown",
    )
    blind_days = days({0: Tally(ok=820, unknown=54), 5: Tally(ok=600, unknown=840)})
    blind = view(
        "weather",
        "Weather",
        ServerState(
            "weather",
            Status.UNKNOWN,
            NOW - 3300,
            Status.UP,
            regions=regions("unknown", (80, 77, 91), "http", "rate_limited"),
            **spoke,
        ),
        blind_days,
        windows=windows(blind_days, Tally(ok=1386, unknown=54)),
    )
    fresh = view(
        "newcomer",
        "A newly added server whose owner chose a very long name indeed, longer than anyone would put on a door "
        "ReallyLongWordWithoutAnySpacesInItAtAllToBreakLayouts",
        ServerState("newcomer", Status.PENDING, NOW - 60),
        days(known=0),
        url="https://a-very-long-host-name.with-many-labels.example-of-a-long-domain.dev/services/model-context/mcp",
    )
    return Snapshot(
        site_name="Acme MCP status",
        site_url=SITE_URL,
        generated_at=NOW,
        regions=dict.fromkeys(REGIONS, MINUTE),
        servers=(search, files, billing, crm, blind, fresh),
        version="0.1.0",
    )


def calm() -> Snapshot:
    """Everything up: the page most people see."""
    full = snapshot()
    ok = full.server("acme-search")
    assert ok is not None
    names = {"acme-search": "Acme Search", "acme-files": "Acme Files", "acme-billing": "Acme Billing"}
    return replace(
        full,
        servers=tuple(
            replace(ok, slug=slug, title=title, url=f"https://{slug}.acme.dev/mcp", incidents=())
            for slug, title in names.items()
        ),
    )


def warned() -> Snapshot:
    """An acknowledged, flapping outage with notes, and a warning of every kind, open and over."""
    full = snapshot()
    search, files, billing, crm, weather, _ = full.servers
    day, week = 86400, 7 * 86400

    def warning(of: ServerView, kind: str, began: int, lasted: int | None, **more: object) -> Incident:
        made = incident(of.slug, of.title, began, lasted, kind=kind, failure=Failure(), regions=(), status="up")
        return replace(made, id=incident_id(of.slug, kind, began), **more)  # type: ignore[arg-type]  # its keywords

    outage = files.incidents[0]
    first = Failure("tcp", "connection_refused", "Connection refused", None, "legacy", "2025-06-18")
    told = (
        Entry(outage.opened_at, "opened", "down: connection_refused in us-west-2, eu-west-1"),
        Entry(outage.opened_at + 240, "flapping", "down: http_5xx in us-west-2, eu-west-1, ap-southeast-1"),
        Entry(outage.opened_at + 391, "acknowledged", "Looking at the release of this afternoon."),
        Entry(outage.opened_at + 960, "updated", "down: http_5xx in us-west-2, eu-west-1, ap-southeast-1"),
        Entry(
            outage.opened_at + 1130, "note", "Rolled back. Two of three pools answer again; the third is being drained."
        ),
    )
    outage = replace(outage, evidence=first, flapping=True, timeline=told)
    past = files.incidents[1]
    past = past.noting(past.opened_at, "opened", "down: http_5xx in us-west-2, eu-west-1")
    past = past.noting(past.started_at + 4 * 3600 + 60, "resolved", "recovered")
    past = past.noting(past.started_at + day, "note", "A full disk. It is watched now, and ten times as large.")
    ends = Failure("tls", None, "the certificate ends 2026-08-28 23:59 UTC")
    certificate = warning(search, "certificate", MINUTE - week, None, opened_at=MINUTE - week, stage=week, failure=ends)
    slow = Failure(None, "slow", "6840 ms; its usual 95th percentile is 724 ms")
    latency = warning(billing, "latency", MINUTE - 1900 // 60 * 60, None, failure=slow, status="degraded")
    lost = Failure("tcp", "connect_timeout", "", None)
    regional = warning(billing, "regional", MINUTE - 9 * day, 1260, failure=lost, regions=REGIONS[2:], regions_total=3)
    gone = Failure("tls", None, "the certificate ends 2026-08-25 23:59 UTC")
    second = warning(crm, "certificate", MINUTE - 3600, None, stage=week, failure=gone)
    drift = warning(crm, "drift", MINUTE - 5 * day, 1831, resolution="accepted")
    drift = drift.noting(drift.opened_at, "opened", "breaking change").noting(drift.started_at + 1831, "acknowledged")
    limited = Failure("http", "rate_limited", "Too Many Requests", 429)
    blind = warning(weather, "limited", MINUTE - 3240, None, failure=limited, regions=REGIONS, regions_total=3)
    shown = {
        search.slug: (certificate, *search.incidents),
        files.slug: (outage, past),
        billing.slug: (latency, regional),
        crm.slug: (second, drift),
        weather.slug: (blind,),
    }
    return replace(full, servers=tuple(replace(v, incidents=shown.get(v.slug, v.incidents)) for v in full.servers))


def maintained() -> Snapshot:
    """A server in maintenance until after the next window, which touches this one; and others that are to come."""
    full = snapshot()
    search, files, *others = full.servers
    state = replace(files.state, status=Status.MAINTENANCE, since=MINUTE - 600, failure=None, incidents={})
    files = replace(files, state=state, incidents=files.incidents[1:])
    hour, day, week = 3600, 86400, 7 * 86400
    planned = (
        Planned("mnt_over", MINUTE - week, MINUTE - day, MINUTE - day + hour, ("acme-search",), reason="Over"),
        Planned("mnt_now", MINUTE - day, MINUTE - 600, MINUTE + hour, ("acme-files",), reason="New <disks> `rm`"),
        Planned("mnt_next", MINUTE - week, MINUTE + hour, MINUTE + 2 * hour, ("acme-files",), uptime="count_up"),
        Planned(
            "mnt_all",
            MINUTE - 3 * day,
            MINUTE + day,
            MINUTE + day + 1800,
            tuple(view.slug for view in full.servers),
            everybody=True,
            reason="A reason that is as long as a person cares to write, of things that are done at night " * 2,
            uptime="count_as_is",
        ),
        Planned(
            "mnt_some",
            MINUTE - hour,
            MINUTE + 6 * day,
            MINUTE + 6 * day + hour,
            tuple(v.slug for v in full.servers[:5]),
        ),
    )
    return replace(full, servers=(search, files, *others), maintenance=planned)
