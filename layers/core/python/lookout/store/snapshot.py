"""Gathers the public read model once a minute, reading little: what cannot change any more is remembered.

A `Gatherer` lives as long as its warm process. Rolled-up days are read again every ten minutes, verdicts of hours that
are over once, incidents when a server's state says that they changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from lookout import __version__
from lookout.config.model import Server, Site
from lookout.errors import StoreError
from lookout.history.calendar import LocalDay, local_days
from lookout.history.chunk import DAY, HOUR
from lookout.history.latency import Percentiles, Sketch, merge
from lookout.history.slo import WINDOWS_S
from lookout.history.spans import Span
from lookout.history.uptime import NOT_DUE, total
from lookout.history.windows import Rolled, Windows
from lookout.status import changes as surface_changes
from lookout.status import incidents as cases
from lookout.status.maintenance import planned
from lookout.status.text import rfc3339
from lookout.status.view import Day, ServerView, Snapshot
from lookout.store.database import Store
from lookout.store.lately import ROLLED_UP_S, LastHours, Lately
from lookout.verdict.case import Incident, SurfaceChange
from lookout.verdict.maintenance import Calendar
from lookout.verdict.state import ServerState

DAYS = 90
INCIDENTS = 20
CHANGES = 10
_WINDOWS = {"7d": 7, "30d": 30, "90d": 90}

Codes = Mapping[int, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Past:
    """What was rolled up of one server: its days, its latency by window and region, the spans of its outages
    and of its maintenance.
    """

    rolled: Rolled
    latency: Mapping[str, Mapping[str, Percentiles]] = field(default_factory=dict)
    outages: tuple[Span, ...] = ()
    lately: Lately = field(default_factory=Lately)
    excluded: tuple[Span, ...] = ()
    """Maintenance that does not count."""


def view(
    server: Server,
    state: ServerState,
    past: Past,
    recent: Codes,
    incidents: tuple[Incident, ...],
    now: int,
    changes: tuple[SurfaceChange, ...] = (),
) -> ServerView:
    """One server's view. `recent` are the verdicts by minute since yesterday began (UTC). Pure."""
    mine = {minute: codes.get(server.slug, NOT_DUE) for minute, codes in recent.items()}
    known = Windows(past.rolled, mine, _recent_since(now), now)
    dates = past.rolled.days
    days = tuple(Day(local.date, found) for local, found in zip(dates, known.days, strict=True))
    windows = {name: total(d.tally for d in days[-count:]) for name, count in _WINDOWS.items()}
    begins = {"24h": now - DAY, **{name: dates[-count].begin for name, count in _WINDOWS.items()}}
    outages = {name: known.outage(begin, past.outages, past.excluded) for name, begin in begins.items()}
    return ServerView(
        server.slug,
        server.title,
        server.url,
        server.tags,
        state,
        {"24h": known.last(DAY), **windows},
        days,
        tuple(cases.public(one, with_credential=bool(server.auth)) for one in incidents if one.public),
        server.interval_s,
        server.slo,
        tuple(surface_changes.public(change, with_credential=bool(server.auth)) for change in changes),
        {name: found for name, found in outages.items() if found is not None},
        {length_s: known.last(length_s) for length_s in WINDOWS_S},
        {**({"24h": past.lately.regions} if past.lately.regions else {}), **past.latency},
        {rfc3339(one.day)[:10]: one.latency for one in past.rolled.summaries if one.latency},
        past.lately.all,
    )


