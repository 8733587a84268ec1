"""What the page templates draw, worked out beforehand: plain values, cleaned text, no decisions left. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from urllib.parse import quote

from lookout.history.slo import budget_left
from lookout.history.uptime import Tally, percent
from lookout.regions import city
from lookout.status import bars, changes, maintenance, summary
from lookout.status.conformance import Breach, breaches
from lookout.status.incident_card import Chip, IncidentCard, When, chip, incident_card, when
from lookout.status.incidents import cause
from lookout.status.text import clean, day_name, duration, plural, public_url
from lookout.status.view import Day, Planned, ServerView, Snapshot
from lookout.verdict.case import SurfaceChange

WINDOWS = (("24h", "24 hours", 1), ("7d", "7 days", 7), ("30d", "30 days", 30), ("90d", "90 days", 90))


@dataclass(frozen=True, slots=True)
class Window:
    """Uptime and coverage over one window. `level` is the class of its figure.

    `since` names the first day there is data of, where that is later than the window's beginning; else it is empty.
    """

    name: str
    uptime: str | None
    coverage: str | None
    partial: bool
    level: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """One region's last word on one server; `latency` and `checked` are None where it said nothing yet."""

    city: str
    name: str
    chip: Chip
    latency: str | None
    checked: When | None
    why: str
    message: str
    late: bool


@dataclass(frozen=True, slots=True)
class WindowCard:
    """One time of maintenance that runs or is to come; `whom` is empty where the page is one server's."""

    id: str
    whom: str
    running: bool
    begin: When
    end: When
    lasts: str
    reason: str
    counts: str


