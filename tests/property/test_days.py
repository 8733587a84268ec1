"""A server's days, told to the judge's pure function and to the reference side by side; hypothesis says what happens.

Time runs as it likes here: minutes, hours or days pass between two rounds, so that what is usual for a server, the
times before a certificate ends, and windows of maintenance that last come into play. What goes on around a judge is
in `test_schedules`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from lookout.config.model import Server, Site
from lookout.config.window import Window
from lookout.history.round import Round, pack, unpack
from lookout.probe.result import ProbeResult
from lookout.surface.changes import Class
from lookout.surface.diff import Drift
from lookout.verdict import drift, flapping, judge, latency
from lookout.verdict.case import Incident, Notice
from lookout.verdict.incidents import close
from lookout.verdict.judge import Judgement, judge_confirmations, judge_minute
from lookout.verdict.maintenance import Calendar
from lookout.verdict.state import ServerState, ShardState

from tests.property import compare
from tests.property.script import ALL_REGIONS, COUNTINGS, MOODS, SINKS, Ends, result
from tests.property.world import plan
from tests.reference.account import Account
from tests.reference.rounds import Change, Heard
from tests.reference.usual import EDGES, Timed

DAYS = int(os.environ.get("LOOKOUT_DAYS", "50"))
DAY = 86400
START = 1_789_948_800 // DAY * DAY + 23 * 3600
"""An hour before midnight."""
SLUG = "acme"
QUIET = st.fixed_dictionaries(dict.fromkeys(ALL_REGIONS[:3], st.just("up")))
MOOD = st.sampled_from(("up", *MOODS))
LATENCIES_MS = st.sampled_from((100, 40, 251, 300, 320, 390, 1000, 5000, 900_000))
POLICIES: dict[str, st.SearchStrategy[Any]] = {
    "down_after": st.sampled_from((3, 2, 1)),
    "up_after": st.sampled_from((2, 1, 3)),
    "quorum": st.sampled_from((None, 1, 2)),
    "interval_s": st.sampled_from((60, 300, 3600)),
    "slow_ratio_percent": st.sampled_from((300, 150, 0)),
    "flap_after": st.sampled_from((4, 2, 1, 0)),
    "limited_after_s": st.sampled_from((900, 120)),
    "tls_warn_s": st.sampled_from(((30 * DAY, 14 * DAY, 7 * DAY), (14 * DAY,), ())),
    "credential_warn_s": st.sampled_from((72 * 3600, 0, 48 * 3600)),
}
SURFACES = ("a" * 64, "b" * 64, "c" * 64)
_CLASSES = (Class.BREAKING, Class.ADDITIVE, Class.COSMETIC, Class.RISKY)
DRIFTS = {
    (old, new): Drift(_CLASSES[(i + j) % 4], ("search",), old_hash=f"sha256:{old}", new_hash=f"sha256:{new}")
    for i, old in enumerate(SURFACES)
    for j, new in enumerate(SURFACES)
    if (i, j) != (2, 0)
}
"""What changes from one to another; from the last to the first cannot be read, and is of class unknown."""


class Days(RuleBasedStateMachine):
    """One server, and what the reference makes of what was heard of it."""

    def __init__(self) -> None:
        super().__init__()
        self.server = Server(
            SLUG, "https://acme.example/mcp", shard="s000", notify=("hook", "gone"), confirm_every_s=15
        )
        self.site = Site("Acme", "us-east-1", ALL_REGIONS[:3], SINKS)
        self.minute = START
        self.ends = Ends()
        self.surface: str | None = None
        self.state = ShardState("s000")
        self.account = Account()
        self.told: list[dict[str, Any]] = []
        """What the reference says of lives before the present one."""
        self.incidents: dict[str, Incident] = {}
        self.notices: list[Notice] = []

    @initialize(
        past=st.lists(st.tuples(st.integers(0, 9), LATENCIES_MS, st.integers(20, 120)), max_size=5),
        interval_s=st.sampled_from((60, 60, 300)),
    )
    def begins(self, past: list[tuple[int, int, int]], interval_s: int) -> None:
        """It was watched in the days before."""
        self.server = replace(self.server, interval_s=interval_s)
        while not self.server.due(self.minute):
            self.minute += 60
        seeds = [Timed(START - days * DAY, took) for days, took, rounds in past for _ in range(rounds)]
        counts: dict[str, dict[str, int]] = {}
        for seed in seeds:
            of_day = counts.setdefault(str(seed.minute // DAY), {})
            bucket = next((i for i, edge in enumerate(EDGES) if edge >= seed.latency_ms), len(EDGES) - 1)
            of_day[str(bucket)] = of_day.get(str(bucket), 0) + 1
        self.account = Account(seeds=seeds)
        self.state = ShardState("s000", servers={SLUG: ServerState(SLUG, since=self.minute, latencies=counts)})
        self._judge({}, 100)

    # --- what happens -------------------------------------------------------------------------------------------------

    @rule(moods=QUIET, rounds=st.integers(1, 12), took_ms=LATENCIES_MS)
    def goes_well(self, moods: dict[str, str], rounds: int, took_ms: int) -> None:
        for _ in range(rounds):
            self._judge(moods, took_ms)

    @rule(
        moods=st.dictionaries(st.sampled_from(ALL_REGIONS[:3]), MOOD),
        rounds=st.integers(1, 5),
        took_ms=LATENCIES_MS,
    )
    def is_seen(self, moods: dict[str, str], rounds: int, took_ms: int) -> None:
        """Regions that say nothing are left out."""
        for _ in range(rounds):
            self._judge(moods, took_ms)

    @rule(mood=MOOD, rounds=st.integers(1, 20))
    def is_everywhere(self, mood: str, rounds: int) -> None:
        for _ in range(rounds):
            self._judge(dict.fromkeys(self.site.regions, mood), 100)

    @rule(turns=st.integers(1, 6), moods=st.sampled_from((("down", "up"), ("rejected", "up"), ("down", "auth"))))
    def turns(self, turns: int, moods: tuple[str, str]) -> None:
        """It goes down and comes back, each as soon as it may."""
        for turn in range(turns):
            for _ in range(self.server.up_after if turn % 2 else self.server.down_after):
                self._judge(dict.fromkeys(self.site.regions, moods[turn % 2]), 100)

    @rule(
        moods=st.dictionaries(st.sampled_from(ALL_REGIONS[:3]), st.sampled_from(("down", "up", "rejected"))),
        again=st.lists(st.dictionaries(st.sampled_from(ALL_REGIONS[:3]), MOOD), max_size=4),
    )
    def is_asked_again(self, moods: dict[str, str], again: list[dict[str, str]]) -> None:
        """Regions that fail ask again, each until it does not; those that are not in `again` do not come."""
        if self.server.paused:
            return
        minute, rounds = self._judge({**dict.fromkeys(self.site.regions, "down"), **moods}, 100)
        asking = {region for region, item in rounds.items() if item.results[0].status.failing}
        answers: list[dict[str, ProbeResult]] = []
        for said in again:
            asking &= {region for region, mood in said.items() if mood != "dark"}
            found = {r: result(SLUG, said[r], minute + 20, minute, ALL_REGIONS.index(r), self.ends) for r in asking}
            answers.append({region: one for region, one in found.items() if region in self.site.regions})
            asking = {region for region in asking if found[region].status.failing}
        confirmations = {
            k: {region: Round("s000", minute, region, (one,), k) for region, one in found.items()}
            for k, found in enumerate(answers, start=1)
        }
        judged = judge_confirmations(self.state, rounds, confirmations, [self.server], self.site)
        if judged is not None:
            self._store(judged)
            assert not judged.verdicts
        self.account.hear_again(answers)
        assert compare.stood(self.state.servers[SLUG]) == compare.stands(self.account.moments[-1])
        assert compare.known(self.state.servers[SLUG]) == compare.knows(self.account)

    @rule(mood=MOOD)
    def goes_on_for_half_an_hour(self, mood: str) -> None:
        for _ in range(32):
            self._judge(dict.fromkeys(self.site.regions, mood), 100)

    @rule(minutes=st.sampled_from((5, 16, 31, 61, 181, 1440, 3 * 1440, 8 * 1440)))
    def time_passes(self, minutes: int) -> None:
        self.minute += 60 * minutes

    @rule(name=st.sampled_from(sorted(POLICIES)), data=st.data())
    def is_redeployed(self, name: str, data: st.DataObject) -> None:
        changes: dict[str, Any] = {name: data.draw(POLICIES[name])}
        self.server = replace(self.server, **changes)

    @rule()
    def is_paused_or_goes_on(self) -> None:
        self.server = replace(self.server, paused=not self.server.paused)
        self._judge({}, 100)

    @rule(regions=st.sampled_from((3, 2, 1)))
    def regions_are_chosen(self, regions: int) -> None:
        self.site = replace(self.site, regions=ALL_REGIONS[:regions])

    @rule(
        begins=st.integers(-3, 4),
        minutes=st.sampled_from((3, 1, 10, 60, 2 * 1440)),
        counting=st.sampled_from(COUNTINGS),
        others=st.booleans(),
    )
    def is_maintained(self, begins: int, minutes: int, counting: str, others: bool) -> None:
        begin = self.minute + 60 * begins
        whom = ("bolt",) if others else (SLUG,)
        window = Window("", whom, (), begin, begin + 60 * minutes, uptime=counting).named()
        self.site = replace(self.site, maintenance=(*self.site.maintenance, window))

    @rule()
    def maintenance_ends(self) -> None:
        self.site = replace(self.site, maintenance=())

    @rule(days=st.sampled_from((400, 30, 14, 7, 3, 0)), minutes=st.integers(-3, 3), which=st.booleans())
    def something_ends(self, days: int, minutes: int, which: bool) -> None:
        at = self.minute + days * DAY + 60 * minutes
        self.ends = replace(self.ends, **{"certificate" if which else "credential": at})

    @rule(surface=st.sampled_from(SURFACES), rounds=st.integers(1, 3))
    def offers(self, surface: str, rounds: int) -> None:
        """Another surface, which is believed from the second round on."""
        self.surface = surface
        for _ in range(rounds):
            self._judge(dict.fromkeys(self.site.regions, "up"), 100)

    @rule()
    def is_removed_and_listed_again(self) -> None:
        state = self.state.servers.get(SLUG)
        if state is None or not self.account.moments:
            return
        for number in state.incidents.values():
            closed, notice = close(self.server, self.incidents[number], self.minute, "removed", state, self.site)
            self.incidents[number] = closed
            self.notices.append(notice)
        self.state = replace(self.state, servers={})
        self.account.remove(self.minute, plan(self.server, self.site))
        self.told += self.account.told
        self.account = Account()
        self.minute += 60

    def _judge(self, moods: dict[str, str], took_ms: int) -> tuple[int, dict[str, Round]]:
        """One minute, in which the server is due unless it is paused; which, and the rounds that came."""
        every = max(60, self.server.interval_s)
        while not replace(self.server, paused=False).due(self.minute):
            self.minute += 60
        results = {
            region: self._result(mood, took_ms, ALL_REGIONS.index(region))
            for region, mood in moods.items()
            if mood != "dark"
        }
        rounds = {region: unpack(pack(Round("s000", self.minute, region, (one,)))) for region, one in results.items()}
        covering = Calendar(self.site.maintenance, self.minute, self.minute + 60).covering
        still = {number: one for number, one in self.incidents.items() if one.resolved_at is None}
        judged = judge_minute(
            self.state, self.minute, rounds, [self.server], self.site, still, DRIFTS, covering=covering
        )
        self._store(judged)
        heard = {region: item.results[0] for region, item in rounds.items()}
        changes = tuple(
            Change(one.drift["class"], *compare.ends(one.drift), tuple(one.drift["regions"])) for one in judged.changes
        )
        self.account.hear(Heard(self.minute, plan(self.server, self.site), heard, changes=changes))
        assert compare.stood(self.state.servers[SLUG]) == compare.stands(self.account.moments[-1])
        assert compare.known(self.state.servers[SLUG]) == compare.knows(self.account)
        assert judged.verdicts.get(SLUG) == self.account.codes.get(self.minute)
        self.minute += every
        return judged.minute, rounds

    def _store(self, judged: Judgement) -> None:
        as_stored = {SLUG: ServerState.from_json(json.loads(json.dumps(judged.state.servers[SLUG].to_json())))}
        assert as_stored == dict(judged.state.servers)
        self.state = replace(judged.state, servers=as_stored)
        self.incidents |= {one.id: one for one in judged.incidents}
        self.notices += judged.notices

    def _result(self, mood: str, took_ms: int, place: int) -> ProbeResult:
        one = result(SLUG, mood, self.minute + 1, self.minute, place, self.ends)
        if not one.timings_ms:
            return one
        return replace(one, timings_ms={"total": float(took_ms + place)}, surface_address=self.surface)

    # --- what must be ---------------------------------------------------------------------------------------------

    @invariant()
    def nothing_else_is_told(self) -> None:
        told = sorted(self.notices, key=lambda notice: notice.id)
        compare.check_told(SLUG, told, [*self.told, *self.account.told], self.incidents)
        compare.check_open(self.incidents.values(), [self.state], [self.server])


def test_days() -> None:
    run_state_machine_as_test(
        Days,
        settings=settings(max_examples=DAYS, stateful_step_count=30, database=None, deadline=None, derandomize=True),
    )


WELL = dict.fromkeys(ALL_REGIONS[:3], "up")


def _slows_down(days: Days) -> None:
    days.begins([(1, 40, 94), (2, 1000, 1), (1, 100, 5)], 60)
    days.goes_well(WELL, 3, 320)
    days.time_passes(1440)
    days.goes_well(WELL, 5, 1000)


def _is_maintained(days: Days) -> None:
    days.begins([], 60)
    days.is_maintained(1, 3, "exclude", others=False)
    days.goes_well(WELL, 6, 100)


def _flaps(days: Days) -> None:
    days.begins([], 60)
    days.server = replace(days.server, flap_after=1, down_after=1, up_after=1)
    days.turns(4, ("down", "up"))
    days.goes_on_for_half_an_hour("up")


def _changes(days: Days) -> None:
    days.begins([], 60)
    days.offers(SURFACES[2], 3)
    days.offers(SURFACES[0], 3)
    days.time_passes(8 * 1440)
    days.goes_well(WELL, 1, 100)


def _is_confirmed(days: Days) -> None:
    days.begins([], 60)
    days.goes_well(WELL, 1, 100)
    days.is_asked_again({}, [dict.fromkeys(WELL, "down")] * 2)


WRONG: dict[str, tuple[Any, str, Any, Callable[[Days], None]]] = {
    "nothing is slow beside itself": (latency, "too_slow", lambda *_: False, _slows_down),
    "anything may be slow": (latency, "FLOOR_MS", 2000, _slows_down),
    "a day is enough to know it by": (latency, "ENOUGH", 101, _slows_down),
    "the median is usual": (latency, "_PERCENT", 50, _slows_down),
    "nothing is maintained": (Calendar, "covering", lambda *_: None, _is_maintained),
    "it is calm after ten minutes": (flapping, "CALM_S", 600, _flaps),
    "nobody asks again": (judge, "awaits_confirmation", lambda *_: False, _is_confirmed),
    "a drift stays open": (drift, "SETTLED_S", 30 * DAY, _changes),
}


def _happens(what: Callable[[Days], None], days: Days) -> None:
    what(days)
    days.nothing_else_is_told()


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_judge_is_found_out(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, wrong, happens = WRONG[what]
    _happens(happens, Days())
    monkeypatch.setattr(module, name, wrong)
    with pytest.raises(AssertionError):
        _happens(happens, Days())
