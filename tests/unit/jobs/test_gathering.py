"""A mass failure from the rounds to the outbox, over five shards on a store in memory: decision 12, X."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

import pytest
from lookout.config.model import SHARD_SIZE, Server, Sink, Site
from lookout.errors import ConflictError
from lookout.history.round import Round
from lookout.jobs.gathering import STUCK_S, gather_held
from lookout.jobs.judging import judge_shards
from lookout.notify.dispatcher import fan_out
from lookout.probe.result import Layer, ProbeResult, Reason, Status
from lookout.verdict.case import Notice
from lookout.verdict.gathering import Step

from tests.handlers.memory import Memory, MemoryMass

START = 1_790_000_040
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS, (Sink("hook", "webhook", "https://ops.acme.dev/x"),))
SHARDS = [f"s{number:03d}" for number in range(5)]
SERVERS = [
    Server(f"server-{n:03d}", f"https://mcp{n}.dev/mcp", shard=SHARDS[n // SHARD_SIZE], notify=("hook",))
    for n in range(5 * SHARD_SIZE)
]
EVERYBODY = {server.slug for server in SERVERS}
Fails = Callable[[str, str], bool]
"""(slug, region): does it fail?"""


class Killed(BaseException):
    """A process that ends here and now."""


class Lookout(Memory):
    """Two hundred servers in five shards, minute by minute."""

    def __init__(self, servers: Iterable[Server] = SERVERS) -> None:
        super().__init__(SITE, servers)
        self.mass = MemoryMass(self.held, self.notices)
        self.now = START
        self.queued: list[str] = []

    def minute(self, down: Iterable[str] = (), fails: Fails | None = None, *, tick: bool = True) -> list[Notice]:
        """Every region reports, every shard is judged by a wake of its own, the tick comes; what went to the outbox."""
        failing = set(down)
        before = set(self.notices)
        _, servers = self.definitions
        for shard in sorted({server.shard for server in servers}):
            for region in REGIONS:
                results = tuple(
                    self._result(s.slug, s.slug in failing or bool(fails and fails(s.slug, region)))
                    for s in servers
                    if s.shard == shard
                )
                self.put_round(Round(shard, self.now, region, results), self.now)
            judge_shards(self, {shard}, self.now + 20, unread)  # type: ignore[arg-type]  # in memory
        self.now += 60
        if tick:
            self.tick()
        told = [notice for key, notice in self.notices.items() if key not in before]
        fan_out(told, lambda notice, *_: self.queued.append(notice))
        return told

    def tick(self) -> tuple[Notice, ...]:
        return gather_held(self, self.mass, self.now)  # type: ignore[arg-type]  # in memory

    def _result(self, slug: str, fails: bool) -> ProbeResult:
        at_ms = self.now * 1000 + 7000
        if fails:
            return ProbeResult(slug, Status.DOWN, at_ms, Layer.HTTP, Reason.HTTP_5XX, f"{slug}: 502", 502)
        return ProbeResult(slug, Status.UP, at_ms)

    @property
    def open(self) -> set[str]:
        return {incident.slug for incident in self.incidents.values() if incident.resolved_at is None}


def unread(address: str) -> bytes:
    raise AssertionError(address)


def said(notices: Iterable[Notice]) -> Counter[str]:
    return Counter(notice.type for notice in notices)


def test_two_hundred_servers_that_fail_in_one_minute_are_one_digest() -> None:
    lookout = Lookout()
    told = [*lookout.minute(), *lookout.minute(EVERYBODY), *lookout.minute(EVERYBODY)]
    assert not told
    (digest,) = lookout.minute(EVERYBODY)
    assert (digest.type, digest.server["name"], digest.status, digest.severity) == (
        "digest",
        "200 servers",
        "down",
        "critical",
    )
    assert lookout.open == EVERYBODY
    assert len(lookout.incidents) == 200
    assert lookout.queued == [digest.id]
    assert not lookout.minute(EVERYBODY)


def test_when_all_recover_one_notice_says_so() -> None:
    lookout = Lookout()
    (opened,) = [one for minute in range(4) for one in lookout.minute(EVERYBODY if minute else ())]
    assert not lookout.minute()
    (over,) = lookout.minute()
    assert (over.type, over.dedup_key, over.status) == ("digest", opened.dedup_key, "up")
    assert over.incident is not None
    assert over.incident.resolution == "recovered"
    assert lookout.open == set()
    assert not [one for _ in range(5) for one in lookout.minute()]


def test_those_that_stay_down_are_told_alone_when_it_is_over_and_resolved_alone() -> None:
    lookout = Lookout()
    stay = {SERVERS[0].slug, SERVERS[77].slug, SERVERS[199].slug}
    lookout.minute()
    for _ in range(3):
        lookout.minute(EVERYBODY)
    told = [one for _ in range(5) for one in lookout.minute(stay)]
    assert said(told) == {"digest": 1, "incident.opened": 3}
    over, *alone = told
    assert over.digest is not None
    assert (over.digest["servers"], over.digest["failing"], over.status) == (200, 3, "degraded")
    assert {one.slug for one in alone} == stay == {member["slug"] for member in over.digest["members"][:3]}
    assert all(not one.held for one in alone)
    ends = [one for _ in range(4) for one in lookout.minute()]
    assert said(ends) == {"incident.resolved": 3}
    assert {one.dedup_key for one in ends} == {one.dedup_key for one in alone}
    assert lookout.mass.read().idle


def test_a_fifth_of_the_servers_is_no_mass_failure() -> None:
    lookout = Lookout()
    some = {server.slug for server in SERVERS[::5]}
    told = [one for minute in range(5) for one in lookout.minute(some if minute else ())]
    assert said(told) == {"incident.opened": 40}
    assert not lookout.mass.steps


def test_a_region_that_fails_for_everybody_is_one_digest() -> None:
    lookout = Lookout(SERVERS[:6])

    def dublin(_: str, region: str) -> bool:
        return region == "eu-west-1"

    told = [one for minute in range(5) for one in lookout.minute(fails=dublin if minute else None)]
    assert [one.slug for one in told] == ["digest:region:eu-west-1"]
    assert {incident.kind for incident in lookout.incidents.values()} == {"regional"}
    ends = [one for _ in range(5) for one in lookout.minute()]
    assert [(one.type, one.status) for one in ends] == [("digest", "up")]


def test_ticks_that_miss_or_die_make_it_late_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    lookout, chance = Lookout(), random.Random(4)
    keep = lookout.mass.keep

    def killed(step: Step, now: int) -> None:
        if chance.random() < 0.3:
            raise Killed
        keep(step, now)
        if chance.random() < 0.3:
            raise Killed

    monkeypatch.setattr(lookout.mass, "keep", killed)
    told: list[Notice] = []
    stay = {server.slug for server in SERVERS[:60]}
    for minute in range(60):
        down = EVERYBODY if 1 <= minute < 10 else stay if 10 <= minute < 40 else set()
        told += lookout.minute(down, tick=False)
        before = set(lookout.notices)
        with suppress(Killed):
            lookout.tick()
        told += [one for key, one in lookout.notices.items() if key not in before]
    opened, ended = (
        Counter(one.dedup_key for one in told if one.type == f"incident.{what}") for what in ("opened", "resolved")
    )
    assert said(told)["digest"] == 2
    assert opened == ended
    assert set(opened.values()) == {1}
    assert stay <= {one.slug for one in told if one.type == "incident.opened"}
    taken = {notice.dedup_key for step in lookout.mass.steps for notice, _ in step.taken}
    assert taken | set(opened) == set(lookout.incidents)
    assert lookout.mass.read().idle


def test_before_the_first_configuration_nothing_is_decided() -> None:
    lookout = Lookout()
    for minute in range(4):
        lookout.minute(EVERYBODY if minute else (), tick=False)
    lookout.definitions = (None, [])
    assert lookout.tick() == ()
    assert len(lookout.held) == 200


def test_who_loses_to_another_tick_gives_up_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    lookout = Lookout()
    for minute in range(4):
        lookout.minute(EVERYBODY if minute else (), tick=False)

    def refused(step: Step, now: int) -> None:
        raise ConflictError("another tick was first")

    monkeypatch.setattr(lookout.mass, "keep", refused)
    assert lookout.tick() == ()
    lookout.now += STUCK_S
    with pytest.raises(ConflictError):
        lookout.tick()
    assert len(lookout.held) == 200
