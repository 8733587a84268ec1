"""Faults on the local AWS: writes that are refused, throttled, failed, or done without an answer.

What an undisturbed Lookout makes of the same rounds (`replay`) is what a disturbed one must hold in the end, to the
byte: states, verdicts, incidents and notices. Many more combinations are in tests/unit/jobs/test_outage.py, on a store
in memory; here the refusals, the retries, the queues of the regions and their draining are those of the services.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from lookout import settings

from tests.e2e.meddler import Call, Fate, meddler
from tests.e2e.replay import replayed, stored

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SLUG = "demo-flaky"
ATTEMPTS = 5
"""Of the SDK to write once, at most."""
OUTAGE = 10
"""Minutes."""


@pytest.fixture(scope="module", autouse=True)
def mended(world: Any) -> Iterator[None]:
    """What comes after begins at the present minute."""
    yield
    world.demo.set_fault(SLUG, None)
    world.begin_anew(minutes_ago=1)


@contextmanager
def home_without_writes(world: Any) -> Iterator[None]:
    """Neither rounds, from wherever, nor the judge's memory can be written."""
    with ExitStack() as stack:
        for region in REGIONS:
            for function in ("probe", "drain"):
                stack.enter_context(world.without(function, "dynamodb:PutItem", settings.ROUNDS_TABLE, region))
        stack.enter_context(world.without("judge", "dynamodb:PutItem", settings.INCIDENTS_TABLE))
        yield


@contextmanager
def not_drained(world: Any) -> Iterator[None]:
    """No region tries what it holds: the rest between two attempts is proved elsewhere, and only waited for here."""
    held = []
    for region in REGIONS:
        client = world.client("lambda", region)
        (mapping,) = client.list_event_source_mappings(FunctionName=settings.function_name("drain"))[
            "EventSourceMappings"
        ]
        client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        held.append((client, mapping["UUID"]))
    try:
        yield
    finally:
        for client, uuid in held:
            client.update_event_source_mapping(UUID=uuid, Enabled=True)


def probe_everywhere(world: Any) -> dict[str, tuple[bool, bool]]:
    """The next minute, in all regions at once: by region, was its round (stored, put into the queue)?"""
    world.minute += 60
    event = world.probe_event(world.minute, but=("demo-slow",))
    with ThreadPoolExecutor(len(REGIONS)) as pool:
        answers = list(pool.map(lambda region: world.invoke("probe", event, region), REGIONS))
    return {region: (one["stored"], one["waiting"]) for region, one in zip(REGIONS, answers, strict=True)}


def waiting(world: Any) -> list[int]:
    """Rounds in the queues of the regions."""
    return [world.queued(settings.WAITING_QUEUE, region) for region in REGIONS]


def told(world: Any, since: int) -> list[str]:
    """The types of what the receiver got about the server that breaks, after so many deliveries."""
    return [json.loads(event["body"])["type"] for event in world.events(SLUG)[since:]]