@dataclass(frozen=True, slots=True)
class ChangeCard:
    """One change of what a server offers. `groups` are what was removed, changed and added."""

    id: str
    chip: Chip
    unstable: bool
    at: When
    cities: tuple[str, ...]
    groups: tuple[changes.Group, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Row:
    """One server, for the list and for its own page."""

    slug: str
    href: str
    title: str
    url: str
    tags: tuple[str, ...]
    chip: Chip
    since: When | None
    windows: tuple[Window, ...]
    bars: tuple[bars.Bar, ...]
    bars_words: str
    first_day: str
    regions: tuple[Region, ...]
    speaks: str
    facts: tuple[tuple[str, str], ...]
    failure: str
    incidents: tuple[IncidentCard, ...]
    warnings: tuple[IncidentCard, ...]
    days: tuple[tuple[str, str, str], ...]
    changes: tuple[ChangeCard, ...] = ()
    breaches: tuple[Breach, ...] = ()
    maintenance: tuple[WindowCard, ...] = ()
    until: When | None = None
    """When the maintenance that covers it now is over."""


def window(name: str, tally: Tally, since: str = "") -> Window:
    """One window's figures."""
    low = tally.coverage is not None and tally.coverage < Fraction(1, 2)
    return Window(name, percent(tally.uptime), percent(tally.coverage, 1), low, bars.level(tally), since)


def known_since(days: Sequence[Day], count: int) -> str:
    """The first day with data, as `25 Nov`, where the last `count` days begin before it; else empty."""
    first = next((i for i, day in enumerate(days) if day.tally.due or day.tally.excluded), None)
    return "" if first is None or first <= len(days) - count else day_name(days[first].date).rpartition(" ")[0]


_COUNTS = {
    "exclude": "Does not count for uptime",
    "count_up": "Counts as up",
    "count_as_is": "Counts for uptime as seen",
}


def window_card(snapshot: Snapshot, one: Planned, now: int, *, alone: bool = False) -> WindowCard:
    """One time of maintenance. `alone`: on the page of one server."""
    return WindowCard(
        id=one.id,
        whom="" if alone else maintenance.whom(snapshot, one),
        running=one.begin <= now,
        begin=when(one.begin, now),
        end=when(one.end, now),
        lasts=duration(one.end - one.begin),
        reason=clean(one.reason, 200),
        counts=_COUNTS.get(one.uptime, ""),
    )


def change_card(change: SurfaceChange, now: int) -> ChangeCard:
    """One change of what a server offers."""
    cls = changes.class_of(change)
    return ChangeCard(
        id=change.id,
        chip=Chip(changes.TONES[cls], changes.WORDS[cls]),
        unstable=bool(change.drift.get("unstable")),
        at=when(change.at, now),
        cities=tuple(city(region) for region in change.drift.get("regions", ())),
        groups=changes.groups(change.drift),
        more=int(change.drift.get("more", 0)),
    )


def _regions(snapshot: Snapshot, view: ServerView, now: int) -> tuple[Region, ...]:
    seen = {r.region: r for r in view.state.regions}
    out = []
    for name in dict.fromkeys([*snapshot.regions, *seen]):
        said = seen.get(name)
        if said is None:
            out.append(Region(city(name), name, Chip("wait", "No result yet"), None, None, "", "", late=False))
            continue
        late = now - said.checked_at > max(summary.STALE_AFTER_S, 3 * view.interval_s)
        latency = f"{said.latency_ms:,} ms" if said.latency_ms is not None else None
        checked = when(said.checked_at, now)
        out.append(
            Region(city(name), name, chip(said.status), latency, checked, said.reason or "", clean(said.message), late)
        )
    return tuple(out)


_ERAS = {"modern": "modern (stateless)", "legacy": "legacy (Streamable HTTP)", "sse": "sse (HTTP+SSE)"}


def _facts(view: ServerView, now: int) -> tuple[tuple[str, str], ...]:
    """What is known of the server itself; what is not known is left out."""
    state = view.state
    facts: list[tuple[str, str]] = []
    if state.protocol_version:
        facts.append(("Protocol", clean(state.protocol_version, 60)))
    if state.era:
        facts.append(("Era", _ERAS.get(state.era) or clean(state.era, 60)))
    if state.tools_count is not None:
        facts.append(("Tools", str(state.tools_count)))
    if state.server_name:
        facts.append(("Implementation", clean(f"{state.server_name} {state.server_version or ''}", 120)))
    if state.tools_hash:
        facts.append(("Tool surface", state.tools_hash.removeprefix("sha256:")[:12]))
    if state.tls_not_after is not None:
        days = (state.tls_not_after - now) // 86400
        facts.append(("Certificate", f"ends in {plural(days, 'day')}" if days >= 0 else "expired"))
    facts.append(("Probed", "every minute" if view.interval_s == 60 else f"every {duration(view.interval_s)}"))
    tally = view.windows.get("30d")
    left = budget_left(tally, view.slo) if tally is not None else None
    if left is not None:
        spent = "overspent" if left < 0 else f"{percent(left, 1)} left"
        facts.append(("Error budget", f"{spent} ({clean(view.slo, 20)} over 30 days)"))
    return tuple(facts)


def _speaks(view: ServerView) -> str:
    """`MCP 2025-06-18 (legacy), 12 tools`."""
    state = view.state
    parts = []
    if state.protocol_version or state.era:
        era = f" ({clean(state.era, 60)})" if state.era else ""
        parts.append(f"MCP {clean(state.protocol_version or '', 60)}".rstrip() + era)
    if state.tools_count is not None:
        parts.append(plural(state.tools_count, "tool"))
    return ", ".join(parts)


def _failure(view: ServerView) -> str:
    failure = view.state.failure
    if not view.state.status.failing or failure is None:
        return ""
    return cause(failure)


def row(base: str, snapshot: Snapshot, view: ServerView, now: int) -> Row:
    """Everything a template shows of one server."""
    state = view.state
    until = maintenance.until(snapshot, view.slug, now)
    return Row(
        slug=view.slug,
        href=f"{base}/status/{quote(view.slug, safe='')}/",
        title=clean(view.title, 120),
        url=public_url(view.url),
        tags=tuple(clean(tag, 40) for tag in view.tags),
        chip=chip(state.status.value),
        since=when(state.since, now) if state.since else None,
        windows=tuple(
            window(label, view.windows.get(name, Tally()), known_since(view.days, count))
            for name, label, count in WINDOWS
        ),
        bars=tuple(bars.bars(view.days)),
        bars_words=bars.in_words(view.days),
        first_day=day_name(view.days[0].date) if view.days else "",
        regions=_regions(snapshot, view, now),
        speaks=_speaks(view),
        facts=_facts(view, now),
        failure=_failure(view),
        incidents=tuple(incident_card(base, view, i, now) for i in summary.outages_of(view)),
        warnings=tuple(incident_card(base, view, i, now) for i in summary.warnings_of(view)),
        days=tuple((day.date, bars.level(day.tally), bars.describe(day.tally)) for day in reversed(view.days)),
        changes=tuple(change_card(change, now) for change in changes.changes_of(view)),
        breaches=tuple(breaches(state)),
        maintenance=tuple(
            window_card(snapshot, one, now, alone=True) for one in maintenance.current(snapshot, now, view.slug)
        ),
        until=when(until, now) if until is not None else None,
    )
