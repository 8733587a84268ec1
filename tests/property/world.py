"""A schedule played with the real judge over the store in memory, and what the reference makes of the same.

What every judgement could have heard is written down here, from the schedule alone: of two results for the same minute
and region the first to arrive counts, and what arrives after its minute was judged does not.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from lookout.config.model import Server, Site
from lookout.errors import ConflictError
from lookout.history.round import Round
from lookout.jobs.judging import judge_shards
from lookout.verdict.case import Notice
from lookout.verdict.judge import Judgement
from lookout.verdict.state import ServerState

from tests.property import compare
from tests.property.script import ALL_REGIONS, SLUGS, Bytes, Script, server, with_policy, with_window
from tests.property.shelf import Killed, Shelf
from tests.reference.account import Account
from tests.reference.rounds import Heard, Plan, Window
from tests.reference.standing import due

DEADLINE_S = 120
Definitions = tuple[Site | None, list[Server]]


def unread(address: str) -> bytes:
    """No schedule here shows a surface."""
    raise AssertionError(address)


@dataclass
class Seen:
    """A life as it was heard of, and beside each of its minutes the state that was stored then."""

    minutes: list[Heard] = field(default_factory=list)
    states: list[ServerState] = field(default_factory=list)
    removed: tuple[int, Plan] | None = None

    def account(self) -> Account:
        """What the reference makes of it."""
        account = Account()
        for heard in self.minutes:
            account.hear(heard)
        if self.removed is not None:
            account.remove(*self.removed)
        return account


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
        self.noted: dict[str, list[str]] = {}
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
        wanted = any(not one.paused and due(one, minute) for one in mine)
        assert everybody or not wanted or self.judge_now >= minute + DEADLINE_S, "judged before it was ripe"
        assert minute == self.last_judged.get(shard, minute - 60) + 60, "judged out of order, twice or never"
        self.last_judged[shard] = minute
        listed = {one.slug for one in self.definitions[1]}
        assert {one.slug for one in mine} <= listed, "judged what is removed"
        for one in mine:
            results = {
                region: result for region, item in heard.items() for result in item.results if result.slug == one.slug
            }
            seen = self._living(one.slug)
            seen.minutes.append(Heard(minute, plan(one, site), results))
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
        if what == "window":
            self.definitions = (with_window(choose, site, slug, self.now), servers)
            return
        if what == "note":
            self._note(slug)
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
                    seen[-1].removed = (self.now, plan(one, site))
        elif one is not None:
            after = replace(one, paused=not one.paused) if what == "pause" else with_policy(choose, one, what)
            self.definitions = (site, [after if s is one else s for s in servers])

    def _note(self, slug: str) -> None:
        """A person writes a note to whatever is wrong with a server."""
        for incident in list(self.incidents.values()):
            if incident.slug == slug and incident.resolved_at is None:
                notes = self.noted.setdefault(incident.id, [])
                notes.append(f"note {len(notes)}")
                self.put_incident(incident.noting(self.now, "note", notes[-1], by="ada"))

    # --- what must be -----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise AssertionError at the first difference."""
        self._check_progress()
        told: list[Notice] = sorted(self.notices.values(), key=lambda n: n.id)
        recorded = 0
        for slug, lives in self.lives.items():
            wanted: list[dict[str, Any]] = []
            for seen in lives:
                account = seen.account()
                for moment, state in zip(account.moments, seen.states, strict=True):
                    assert compare.stood(state) == compare.stands(moment), (slug, moment.minute)
                if seen.removed is None:
                    assert compare.known(seen.states[-1]) == compare.knows(account), slug
                recorded += len(account.codes)
                for minute, code in account.codes.items():
                    assert self.judged[seen.minutes[0].server.shard, minute].get(slug) == code, (slug, minute)
                wanted += account.told
            compare.check_told(slug, [n for n in told if n.slug == slug], wanted, self.incidents)
        assert {n.slug for n in told} <= set(self.lives)
        assert recorded == sum(len(of) for of in self.judged.values())
        for number, notes in self.noted.items():
            assert [entry.text for entry in self.incidents[number].timeline if entry.by] == notes
        compare.check_open(self.incidents.values(), self.states.values(), self.definitions[1])

    def _check_progress(self) -> None:
        for shard in {s.shard for s in self.definitions[1]}:
            started = [minute for of, minute in self.arrived if of == shard]
            if started and self.now - DEADLINE_S - 60 >= min(started):
                assert self.states[shard].judged >= (self.now - DEADLINE_S) // 60 * 60, "a minute waits for ever"


def plan(server: Server, site: Site) -> Plan:
    """What was configured for a server when it was judged."""
    windows = tuple(
        Window(one.begin or 0, one.end or 0, one.uptime)
        for one in site.maintenance
        if one.covers(server.slug, server.tags)
    )
    return Plan(server, site.regions, tuple(sink.name for sink in site.sinks), windows)
