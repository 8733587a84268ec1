"""One scheduled minute of one shard: (state, rounds, servers, site) -> what should change. Pure and replayable.

It decides nothing about when: `verdict.schedule` says which minute is ripe. It never looks at a clock: the moment of a
notice is when the deciding evidence was gathered, so replaying the same rounds gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from lookout.config.model import Server, Site
from lookout.history.round import Round
from lookout.history.uptime import NOT_DUE, Counting
from lookout.probe.result import ProbeResult
from lookout.verdict.case import Incident, Notice, SurfaceChange
from lookout.verdict.conditions import judge_conditions
from lookout.verdict.drift import DRIFT, Drifts, judge_surface, pairs
from lookout.verdict.incidents import OUTAGE, Happening, Scene
from lookout.verdict.mass import KINDS
from lookout.verdict.server import Judged, awaits_confirmation, judge_confirmation, judge_server
from lookout.verdict.state import ServerState, ShardState

TRANSACTION_ITEMS: Final = 100
"""DynamoDB's limit. Two are the state and the verdicts; an incident or a surface change takes two with its notice."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one minute changes. `verdicts` is `{slug: outcome code}` of that minute; `incidents` are whole new rows.

    `heard` are the regions whose rounds had come: what comes later was not judged, and a replay must leave it out.
    """

    minute: int
    state: ShardState
    verdicts: Mapping[str, str] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()
    notices: tuple[Notice, ...] = ()
    changes: tuple[SurfaceChange, ...] = ()
    heard: tuple[str, ...] = ()


def by_server(rounds: Mapping[str, Round], site: Site) -> dict[str, dict[str, ProbeResult]]:
    """The results of one minute by slug and region, regions in the site's order."""
    out: dict[str, dict[str, ProbeResult]] = {}
    for region in site.regions:
        for result in rounds[region].results if region in rounds else ():
            out.setdefault(result.slug, {})[region] = result
    return out


def surfaces_to_compare(
    state: ShardState, minute: int, rounds: Mapping[str, Round], site: Site
) -> set[tuple[str, str]]:
    """The pairs of surface addresses whose difference `judge_minute` may want to tell."""
    found = by_server(rounds, site)
    return {p for slug, one in state.servers.items() for p in pairs(one, found.get(slug, {}), minute, site)}


Covering = Callable[[Server, int], Counting | None]
"""How the window of maintenance counts that covers a server in a minute; None: none does."""
Scope = Callable[[Server, str, Mapping[str, ServerState]], str]
"""The mass failure in which an incident of that kind opens, given the shard's states as just judged; empty: none."""


def judge_minute(
    state: ShardState,
    minute: int,
    rounds: Mapping[str, Round],
    servers: Sequence[Server],
    site: Site,
    incidents: Mapping[str, Incident],
    drifts: Drifts | None = None,
    covering: Covering | None = None,
    scope: Scope | None = None,
) -> Judgement:
    """Judge `minute` of one shard.

    `rounds` by region (absent: silent), `servers` all of the shard, `incidents` the open ones by id, `drifts` what
    changed between those of `surfaces_to_compare` that could be read. States of servers no longer listed are dropped:
    whoever removed the server closed its incidents (`close`).
    """
    by_slug = by_server(rounds, site)
    judged = [
        judge_server(
            server,
            state.servers.get(server.slug) or ServerState(server.slug, since=minute),
            minute,
            by_slug.get(server.slug, {}),
            site,
            incidents,
            covering(server, minute) if covering is not None else None,
        )
        for server in servers
    ]
    sheet = _Sheet(judged)
    for one in judged:
        sheet.add_conditions(one, incidents)
    if scope is not None:
        sheet.hold(servers, scope)
    for one in judged:
        sheet.add_surface(one, drifts or {}, incidents)
    verdicts = {one.state.slug: one.code for one in judged if one.code != NOT_DUE}
    after = replace(state, judged=minute, servers=sheet.states)
    heard = tuple(region for region in site.regions if region in rounds)
    return Judgement(minute, after, verdicts, tuple(sheet.incidents), tuple(sheet.notices), tuple(sheet.changes), heard)


def judge_confirmations(
    state: ShardState,
    rounds: Mapping[str, Round],
    confirmations: Mapping[int, Mapping[str, Round]],
    servers: Sequence[Server],
    site: Site,
    scope: Scope | None = None,
) -> Judgement | None:
    """What the confirmations of the minute judged last change, as far as they are there; None: nothing. Decision 12, Q.

    `rounds` are that minute's, `confirmations` by their number and region.
    """
    minute = state.judged
    again = {k: by_server(found, site) for k, found in confirmations.items()}
    first = by_server(rounds, site)
    judged: list[Judged] = []
    for server in servers:
        before = state.servers.get(server.slug)
        if before is not None and awaits_confirmation(server, before, minute):
            one = _confirm(server, before, minute, first.get(server.slug, {}), again, site)
            if one is not None:
                judged.append(one)
    if not judged:
        return None
    sheet = _Sheet(judged)
    sheet.states = {**state.servers, **sheet.states}
    if scope is not None:
        sheet.hold(servers, scope)
    after = replace(state, servers=sheet.states)
    return Judgement(minute, after, {}, tuple(sheet.incidents), tuple(sheet.notices))


