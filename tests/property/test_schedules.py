"""The judge and an independent reference agree on every schedule, and would be caught if they did not.

`LOOKOUT_SCHEDULES` says how many are played (`python -m tests.property 20000` plays as many); always the same ones, so
no luck is involved.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.history.round import Round
from lookout.jobs.judging import judge_shards
from lookout.probe.result import Status
from lookout.verdict import conditions, notices, quorum, streak
from lookout.verdict import server as judge_of_one

from tests.property.schedules import LONG, explore, play_all
from tests.property.script import read
from tests.property.shelf import Shelf
from tests.property.world import World, unread

SCHEDULES = int(os.environ.get("LOOKOUT_SCHEDULES", "400"))


@pytest.mark.timeout(3600)
def test_state_incidents_and_notices_are_those_of_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    played = play_all(SCHEDULES)
    with capsys.disabled():
        print("\nplayed", ", ".join(f"{count:,} {what}" for what, count in played.items()))
    assert played["schedules"] >= SCHEDULES
    assert played["incidents"] > played["schedules"] // 10
    assert played["notices"] > played["incidents"]


def test_a_few_within_this_process() -> None:
    assert explore(5, 60, LONG)["schedules"] >= 60


def _on_time(data: bytes) -> tuple[World, list[Round]]:
    """A world in which nothing has happened, and the first word of every region for every minute of its script."""
    script = read(data)
    first: dict[tuple[str, int, str], Round] = {}
    for event in script.events:
        if event.kind == "round":
            first.setdefault((event.value.shard, event.value.minute, event.value.region), event.value)
    return World(script), list(first.values())


def _judged(data: bytes, order: random.Random | None) -> tuple[Any, ...]:
    """What is stored in the end, as bytes; with `order` rounds arrive in any order, some of them twice or more."""
    world, rounds = _on_time(data)
    store = Shelf(*world.definitions)
    for minute in sorted({item.minute for item in rounds}):
        arriving = [item for item in rounds if item.minute == minute]
        if order is not None:
            arriving += order.choices(arriving, k=3)
            order.shuffle(arriving)
        for at, item in enumerate(arriving):
            store.put_round(item, minute + at)
            if order is not None and order.random() < 0.5:
                judge_shards(store, {item.shard}, minute + at, unread)  # type: ignore[arg-type]  # in memory
        judge_shards(store, None, minute + 120, unread)  # type: ignore[arg-type]  # in memory
    told = {key: json.dumps(notice.to_json(), sort_keys=True) for key, notice in store.notices.items()}
    states = {shard: (data, store.states[shard].judged) for shard, data in store.bytes.items()}
    return states, {key: one.to_json() for key, one in store.incidents.items()}, told, store.judged


@settings(max_examples=100, database=None, deadline=None, derandomize=True)
@given(st.binary(min_size=12, max_size=60), st.integers(0, 1 << 30))
def test_neither_order_nor_repetition_changes_a_byte(data: bytes, order: int) -> None:
    assert _judged(data, random.Random(order)) == _judged(data, None)


def _deaf_to_quorum(results: Any, regions: Any, number: int | None = None) -> quorum.RoundVerdict:
    verdict = quorum.decide(results, regions, number)
    return replace(verdict, outcome=Status.DOWN) if verdict.failing else verdict


def _streak(change: Callable[..., tuple[int, int]]) -> Callable[..., Any]:
    advance = streak.advance
    return lambda state, outcome, minute, down, up: advance(state, outcome, minute, *change(down, up))


def _forgetful(self: Shelf, slug: str, now: int) -> None:
    site, servers = self.definitions
    self.definitions = (site, [one for one in servers if one.slug != slug])


def _wild(results: Any, minute: int) -> int:
    return max((r.at_ms // 1000 for r in results.values()), default=minute)


bad = conditions.bad

WRONG: dict[str, tuple[Any, str, Any]] = {
    "one region is enough": (judge_of_one, "decide", _deaf_to_quorum),
    "down a round late": (judge_of_one, "advance", _streak(lambda down, up: (down + 1, up))),
    "up a round early": (judge_of_one, "advance", _streak(lambda down, up: (down, max(1, up - 1)))),
    "any clock is believed": (judge_of_one, "moment", _wild),
    "a removal leaves the incident": (World, "remove", _forgetful),
    "a notice has no severity": (notices, "_severity", lambda *_: "high"),
    "a majority of one": (quorum, "quorum_of", lambda reported, configured: configured or 1),
    "nothing ever flaps": (judge_of_one, "turned", lambda state, *_: state),
    "it flaps for ever": (judge_of_one, "calmed", lambda state, _: state),
    "no condition ever ends": (conditions, "bad", lambda seen, kind: bad(seen, kind) or None),
    "every condition is bad": (conditions, "bad", lambda seen, kind: True),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_judge_is_found_out(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*WRONG[what])
    for start in range(300):
        world = World(read(random.Random(start).randbytes(80)))
        try:
            world.play().check()
        except (AssertionError, ExceptionGroup):
            return
    pytest.fail(f"no schedule shows that {what}")
