"""Processes that are killed on the local AWS: a probe in mid-round, a judge at every point around its write.

What is half done by then must be nothing: before a judge's write all is as it was, after it all is as an undisturbed
judge leaves it (`replay`), to the byte.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lookout import settings
from lookout.history.round import Round
from lookout.probe.result import Era, Layer, ProbeResult, Reason, Status

from tests.e2e.meddler import Call, Fate, Meddler, meddler
from tests.e2e.replay import replayed, stored

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SLUG = "demo-flaky"


@pytest.fixture(scope="module", autouse=True)
def fresh_minutes(world: Any) -> Iterator[None]:
    """What comes after begins at the present minute."""
    yield
    world.begin_anew(minutes_ago=1)


def test_a_probe_killed_in_mid_round_leaves_its_region_silent_for_that_minute_alone(
    world: Any, until: Callable[..., Any]
) -> None:
    killed, others = REGIONS[0], REGIONS[1:]
    client, name = world.client("lambda", killed), settings.function_name("probe")
    seconds = client.get_function_configuration(FunctionName=name)["Timeout"]
    seen = len(world.events(SLUG))
    with world.stream_paused():
        world.begin_anew(minutes_ago=6)
        world.play(1, judged=False)
        world.minute += 60
        event = world.probe_event(world.minute)
        event["site"]["spread_s"] = 20
        client.update_function_configuration(FunctionName=name, Timeout=1)
        try:
            assert world.error("probe", event, killed)
        finally:
            client.update_function_configuration(FunctionName=name, Timeout=seconds)
        world.dispatch(world.minute, others)
        until(lambda: set(world.rounds(world.minute)) >= set(others))
        assert set(world.rounds(world.minute)) == set(others)
        assert world.queued(settings.WAITING_QUEUE, killed) == 0
        lonely = world.minute
        world.play(1, judged=False)
        assert set(world.rounds(world.minute)) == set(REGIONS)
        assert world.error("judge", {}) == ""
    verdicts = world.store.verdicts("s000", lonely // 3600 * 3600, int(time.time()))
    assert verdicts[lonely]["demo-modern"] == "u"
    assert stored(world) == replayed(world)
    assert world.events(SLUG)[seen:] == []


def given_round(world: Any, region: str, minute: int, failing: bool) -> Round:
    """A round as a probe would store it."""
    ok: dict[str, Any] = {"era": Era.MODERN, "http_status": 200, "tools_count": 1, "timings_ms": {"total": 7.0}}
    bad = {**ok, "layer": Layer.HTTP, "reason": Reason.HTTP_5XX, "message": "HTTP 500", "http_status": 500}
    at_ms = minute * 1000 + 5000
    results = [
        ProbeResult(s.slug, Status.DOWN, at_ms, **bad)
        if failing and s.slug == SLUG
        else ProbeResult(s.slug, Status.UP, at_ms, **ok)
        for s in world.store.roster()[1]
    ]
    return Round("s000", minute, region, tuple(results))


def report(world: Any, *, failing: bool) -> None:
    """The next minute's rounds, from all regions."""
    world.minute += 60
    for region in REGIONS:
        assert world.store.put_round(given_round(world, region, world.minute, failing), world.minute + 10)


COMMIT = Call("TransactWriteItems", "state")


def kill_judge(
    world: Any, between: Meddler, event: dict[str, Any], at: Callable[[list[Call]], bool], *, done: bool
) -> list[Call]:
    """Wake a judge and kill its process `at` a call, when that was `done` or before it is; its calls, that one last."""
    calls: list[Call] = []

    def decide(call: Call) -> Fate:
        calls.append(call)
        if not at(calls):
            return Fate.PASSED
        if done:
            return Fate.UNANSWERED
        world.kill("judge")
        return Fate.DROPPED

    between.decide = decide
    between.after = lambda _: world.kill("judge") if at(calls) else None
    try:
        assert "Worker process died" in world.error("judge", event)
    finally:
        between.decide, between.after = lambda _: Fate.PASSED, lambda _: None
    return calls


def at_commit(calls: list[Call]) -> bool:
    """Is the last of these the transaction of all that was judged?"""
    return calls[-1] == COMMIT


def killed_around_the_write(world: Any, between: Meddler, event: dict[str, Any]) -> None:
    """The minute that waits is judged by a judge killed before its write, by one after it, and by one nobody kills."""
    before = stored(world)
    assert before.judged < world.minute
    kill_judge(world, between, event, at_commit, done=False)
    assert stored(world) == before
    kill_judge(world, between, event, at_commit, done=True)
    after = replayed(world)
    assert after.judged == world.minute
    assert stored(world) == after
    assert world.error("judge", event) == ""
    assert stored(world) == after


def test_a_judge_killed_at_any_point_leaves_nothing_half_done_and_tells_once(
    world: Any, until: Callable[..., Any]
) -> None:
    seen = len(world.events(SLUG))
    landed = {"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": "s000#1"}, "sk": {"S": "00#x"}}}}
    woken = {"Records": [landed]}
    with world.stream_paused(), meddler(world, [("judge", HOME)]) as between:
        world.begin_long_ago(minutes_ago=38)
        for failing in (False, True, True):
            report(world, failing=failing)
        assert world.error("judge", {}) == ""
        report(world, failing=True)
        before, calls = stored(world), list[Call]()
        while not calls or not at_commit(calls):  # one call further each time
            number = len(calls) + 1
            calls = kill_judge(world, between, woken, lambda made, last=number: len(made) == last, done=False)
            assert stored(world) == before, calls
        # At each of them: its watch, the roster, the shard's state, its rounds (of the hours they may be in).
        reads = [call.operation for call in calls[:-1]]
        assert sorted(set(reads)) == ["GetItem", "Query", "Scan"]
        killed_around_the_write(world, between, woken)
        opened = stored(world)
        assert (len(opened.incidents), len(opened.notices)) == (1, 1)
        report(world, failing=False)
        assert world.error("judge", {}) == ""
        report(world, failing=False)
        killed_around_the_write(world, between, {})
        assert len(stored(world).notices) == 2
    until(lambda: len(world.events(SLUG)) >= seen + 2)
    until(lambda: world.undelivered() == 0)
    types = [json.loads(event["body"])["type"] for event in world.events(SLUG)[seen:]]
    assert types == ["incident.opened", "incident.resolved"]
