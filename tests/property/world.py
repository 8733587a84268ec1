"""A schedule played with the real judge over the store in memory, and what the reference makes of the same.

What every judgement could have heard is written down here, from the schedule alone: of two results for the same minute
and region the first to arrive counts, and what arrives after its minute was judged does not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any

from lookout.config.model import Server, Site
from lookout.errors import ConflictError
from lookout.history.round import Round
from lookout.jobs.judging import judge_shards
from lookout.verdict.judge import Judgement
from lookout.verdict.state import Notice, ServerState

from tests.property.script import ALL_REGIONS, SLUGS, Bytes, Script, server, with_policy
from tests.property.shelf import Killed, Shelf
from tests.reference import account
from tests.reference.account import Life, Moment
from tests.reference.facts import facts
from tests.reference.rounds import Heard, Plan, silence, streak

DEADLINE_S = 120
COMPARED = (
    "era",
    "protocol_version",
    "transport",
    "server_name",
    "server_version",
    "tools_count",
    "tools_hash",
    "tls_not_after",
    "credential_expires",
    "fail_rounds",
    "ok_rounds",
    "unknown_rounds",
)
Definitions = tuple[Site | None, list[Server]]


def unread(address: str) -> bytes:
    """No schedule here shows a surface."""
    raise AssertionError(address)


@dataclass
class Seen:
    """A life as the reference is told of it, and beside each of its minutes the state that was stored then."""

    minutes: list[Heard] = field(default_factory=list)
    states: list[ServerState] = field(default_factory=list)
    removed: tuple[int, Plan] | None = None

    @property
    def life(self) -> Life:
        """For the reference."""
        return Life(tuple(self.minutes), self.removed)


class World(Shelf):
    """Plays a script. `lives` by slug, oldest first: a server that comes back begins anew."""

    def __init__(self, script: Script) -> None:
        super().__init__(script.site, script.servers)
        self.script = script
        self.now = 0
        self.judge_now = 0
        self.fault = ""
        self.race: Callable[[], None] | None = None
        self.arrived: dict[tuple[str, int], dict[str, tuple[int, Round]]] = {}
        self.arrivals = 0
        self.looked: dict[str, int] = {}
        self.asked: Definitions = self.definitions
        self.lives: dict[str, list[Seen]] = {}
        self.removals = 0
        self.last_judged: dict[str, int] = {}
        self.before_commit = self._before
        self.after_commit = self._after

    # --- the store, overheard --------------------------------------------------------------------------------------

    def roster(self, consistent: bool = False) -> Definitions:
        assert consistent
        self.asked = (self.definitions[0], list(self.definitions[1]))
        return self.asked

    def rounds(
        self, shard: str, since: int, until: int, now: int, *, consistent: bool = False
    ) -> dict[int, dict[str, Round]]:
        self.looked[shard] = self.arrivals
        by_minute = self.by_minute.items()
        return {minute: found for (of, minute), found in by_minute if of == shard and since <= minute <= until}

    def _before(self, judgement: Judgement) -> None:
        fault, race = self.fault, self.race
        self.fault, self.race = "", None
        if race is not None:
            race()
        if fault == "killed before":
            raise Killed
        if fault == "refused":
            raise ConflictError("the transaction met another")
        if fault in ("rival", "rival killed"):
            self.fault = "killed after" if fault == "rival killed" else ""
            self.judge(None)
            self.fault = ""
        elif fault == "killed after":
            self.fault = fault

    def _after(self, judgement: Judgement) -> None:
        self._write_down(judgement)
        if self.fault == "killed after":
            self.fault = ""
            raise Killed

    def _write_down(self, judgement: Judgement) -> None:
        shard, minute = judgement.state.shard, judgement.minute
        site, servers = self.asked
        assert site is not None
        heard = {
            region: item
            for region, (position, item) in self.arrived.get((shard, minute), {}).items()
            if position <= self.looked[shard]
        }
        mine = [one for one in servers if one.shard == shard]
        everybody = set(site.regions) <= set(heard)
        due = any(not one.paused and account.due(one, minute) for one in mine)
        assert everybody or not due or self.judge_now >= minute + DEADLINE_S, "judged before it was ripe"
        assert minute == self.last_judged.get(shard, minute - 60) + 60, "judged out of order, twice or never"
        self.last_judged[shard] = minute
        listed = {one.slug for one in self.definitions[1]}
        assert {one.slug for one in mine} <= listed, "judged what is removed"
        for one in mine:
            results = {
                region: result for region, item in heard.items() for result in item.results if result.slug == one.slug
            }
            seen = self._living(one.slug)
            seen.minutes.append(Heard(minute, _plan(one, site), results))
            seen.states.append(self.states[shard].servers[one.slug])

    def _living(self, slug: str) -> Seen:
        lives = self.lives.setdefault(slug, [])
        if not lives or lives[-1].removed is not None:
            lives.append(Seen())
        return lives[-1]

    # --- what happens -----------------------------------------------------------------------------------------------

    def judge(self, shards: set[str] | None) -> None:
        """One invocation. It may be killed; what is then left to do is left to the next."""
        self.judge_now = self.now + {"behind": -90, "ahead": 90}.get(self.fault, 0)
        with suppress(Killed):
            judge_shards(self, shards, self.judge_now, unread)  # type: ignore[arg-type]  # in memory

    def play(self) -> World:
        """All of it, and then some quiet minutes in which whatever is left is judged."""
        minute_fault, awake = "", set[str]()
        for event, following in pairwise((*self.script.events, None)):
            assert event is not None
            self.now = event.at
            if event.kind == "arm":
                minute_fault = self.fault = event.value
            elif event.kind == "round":
                self._arrive(event.value)
                awake.add(event.value.shard)
                if following is None or (following.at, following.kind) != (event.at, "round"):
                    if minute_fault not in ("no wakes", "away"):
                        self.judge(awake)
                    awake = set()
            elif event.kind == "tick":
                if minute_fault not in ("no tick", "away"):
                    self.judge(None)
            elif event.kind == "race":
                self.race = lambda event=event: self._change(*event.value)
            else:
                self._change(*event.value)
        self.fault, self.race = "", None
        self.now = max(self.now, self.script.end) + DEADLINE_S
        self.judge(None)
        return self

    def _arrive(self, item: Round) -> None:
        self.arrivals += 1
        known = self.arrived.setdefault((item.shard, item.minute), {})
        new = known.setdefault(item.region, (self.arrivals, item))[0] == self.arrivals
        assert self.put_round(item, self.now) is new

    def _change(self, what: str, values: bytes) -> None:
        site, servers = self.definitions
        assert site is not None
        choose = Bytes(values)
        slug = choose.of(SLUGS)
        if what == "region":
            region = choose.of(ALL_REGIONS)
            left = tuple(one for one in ALL_REGIONS if (one in site.regions) is not (one == region))
            self.definitions = (replace(site, regions=left or site.regions), servers)
            return
        one = next((one for one in servers if one.slug == slug), None)
        if what == "listed":
            if one is None:
                shard = next((s.shard for s in self.script.servers if s.slug == slug), "s000")
                self.definitions = (site, sorted([*servers, server(slug, shard)], key=lambda s: s.slug))
            else:
                self.removals += 1
                self.remove(slug, self.now)
                seen = self.lives.get(slug, [])
                if seen and seen[-1].removed is None:
                    seen[-1].removed = (self.now, _plan(one, site))
        elif one is not None:
            after = replace(one, paused=not one.paused) if what == "pause" else with_policy(choose, one, what)
            self.definitions = (site, [after if s is one else s for s in servers])

    # --- what must be -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise AssertionError at the first difference."""
        self._check_progress()
        told: list[Notice] = sorted(self.notices.values(), key=lambda n: n.id)
        recorded = 0
        for slug, lives in self.lives.items():
            wanted: list[dict[str, Any]] = []
            for seen in lives:
                life = seen.life
                for moment, state in zip(life.moments, seen.states, strict=True):
                    assert _brief(state) == _brief_of(moment), (slug, moment.minute)
                if seen.removed is None:
                    assert _whole(seen.states[-1]) == _whole_of(life.moments[-1]), slug
                codes = account.codes(life)
                recorded += len(codes)
                for minute, code in codes.items():
                    assert self.judged[seen.minutes[0].server.shard, minute].get(slug) == code, (slug, minute)
                wanted += account.notices(life)
            self._check_told(slug, [n for n in told if n.slug == slug], wanted)
        assert {n.slug for n in told} <= set(self.lives)
        assert recorded == sum(len(of) for of in self.judged.values())
        for shard, state in self.states.items():
            open_ = {i.id for i in self.incidents.values() if i.resolved_at is None and i.slug in state.servers}
            assert open_ == {i for s in state.servers.values() for i in s.incidents.values()}
            assert len({self.incidents[i].slug for i in open_}) == len(open_), shard
        still = [i.slug for i in self.incidents.values() if i.resolved_at is None]
        assert set(still) <= {s.slug for s in self.definitions[1]}
        assert len(set(still)) == len(still)

    def _check_progress(self) -> None:
        for shard in {s.shard for s in self.definitions[1]}:
            started = [minute for of, minute in self.arrived if of == shard]
            if started and self.now - DEADLINE_S - 60 >= min(started):
                assert self.states[shard].judged >= (self.now - DEADLINE_S) // 60 * 60, "a minute waits for ever"

    def _check_told(self, slug: str, told: list[Notice], wanted: list[dict[str, Any]]) -> None:
        keys = {n.dedup_key: n.incident.opened_at for n in told if n.incident is not None}
        assert len(set(keys.values())) == len(keys)
        by_incident: dict[int, list[Notice]] = {}
        for notice in told:
            assert notice.dedup_key == (notice.incident and notice.incident.id)
            by_incident.setdefault(keys[notice.dedup_key], []).append(notice)
        ordered = [n for key in sorted(by_incident) for n in sorted(by_incident[key], key=lambda n: n.sequence)]
        assert [_plain(n) for n in ordered] == wanted, slug
        for key, of_one in by_incident.items():
            assert len({n.sequence for n in of_one}) == len(of_one), key
            last = max(of_one, key=lambda n: n.sequence).incident
            assert last is not None
            assert self.incidents[last.id].to_json() == last.to_json()
        assert account.overlapping({one["incident"]["key"]: one["incident"] for one in wanted}) == []