def test_ten_minutes_without_a_home_region_are_judged_late_and_told_once(world: Any, until: Callable[..., Any]) -> None:
    seen = len(world.events(SLUG))
    world.begin_long_ago(minutes_ago=22)
    world.play(2)
    before = world.store.shard_state("s000")
    with not_drained(world):
        with home_without_writes(world):
            world.demo.set_fault(SLUG, "500")
            first = world.minute + 60
            for _ in range(OUTAGE):
                assert probe_everywhere(world) == dict.fromkeys(REGIONS, (False, True))
            assert "AccessDenied" in world.error("judge", {})
            assert world.store.shard_state("s000") == before
            assert waiting(world) == [OUTAGE] * len(REGIONS)
            assert told(world, seen) == []
        # The home region is back before what regions hold: the tick comes first, and decides nothing alone.
        assert world.error("judge", {}) == ""
        assert world.store.shard_state("s000").judged == before.judged
    last = first + 60 * (OUTAGE - 1)
    until(lambda: world.store.shard_state("s000").judged >= last)
    until(lambda: told(world, seen))
    world.demo.set_fault(SLUG, None)
    world.play(3)
    until(lambda: len(told(world, seen)) >= 2)
    until(lambda: world.undelivered() == 0)
    assert told(world, seen) == ["incident.opened", "incident.resolved"]
    opened, resolved = (json.loads(event["body"]) for event in world.events(SLUG)[seen:])
    assert opened["quorum"] == {
        "regions_total": 3,
        "regions_failing": 3,
        "regions_unknown": 0,
        "rule": "2-of-3",
        "consecutive_rounds": 3,
    }
    assert opened["timestamp"] < resolved["timestamp"]
    rounds = world.store.rounds("s000", first, last, int(time.time()))
    assert sorted(rounds) == list(range(first, last + 60, 60))
    assert all(set(found) == set(REGIONS) for found in rounds.values())
    hours = {minute // 3600 * 3600 for minute in rounds}
    verdicts = {m: v for hour in hours for m, v in world.store.verdicts("s000", hour, int(time.time())).items()}
    assert all(verdicts[minute][SLUG] == "d" for minute in rounds)
    assert all(verdicts[minute]["demo-modern"] == "u" for minute in rounds)
    assert stored(world) == replayed(world)
    assert waiting(world) == [0] * len(REGIONS)


class Throttling:
    """Of the attempts to write, some are throttled, some fail, some are done and not answered."""

    PLAN = (Fate.THROTTLED, Fate.PASSED, Fate.UNANSWERED, Fate.PASSED, Fate.FAILED, Fate.PASSED, Fate.PASSED)

    def __init__(self) -> None:
        self._attempts, self._refused = Counter[str](), Counter[str]()

    def refuse(self, what: str, attempts: int) -> None:
        """Throttle so many attempts in a row to write it."""
        self._refused[what] = attempts

    def __call__(self, call: Call) -> Fate:
        if not call.writes:
            return Fate.PASSED
        if self._refused[call.writes]:
            self._refused[call.writes] -= 1
            return Fate.THROTTLED
        self._attempts[call.writes] += 1
        return self.PLAN[self._attempts[call.writes] % len(self.PLAN)]


def test_throttled_and_failing_writes_delay_and_change_nothing(world: Any, until: Callable[..., Any]) -> None:
    seen = len(world.events(SLUG))
    world.begin_long_ago(minutes_ago=52)
    first = world.minute + 60
    probes, others = Throttling(), Throttling()
    became = Counter[tuple[bool, bool]]()
    with (
        meddler(world, [("probe", region) for region in REGIONS], probes) as before_probes,
        meddler(world, [("judge", HOME), *(("drain", region) for region in REGIONS)], others) as before_others,
    ):
        for minute in range(9):
            world.demo.set_fault(SLUG, "500" if 2 <= minute < 6 else None)
            # Until nobody tries again: the rounds of one minute wait in their regions, and one judge gives up.
            if minute == 3:
                probes.refuse("round", ATTEMPTS * len(REGIONS))
            if minute == 5:
                others.refuse("state", ATTEMPTS)
            became.update(probe_everywhere(world).values())
        until(lambda: world.store.shard_state("s000").judged >= world.minute)
        until(lambda: waiting(world) == [0] * len(REGIONS))
    until(lambda: len(told(world, seen)) >= 2)
    until(lambda: world.undelivered() == 0)
    assert told(world, seen) == ["incident.opened", "incident.resolved"]
    rounds = world.store.rounds("s000", first, world.minute, int(time.time()))
    assert sorted(rounds) == list(range(first, world.minute + 60, 60))
    assert all(set(found) == set(REGIONS) for found in rounds.values())
    assert stored(world) == replayed(world)
    # It was a test: both met every fate, a round waited, and another was stored before its answer.
    met = before_probes.fates + before_others.fates
    assert {(what, fate) for what in ("round", "state") for fate in Throttling.PLAN} <= set(met)
    assert set(became) == {(True, False), (False, True), (False, False)}
