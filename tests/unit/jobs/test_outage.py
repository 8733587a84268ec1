"""Faults of the home region, of probes and of judges, minute by minute on a store in memory.

What an undisturbed Lookout would have stored, decided and told is what a disturbed one must have in the end: only
later. Everything that is written goes through the same functions as in the functions' handlers.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest
from lookout.config.model import Server, Sink, Site
from lookout.history.round import Round
from lookout.jobs.judging import judge_shards
from lookout.jobs.keeping import Kept, drain, keep, parse
from lookout.jobs.watching import watch_over
from lookout.probe.result import Layer, ProbeResult, Reason, Status
from lookout.verdict.case import Notice
from lookout.verdict.judge import Judgement
from lookout.verdict.state import ServerState, ShardState
from lookout.verdict.watch import DRAIN_S, Watch, held_before

from tests.handlers.memory import Memory, MemoryLog

START = 1_790_000_040
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS, (Sink("hook", "webhook", "https://ops.acme.dev/x"),))
SERVERS = (
    Server("flaky", "https://flaky.dev/mcp", shard="s000", notify=("hook",)),
    Server("steady", "https://steady.dev/mcp", shard="s000", notify=("hook",)),
)
DOWN = (Status.DOWN, Layer.HTTP, Reason.HTTP_5XX, "HTTP 502", 502)


class Killed(BaseException):
    """A process that ends here and now."""


class Lookout(Memory):
    """A whole Lookout: `refuses` says per (kind of write, minute of the run) whether the home region takes it."""

    def __init__(self, refuses: Callable[[str, int], bool] = lambda *_: False) -> None:
        super().__init__(SITE, SERVERS)
        self.refuses = refuses
        self.at = 0
        """Minutes since START."""
        self.queues: dict[str, list[dict[str, Any]]] = {region: [] for region in REGIONS}
        self.log = MemoryLog(self.notices)
        self.before_commit: Callable[[], None] = lambda: None
        self.after_commit: Callable[[], None] = lambda: None

    @property
    def now(self) -> int:
        return START + 60 * self.at

    # --- the store, refusing

    def put_round(self, item: Round, now: int) -> bool:
        if self.refuses("round", self.at):
            raise TimeoutError
        return super().put_round(item, now)

    def commit(self, judgement: Judgement, now: int) -> ShardState:
        if self.refuses("state", self.at):
            raise TimeoutError
        self.before_commit()
        after = super().commit(judgement, now)
        self.after_commit()
        return after

    def shard_states(self) -> list[ShardState]:
        return list(self.states.values())

    def server_states(self) -> dict[str, ServerState]:
        return {slug: one for shard in self.states.values() for slug, one in shard.servers.items()}

    def read(self) -> Watch:
        return self.log.read()

    def keep(self, watch: Watch, notices: tuple[Notice, ...]) -> None:
        if self.refuses("state", self.at):
            raise TimeoutError
        self.log.keep(watch, notices)

    # --- what happens in a minute

    def judge(self, shards: set[str] | None, seconds: int) -> None:
        """A stream's wake, or a tick; what it raises is Lambda's to log."""
        now = self.now + seconds
        if shards is None:
            with suppress(TimeoutError):
                watch_over(self, self, now)  # type: ignore[arg-type]  # in memory
        with suppress(ExceptionGroup, Killed):
            judge_shards(self, shards, now, unread, held_before(self.read(), now))  # type: ignore[arg-type]  # in memory

    def probe(self, region: str, failing: bool) -> None:
        results = tuple(
            ProbeResult(
                s.slug,
                *(
                    (DOWN[0], self.now * 1000 + 7000, *DOWN[1:])
                    if failing and s is SERVERS[0]
                    else (Status.UP, self.now * 1000 + 7000)
                ),
            )
            for s in SERVERS
        )
        item, queue = Round("s000", self.now, region, results), self.queues[region]

        def wait(body: str) -> None:
            sent, handle = str(self.now * 1000), f"{region} {self.now}"
            attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": sent}
            queue.append({"messageId": handle, "receiptHandle": handle, "body": body, "attributes": attributes})

        if keep(item, lambda one: self.put_round(one, self.now), wait, 5) is Kept.STORED:
            self.judge({"s000"}, 10)

    def drain(self, region: str, order: Callable[[list[Any]], None] = lambda _: None) -> None:
        """What the region's queue holds, ten at a time."""
        waiting = self.queues[region]
        order(waiting)
        for i in range(0, len(waiting), 10):
            batch = waiting[i : i + 10]
            done = drain(batch, lambda one: self.put_round(one, self.now), lambda *_: None, self.now, lambda: 0.5)
            waiting = [one for one in waiting if one not in batch or one["messageId"] in done.kept]
            if done.stored:
                self.judge({"s000"}, 30)
        self.queues[region] = waiting

    def minute(
        self,
        failing: bool = False,
        *,
        probing: Iterable[str] = REGIONS,
        draining: Iterable[str] = (),
        order: Callable[[list[Any]], None] = lambda _: None,
    ) -> None:
        for region in probing:
            self.probe(region, failing)
        for region in draining:
            self.drain(region, order)
        self.judge(None, 40)
        self.at += 1

    # --- what is compared

    def history(self) -> tuple[Any, Any]:
        return sorted(self.stored.items()), sorted(self.judged.items())

    def told(self) -> list[dict[str, Any]]:
        return [self.notices[key].to_json() for key in sorted(self.notices)]