def _confirm(
    server: Server,
    before: ServerState,
    minute: int,
    first: Mapping[str, ProbeResult],
    again: Mapping[int, Mapping[str, Mapping[str, ProbeResult]]],
    site: Site,
) -> Judged | None:
    """One server, through all its confirmations that are ripe; None where none is."""
    newest, judged = dict(first), None
    for k in range(1, before.confirmed + 1):
        newest.update(again.get(k, {}).get(server.slug, {}))
    state = before
    while awaits_confirmation(server, state, minute):
        answers = again.get(state.confirmed + 1, {}).get(server.slug, {})
        asked = {region for region, result in newest.items() if result.status.failing}
        if not asked or not asked <= set(answers):
            break
        newest.update(answers)
        judged = judge_confirmation(server, state, minute, newest, site)
        state = judged.state
    return judged


class _Sheet:
    """What a minute changes, as it is gathered: never more than fits one transaction, outages first."""

    def __init__(self, judged: Sequence[Judged]) -> None:
        self.states = {one.state.slug: one.state for one in judged}
        self.incidents: list[Incident] = []
        self.notices: list[Notice] = []
        self.changes: list[SurfaceChange] = []
        for one in judged:
            if one.outage is not None:
                self._add(one.outage)

    @property
    def room(self) -> int:
        """Items that still fit, beside the state and the verdicts."""
        return TRANSACTION_ITEMS - 2 - len(self.incidents) - len(self.notices) - len(self.changes)

    def _add(self, happening: Happening) -> None:
        self.incidents.append(happening.incident)
        self.notices.append(happening.notice)

    def add_conditions(self, one: Judged, incidents: Mapping[str, Incident]) -> None:
        """What becomes of one server's conditions; of one that is paused: their end."""
        state = self.states[one.state.slug]
        scene = one.scene
        if scene is None or not (state.incidents or state.tracks or _may_expire(state)):
            return
        of_kind = {kind: incidents[key] for kind, key in state.incidents.items() if key in incidents}
        gone = [kind for kind, key in state.incidents.items() if key not in incidents and kind != OUTAGE]
        for kind in gone:  # somebody resolved it: there is none to end
            state = state.closed(kind)
        if one.seen is None:
            happenings = _ends(scene, of_kind, self)
        else:
            happenings = judge_conditions(scene.having(state), one.seen, one.covered, of_kind, lambda: self.room >= 2)
        for happening in happenings:
            self._add(happening)
            kind, over = happening.incident.kind, happening.incident.resolved_at is not None
            state = state.closed(kind) if over else state.opened(happening.incident)
            if over and kind in state.tracks:
                state = state.with_(tracks={k: t for k, t in state.tracks.items() if k != kind})
        self.states[state.slug] = state

    def hold(self, servers: Sequence[Server], scope: Scope) -> None:
        """Hold back what opened in a mass failure: its digest tells of it (decision 12, X)."""
        by_slug = {server.slug: server for server in servers}
        states = dict(self.states)
        for i, (incident, notice) in enumerate(zip(self.incidents, self.notices, strict=True)):
            if notice.type != "incident.opened" or incident.kind not in KINDS:
                continue
            held = scope(by_slug[incident.slug], incident.kind, states)
            if held:
                self.incidents[i] = replace(incident, held=held)
                self.notices[i] = replace(notice, held=held, incident=self.incidents[i])

    def add_surface(self, one: Judged, drifts: Drifts, incidents: Mapping[str, Incident]) -> None:
        """What one server offers now."""
        if one.scene is None or one.seen is None:
            return
        state = self.states[one.state.slug]
        open_ = incidents.get(state.incidents.get(DRIFT, ""))
        told = judge_surface(one.scene.having(state), one.seen.results, drifts, open_, self.room)
        self.states[state.slug] = told.state
        self.changes += told.changes
        self.notices += told.notices
        if told.incident is not None:
            self.incidents.append(told.incident)


def _may_expire(state: ServerState) -> bool:
    return state.tls_not_after is not None or state.credential_expires is not None


def _ends(scene: Scene, of_kind: Mapping[str, Incident], sheet: _Sheet) -> Iterator[Happening]:
    """The incidents of a paused server end, as far as there is room; the others with the next minutes."""
    for incident in of_kind.values():
        if sheet.room >= 2:
            yield scene.ends(incident, scene.minute, "paused")
