"""Every notice arrives once, in order, whatever receivers, queue and function do: on a clock of our own.

What is promised, exactly. Each notice is sent to each of its sinks until an acknowledgement (2xx) of it reaches notify,
and not again after that is recorded. Where notify dies between the two it is sent once more, with the same
`webhook-id`: as many acknowledgements are given as there were such deaths, and one. Of an incident no notice is sent
before the one before it was acknowledged, refused for good, or given up after a day.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Final

import pytest
from lookout.notify.retry import TRIED_FOR_S
from lookout.verdict.case import Incident, Notice

from tests.contract.notify.sample import OPEN, RESOLVED, UPDATED
from tests.property.receivers import Receiver, World, down, some_faults

START: Final = 1_787_409_000.25
SCHEDULES: Final = 600
BATCHES: Final = 12
DAY_S: Final = TRIED_FOR_S


def incident(number: int, updates: int, sinks: tuple[str, ...]) -> list[Notice]:
    """The notices of one incident, in their order."""
    assert OPEN.incident is not None
    assert RESOLVED.incident is not None
    key = f"inc_{number:026}"
    made = [OPEN, *(replace(UPDATED, sequence=n + 1) for n in range(updates)), RESOLVED]

    def about(one: Notice, n: int) -> Notice:
        found: Incident = replace(one.incident or OPEN.incident, id=key)  # type: ignore[arg-type]  # each has one
        return replace(one, id=f"evt_{number:025}{n}", dedup_key=key, incident=found, sinks=sinks)

    return [about(one, n) for n, one in enumerate(made)]


def requests_in_order(receiver: Receiver, notices: list[Notice]) -> list[int]:
    """Which notice of the incident each request was about, by its place."""
    places = {notice.id: n for n, notice in enumerate(notices)}
    return [places[one.id] for one in receiver.got if one.id in places]


def check_schedule(seed: int) -> Counter[str]:
    chance = Random(seed)
    receivers = {f"sink{n}": Receiver() for n in range(chance.randint(1, 2))}
    for receiver in receivers.values():
        receiver.faults = some_faults(chance, START)
    sinks = (*receivers, "calm")
    world = World(chance, {**receivers, "calm": Receiver()}, START, chance.randint(0, 3), chance.randint(0, 3))
    worked_on_calm = world.kills + world.losses
    told: list[list[Notice]] = []
    written: dict[str, float] = {}
    for number in range(chance.randint(1, 3)):
        notices = incident(number, chance.randint(0, 2), sinks)
        moments = sorted(START + chance.uniform(0, 3000) for _ in notices)
        for at, notice in zip(moments, notices, strict=True):
            world.tell(at, notice)
            written[notice.id] = at
            if chance.random() < 0.2:
                world.tell(at + chance.choice([1, 400]), notice)  # the stream's batch comes again
        told.append(notices)
    world.run()

    assert world.dead == world.queue.dead == []
    for name, receiver in world.receivers.items():
        acknowledged = Counter(one.id for one in receiver.got if one.answer.delivered)
        for notices in told:
            order = requests_in_order(receiver, notices)
            assert order == sorted(order)
            assert set(order) == set(range(len(notices)))
            for notice in notices:
                assert acknowledged[notice.id] == 1 + world.repeats[notice.id, name]
                got = [one for one in receiver.got if one.id == notice.id]
                assert all(one.body == got[0].body for one in got)
                assert got[0].body["incident"]["opening_undelivered"] is False
                for one, following in pairwise(got) if not world.forgotten[notice.id, name] else ():
                    assert following.at - one.at >= (one.answer.retry_after_s or 0)
                record = world.records[notice.id, name]
                assert (record.result, record.answer) == ("delivered", "HTTP 204")
                lost = world.repeats[notice.id, name] + world.forgotten[notice.id, name]
                assert record.attempts == len(got) - lost
    if not worked_on_calm:
        for one in world.receivers["calm"].got:
            assert one.at == written[one.id], "a failing sink delays no other"
    return Counter(requests=sum(len(r.got) for r in world.receivers.values()), repeats=world.repeats.total())


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_notice_arrives_once_and_in_order(batch: int) -> None:
    total: Counter[str] = Counter()
    for seed in range(batch, SCHEDULES, BATCHES):
        total += check_schedule(seed)
    assert total["requests"] > 10 * SCHEDULES // BATCHES, "hardly anything was tried"
    assert total["repeats"] > 0, "no function died after an acknowledgement"


@pytest.mark.parametrize("seed", range(150))
def test_after_a_day_a_notice_is_given_up_and_the_end_tells_of_both(seed: int) -> None:
    chance = Random(seed)
    back = START + DAY_S + chance.uniform(-1800, 7200)
    receiver = Receiver([down(START, back)])
    world = World(chance, {"hook": receiver}, START, kills=chance.randint(0, 2), losses=chance.randint(0, 1))
    opening, resolution = incident(1, 0, ("hook",))
    ends = START + chance.uniform(60, 7200)
    world.tell(START, opening)
    world.tell(ends, resolution)
    world.run()

    results = {notice.id: world.records[notice.id, "hook"].result for notice in (opening, resolution)}
    for notice, queued in ((opening, START), (resolution, ends)):
        tried = [one.at for one in receiver.got if one.id == notice.id]
        if results[notice.id] == "dead":
            assert tried[-1] - queued >= DAY_S - 1
            assert world.records[notice.id, "hook"].at - queued <= DAY_S + 1000
        else:
            assert tried[-1] >= back
    assert {"dead": 1, "delivered": 0}[results[opening.id]] <= len(world.dead)
    told = [one.body for one in receiver.got if one.answer.delivered]
    both = [one for one in told if one["type"] == "incident.resolved" and one["incident"]["opening_undelivered"]]
    assert bool(both) == (results[opening.id] == "dead" and results[resolution.id] == "delivered")

    before = len(receiver.got)
    world.now, world.kills = back + 10 * DAY_S, 0
    world.queue.move(world.now, world.dead)
    world.run()
    anew = [one.id for one in receiver.got[before:]]
    if results[resolution.id] == "delivered":
        assert anew == [], "an opening is not sent after the end that told of both"
    else:
        assert anew == [opening.id, resolution.id]
        assert receiver.got[-1].body["incident"]["opening_undelivered"] is False