def unread(address: str) -> bytes:
    raise AssertionError(address)


def is_failing(minute: int) -> bool:
    """Fails in one spell of five minutes, and again in one of six."""
    return 8 <= minute < 13 or 20 <= minute < 26


def undisturbed(minutes: int) -> Lookout:
    lookout = Lookout()
    for minute in range(minutes):
        lookout.minute(is_failing(minute))
    return lookout


MINUTES = 45
EXPECTED = undisturbed(MINUTES)


def test_the_undisturbed_run_tells_of_both_spells() -> None:
    types = sorted((n["created_at"], n["type"]) for n in EXPECTED.told())
    assert [kind for _, kind in types] == ["incident.opened", "incident.resolved"] * 2
    assert len(EXPECTED.stored) == MINUTES * len(REGIONS)


@pytest.mark.parametrize("first", [3, 7, 9, 11, 14])
@pytest.mark.parametrize("arrival", list(itertools.permutations(REGIONS)))
def test_ten_minutes_without_a_home_region_only_delay(first: int, arrival: tuple[str, ...]) -> None:
    """Nothing is written for ten scheduled minutes; then one region's rounds arrive after the other's, shuffled."""
    gone = range(first, first + 10)
    lookout = Lookout(lambda _, minute: minute in gone)
    shuffle = random.Random(first).shuffle
    for minute in range(MINUTES):
        if minute == first + 9:
            assert sum(map(len, lookout.queues.values())) == 9 * len(REGIONS)
            assert max(n["created_at"] for n in lookout.told() or [{"created_at": 0}]) < START + 60 * first + 60
        # The rounds that rest longest come five minutes after the home region.
        back = [region for i, region in enumerate(arrival) if minute == first + 11 + 2 * i]
        trying = REGIONS if minute in gone else back
        lookout.minute(is_failing(minute), draining=trying, order=shuffle)
    assert lookout.history() == EXPECTED.history()
    assert lookout.told() == EXPECTED.told()
    assert lookout.incidents == EXPECTED.incidents
    assert not any(lookout.queues.values())


