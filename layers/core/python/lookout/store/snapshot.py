"""Gathers the public read model once a minute, reading little: what cannot change any more is remembered.

A `Gatherer` lives as long as its warm process. Rolled-up days are read again every ten minutes, verdicts of hours that
are over once, incidents when a server's state says that they changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from lookout import __version__
from lookout.config.model import Server, Site
from lookout.errors import StoreError
from lookout.history.chunk import DAY, HOUR
from lookout.history.day import DaySummary
from lookout.history.uptime import NOT_DUE, Tally, tally, total
from lookout.status.changes import public
from lookout.status.view import Day, ServerView, Snapshot
from lookout.store.database import Store
from lookout.verdict.state import Incident, ServerState, SurfaceChange

DAYS = 90
INCIDENTS = 20
CHANGES = 10
_WINDOWS = {"7d": 7, "30d": 30, "90d": 90}

Codes = Mapping[int, Mapping[str, str]]


def view(
    server: Server,
    state: ServerState,
    summaries: Mapping[int, DaySummary],
    recent: Codes,
    incidents: tuple[Incident, ...],
    now: int,
    changes: tuple[SurfaceChange, ...] = (),
) -> ServerView:
    """One server's view. `summaries` by day, `recent` verdicts by minute for the last two days. Pure."""
    today = now // DAY * DAY
    mine = {minute: codes.get(server.slug, NOT_DUE) for minute, codes in recent.items()}
    days = []
    for day in range(today - (DAYS - 1) * DAY, today + 1, DAY):
        summary = summaries.get(day, DaySummary(server.slug, day, Tally(), ()))
        rolled = set(summary.hours)
        extra = (code for m, code in mine.items() if day <= m < day + DAY and m // HOUR * HOUR not in rolled)
        date = datetime.fromtimestamp(day, UTC).date().isoformat()
        days.append(Day(date, summary.tally + tally(extra)))
    windows = {name: total(d.tally for d in days[-count:]) for name, count in _WINDOWS.items()}
    windows = {"24h": tally(code for m, code in mine.items() if m > now - DAY), **windows}
    return ServerView(
        server.slug,
        server.title,
        server.url,
        server.tags,
        state,
        windows,
        tuple(days),
        incidents,
        server.interval_s,
        server.slo,
        tuple(public(change, with_credential=bool(server.auth)) for change in changes),
    )


class Gatherer:
    """Gathers snapshots from one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._days: dict[str, tuple[int, dict[int, DaySummary]]] = {}
        self._codes: dict[tuple[str, int], Codes] = {}
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
        views = []
        for server in shown:
            state = states.get(server.slug, ServerState(server.slug, since=now))
            views.append(
                view(
                    server,
                    state,
                    self._summaries(server.slug, now),
                    recent[server.shard],
                    self._history_of(state),
                    now,
                    self._changes_of(state, now),
                )
            )
        return Snapshot(site.name, site_url, now, self._regions(site, states), tuple(views), __version__)

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
        first = (now // DAY - 1) * DAY
        for hour in range(first, current + 1, HOUR):
            known = self._codes.get((shard, hour))
            if known is None:
                known = self._store.verdicts(shard, hour, now)
                if hour < current - HOUR:
                    self._codes[(shard, hour)] = known
            out.update(known)
        self._codes = {key: value for key, value in self._codes.items() if key[1] >= first}
        return out

    def _summaries(self, slug: str, now: int) -> dict[int, DaySummary]:
        at, known = self._days.get(slug, (0, {}))
        if at != now // 600:
            today = now // DAY * DAY
            known = {d.day: d for d in self._store.days(slug, today - (DAYS - 1) * DAY, today + DAY, now)}
            self._days[slug] = (now // 600, known)
        return known

    def _history_of(self, state: ServerState) -> tuple[Incident, ...]:
        key = (state.incident_id, state.status, state.since)
        seen, known = self._incidents.get(state.slug, (None, ()))
        if seen != key:
            known = tuple(self._store.incidents(state.slug, INCIDENTS))
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