def _plan(server: Server, site: Site) -> Plan:
    return Plan(server, site.regions, tuple(sink.name for sink in site.sinks))


def _brief(state: ServerState) -> tuple[Any, ...]:
    return (state.status.value, state.since, state.previous.value, state.previous_since, state.incident_id is not None)


def _brief_of(moment: Moment) -> tuple[Any, ...]:
    return (moment.status, moment.since, moment.previous, moment.previous_since, moment.failing)


def _whole(state: ServerState) -> dict[str, Any]:
    out = {name: getattr(state, name) for name in COMPARED}
    out["failure"] = asdict(state.failure) if state.failure else None
    return {**out, "findings": list(state.findings), "regions": [asdict(view) for view in state.regions]}


def _whole_of(moment: Moment) -> dict[str, Any]:
    rounds = moment.rounds
    run = streak(rounds, len(rounds) - 1, exactly=False)
    fails = bool(run) and run[0].fails
    out = facts(rounds)
    del out["last_round"]
    return {
        **out,
        "fail_rounds": len(run) if fails else 0,
        "ok_rounds": 0 if fails else len(run),
        "unknown_rounds": silence(rounds, len(rounds) - 1) if rounds else 0,
    }


def _plain(notice: Notice) -> dict[str, Any]:
    assert notice.incident is not None
    incident = notice.incident.to_json()
    assert incident.pop("slug") == notice.slug
    assert incident.pop("kind") == "availability"
    assert incident.pop("id").startswith("inc_")
    for name in ("timeline", "evidence", "stage", "flapping", "surface"):
        del incident[name]
    incident["key"] = incident.pop("opened_at")
    incident["regions"] = list(incident["regions"])
    return {
        "type": notice.type,
        "created_at": notice.created_at,
        "status": notice.status,
        "previous_status": notice.previous_status,
        "previous_since": notice.previous_since,
        "severity": notice.severity,
        "failure": asdict(notice.failure),
        "quorum": asdict(notice.quorum),
        "regions": [asdict(view) for view in notice.regions],
        "incident": incident,
        "sinks": list(notice.sinks),
        "url": notice.server["url"],
    }