def test_a_home_region_that_refuses_rounds_alone_is_judged_blind_and_the_history_is_complete() -> None:
    """The judge works on: minutes without rounds are unknown at their deadline; late rounds change no verdict."""
    gone = range(27, 37)
    lookout = Lookout(lambda kind, minute: kind == "round" and minute in gone)
    for minute in range(MINUTES):
        lookout.minute(is_failing(minute), draining=REGIONS)
    assert lookout.history()[0] == EXPECTED.history()[0]
    codes = [lookout.judged["s000", START + 60 * minute]["steady"] for minute in gone]
    assert set(codes[:-4]) == {"?"}
    told = [n for n in lookout.told() if n["type"] != "region.stale"]
    keys = [(n["dedup_key"], n["type"]) for n in told]
    assert len(keys) == len(set(keys)) == 4


def test_a_region_that_never_comes_back_holds_nobody_up_for_longer_than_it_may() -> None:
    gone = range(9, 19)
    lookout = Lookout(lambda _, minute: minute in gone)
    for minute in range(MINUTES):
        here = REGIONS[:2] if minute >= 9 else REGIONS
        lookout.minute(is_failing(minute), probing=here, draining=() if minute in gone else REGIONS)
        if minute == 19 + DRAIN_S // 60 + 1:
            assert lookout.states["s000"].judged >= START + 60 * (minute - 3)
    told = [n["type"] for n in lookout.told()]
    assert sorted(told) == ["incident.opened"] * 2 + ["incident.resolved"] * 2 + ["region.stale"]


def test_probes_killed_in_mid_round_leave_their_region_silent_for_that_minute_and_nothing_else() -> None:
    killed = random.Random(4)
    lookout = Lookout()
    lost = 0
    for minute in range(MINUTES):
        here = list(REGIONS)
        if killed.random() < 0.4:
            here.remove(killed.choice(REGIONS))
            lost += 1
        lookout.minute(is_failing(minute), probing=here)
    assert lost > 10
    assert len(lookout.stored) == MINUTES * len(REGIONS) - lost
    keys = [(n["dedup_key"], n["type"]) for n in lookout.told()]
    assert keys == [(n["dedup_key"], n["type"]) for n in EXPECTED.told()]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("every", [1, 2, 3, 7])
def test_a_judge_killed_around_its_write_leaves_nothing_half_done(when: str, every: int) -> None:
    """Before the write nothing has changed; after it everything has, though nobody was answered."""
    lookout = Lookout()
    count = itertools.count(1)

    def kill() -> None:
        if next(count) % (every + 1):
            raise Killed

    setattr(lookout, f"{when}_commit", kill)
    for minute in range(MINUTES):
        lookout.minute(is_failing(minute))
    setattr(lookout, f"{when}_commit", lambda: None)
    lookout.judge(None, 59)
    lookout.judge({"s000"}, 59)
    assert lookout.history() == EXPECTED.history()
    assert lookout.told() == EXPECTED.told()


@pytest.mark.parametrize("seed", range(40))
def test_throttled_and_failing_writes_lose_nothing_and_tell_nothing_twice(seed: int) -> None:
    chance = random.Random(seed)
    share = chance.choice((0.1, 0.3, 0.6))
    calm = MINUTES - 12
    lookout = Lookout(lambda _, minute: minute < calm and chance.random() < share)
    for minute in range(MINUTES):
        lookout.minute(is_failing(minute), draining=REGIONS, order=chance.shuffle)
    assert lookout.history()[0] == EXPECTED.history()[0]
    assert list(lookout.judged) == sorted(EXPECTED.judged)
    opened = [n["dedup_key"] for n in lookout.told() if n["type"] == "incident.opened"]
    resolved = [n["dedup_key"] for n in lookout.told() if n["type"] == "incident.resolved"]
    assert len(opened) == len(set(opened))
    assert sorted(opened) == sorted(resolved)
    assert not any(incident.resolved_at is None for incident in lookout.incidents.values())


def test_what_waits_is_what_was_probed() -> None:
    lookout = Lookout(lambda *_: True)
    lookout.minute(failing=True)
    for region, queue in lookout.queues.items():
        (waiting,) = [parse(one["body"]) for one in queue]
        assert (waiting.region, waiting.minute) == (region, START)
        assert [r.status for r in waiting.results] == [Status.DOWN, Status.UP]