def _recent_since(now: int) -> int:
    return (now // DAY - 1) * DAY


def _percentiles(sketches: Mapping[int, Mapping[str, Sketch]], today: int) -> dict[str, dict[str, Percentiles]]:
    out = {}
    for name, count in _WINDOWS.items():
        merged = merge(found for day, found in sketches.items() if day > today - count * DAY)
        out[name] = {region: p for region, sketch in sorted(merged.items()) if (p := sketch.percentiles) is not None}
    return out


class Gatherer:
    """Gathers snapshots from one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rolled: dict[str, tuple[object, Rolled]] = {}
        self._latency: dict[str, tuple[int, dict[str, dict[str, Percentiles]]]] = {}
        self._outages: dict[str, tuple[object, tuple[Span, ...]]] = {}
        self._codes: dict[tuple[str, int], Codes] = {}
        self._last_hours = LastHours(store)
        self._incidents: dict[str, tuple[object, tuple[Incident, ...]]] = {}
        self._changes: dict[str, tuple[int, tuple[SurfaceChange, ...]]] = {}

    def gather(self, site_url: str, now: int) -> Snapshot:
        """The snapshot at `now`. Raises StoreError before lookout.yaml was applied."""
        site, servers = self._store.roster()
        if site is None:
            raise StoreError("the servers table holds no site: `cdk deploy` has not applied lookout.yaml yet")
        states = self._store.server_states()
        shown = [server for server in servers if server.public]
        recent = {shard: self._recent(shard, now) for shard in sorted({server.shard for server in shown})}
        days = local_days(now, DAYS, ZoneInfo(site.timezone))
        touched = self._store.touched(now)
        self._last_hours.begin(server.slug for server in shown)
        windows = (*site.maintenance, *self._store.maintenance(days[0].begin, now))
        calendar = Calendar(windows, days[0].begin, now)
        views = []
        for server in shown:
            state = states.get(server.slug, ServerState(server.slug, since=now))
            views.append(
                view(
                    server,
                    state,
                    Past(
                        self._rolled_up(server.slug, days, now),
                        self._latency_of(server.slug, now),
                        self._outages_of(state, days[0].begin),
                        self._last_hours.of(server.slug, now),
                        tuple(calendar.excluded(server)),
                    ),
                    recent[server.shard],
                    self._history_of(state, touched.get(server.slug), now),
                    now,
                    self._changes_of(state, now),
                )
            )
        return Snapshot(
            site.name,
            site_url,
            now,
            self._regions(site, states),
            tuple(views),
            __version__,
            site.timezone,
            planned(windows, shown, now),
        )

    @staticmethod
    def _regions(site: Site, states: Mapping[str, ServerState]) -> dict[str, int]:
        newest = dict.fromkeys(site.regions, 0)
        for state in states.values():
            for seen in state.regions:
                if seen.region in newest:
                    newest[seen.region] = max(newest[seen.region], seen.checked_at // 60 * 60)
        return newest

    def _recent(self, shard: str, now: int) -> dict[int, Mapping[str, str]]:
        current = now // HOUR * HOUR
        out: dict[int, Mapping[str, str]] = {}
        first = _recent_since(now)
        for hour in range(first, current + 1, HOUR):
            known = self._codes.get((shard, hour))
            if known is None:
                known = self._store.verdicts(shard, hour, now)
                if hour < current - HOUR:
                    self._codes[(shard, hour)] = known
            out.update(known)
        self._codes = {key: value for key, value in self._codes.items() if key[1] >= first}
        return out

    def _rolled_up(self, slug: str, days: Sequence[LocalDay], now: int) -> Rolled:
        key = (now // 600, days[-1].date)
        seen, known = self._rolled.get(slug, (None, None))
        if seen != key or known is None:
            known = Rolled.of(days, self._store.days(slug, days[0].begin, now + 1, now))
            self._rolled[slug] = (key, known)
        return known

    def _latency_of(self, slug: str, now: int) -> dict[str, dict[str, Percentiles]]:
        at, known = self._latency.get(slug, (0, {}))
        if at != (now - ROLLED_UP_S) // HOUR:
            today = now // DAY * DAY
            known = _percentiles(self._store.sketches(slug, today - (DAYS - 1) * DAY, now + 1, now), today)
            self._latency[slug] = ((now - ROLLED_UP_S) // HOUR, known)
        return known

    def _outages_of(self, state: ServerState, since: int) -> tuple[Span, ...]:
        key = (state.incident_id, state.status, state.since)
        seen, known = self._outages.get(state.slug, (None, ()))
        if seen != key:
            known = tuple(incident.span for incident in self._store.incidents_since(state.slug, since))
            self._outages[state.slug] = (key, known)
        return known

    def _history_of(self, state: ServerState, touched: str | None, now: int) -> tuple[Incident, ...]:
        """Read again when the state or a person's mark says that they changed, and every ten minutes while any is open.

        The last is for what the state need not show: how near the end of a certificate is.
        """
        still = tuple(sorted(state.incidents.values()))
        turned = (state.status, state.since, state.flapping_since, state.view, state.drift_at)
        key = (still, turned, touched, now // 600 if still else 0)
        seen, known = self._incidents.get(state.slug, (None, ()))
        if seen != key:
            known = tuple(self._store.shown_incidents(state.slug, still, INCIDENTS))
            self._incidents[state.slug] = (key, known)
        return known

    def _changes_of(self, state: ServerState, now: int) -> tuple[SurfaceChange, ...]:
        if not state.drift_at:
            return ()
        seen, known = self._changes.get(state.slug, (0, ()))
        if seen != state.drift_at:
            known = tuple(self._store.surface_changes(state.slug, CHANGES, now))
            self._changes[state.slug] = (state.drift_at, known)
        return known
