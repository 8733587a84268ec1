"""A recorded week, judged live and then once more from nothing: the same bytes.

Six servers, three regions, seven days with faults and maintenance; rounds arrive in any order, twice, late, or after
their minute was judged (kept as history, then as now). Live, each round wakes the judge and each minute a tick; again,
ticks alone judge, a minute or forty at once and in another order, and what was not in time by the verdicts' own record
arrives after them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest
from lookout.config.model import Server, Sink, Site
from lookout.config.window import Window
from lookout.history.day import DaySummary
from lookout.history.packing import pack_chunk, pack_day
from lookout.history.round import Round
from lookout.jobs.judging import judge_shards
from lookout.jobs.rolling import roll_up
from lookout.verdict.state import ShardState

from tests.property.script import result
from tests.property.shelf import Shelf, packed_state
from tests.property.world import unread

DAY = 86400
START = 1_789_948_800 // DAY * DAY
END = START + 7 * DAY
LAST_TICK = END + 1200
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
WINDOWS = (
    Window("", ("server-00",), (), START + 2 * DAY + 3600, START + 2 * DAY + 9000),
    Window("", rrule="FREQ=DAILY;BYHOUR=22;BYMINUTE=30", duration_s=1800, timezone="Europe/Berlin", uptime="count_up"),
)
SINKS = (Sink("hook", "webhook", "https://ops.example/x"),)
SITE = Site("Acme", "us-east-1", REGIONS, SINKS, maintenance=tuple(one.named() for one in WINDOWS))
INTERVALS_S = (60, 120, 300, 300, 600, 900)
SERVERS = [
    Server(f"server-{n:02d}", f"https://s{n}.example/mcp", shard="s000", interval_s=every, notify=("hook",))
    for n, every in enumerate(INTERVALS_S)
]


class Week(Shelf):
    """Looks minutes up where the store of a schedule looks through all it has, and packs no state before the end."""

    def put_state(self, state: ShardState) -> ShardState:
        self.states[state.shard] = replace(state, version=state.version + 1)
        return self.states[state.shard]

    def rounds(
        self, shard: str, since: int, until: int, now: int, *, consistent: bool = False
    ) -> dict[int, dict[str, Round]]:
        minutes = range(max(since, START), min(until, END) + 1, 60)
        return {minute: self.by_minute[shard, minute] for minute in minutes if (shard, minute) in self.by_minute}


@dataclass(frozen=True)
class Arrival:
    at: int
    item: Round


def outages(luck: random.Random) -> dict[str, list[tuple[int, int, str, tuple[str, ...]]]]:
    """By server: when from, when to, what is wrong, and as seen from where."""
    out: dict[str, list[tuple[int, int, str, tuple[str, ...]]]] = {}
    for server in SERVERS:
        for _ in range(luck.randint(4, 9)):
            begins = START + luck.randrange(7 * DAY)
            lasts = luck.choice((180, 600, 1800, 7200, 30_000))
            mood = luck.choice(("down", "down", "other error", "slow", "limited", "rejected", "auth"))
            where = luck.choice((REGIONS, REGIONS, REGIONS[:2], luck.sample(REGIONS, 1)))
            out.setdefault(server.slug, []).append((begins, begins + lasts, mood, tuple(where)))
    return out


def recorded() -> list[Arrival]:
    """Every delivery of the week, in the order in which it arrives."""
    luck = random.Random(4)
    wrong = outages(luck)
    silent = [(START + luck.randrange(7 * DAY), luck.choice(REGIONS)) for _ in range(6)]
    out: list[Arrival] = []
    for minute in range(START, END, 60):
        due = [server.slug for server in SERVERS if server.due(minute)]
        for place, region in enumerate(REGIONS):
            if any(region == of and at <= minute < at + 5400 for at, of in silent) or luck.random() < 0.002:
                continue
            seen = []
            for slug in due:
                troubles = (m for a, b, m, where in wrong[slug] if a <= minute < b and region in where)
                mood = next(troubles, "down" if luck.random() < 0.003 else "up")
                seen.append(result(slug, mood, minute + luck.randrange(1, 50), minute, place))
            item = Round("s000", minute, region, tuple(seen))
            chance = luck.random()
            delay = luck.randrange(5, 40) if chance < 0.96 else luck.randrange(60, 115) if chance < 0.99 else 900
            out.append(Arrival(minute + delay, item))
            if chance > 0.9:
                out.append(Arrival(minute + delay + luck.randrange(1, 600), item))
    return sorted(out, key=lambda one: one.at)


def live(arrivals: list[Arrival]) -> Week:
    """Judge as it happens."""
    store = Week(SITE, SERVERS)
    waiting: Iterator[Arrival] = iter(arrivals)
    one = next(waiting, None)
    for tick in range(START + 60, LAST_TICK + 60, 60):
        while one is not None and one.at <= tick:
            if store.put_round(one.item, one.at) and set(store.by_minute["s000", one.item.minute]) == set(REGIONS):
                judge_shards(store, {"s000"}, one.at, unread)  # type: ignore[arg-type]  # in memory
            one = next(waiting, None)
        judge_shards(store, None, tick, unread)  # type: ignore[arg-type]  # in memory
        if tick % DAY == 7200:
            roll_up(store, tick)  # type: ignore[arg-type]  # in memory
    roll_up(store, END + 7200)  # type: ignore[arg-type]  # in memory
    return store


def again(record: Week, at_once_s: Sequence[int]) -> Week:
    """All that was stored, from an empty store: some seconds of rounds at a time, in another order."""
    store, luck = Week(SITE, SERVERS), random.Random(5)
    until = START
    while until < END:
        begins, until = until, min(until + luck.choice(at_once_s), END)
        found = record.rounds("s000", begins, until - 60, 0)
        items = [item for by_region in found.values() for item in by_region.values()]
        luck.shuffle(items)
        heard = {minute: record.present.get(("s000", minute), ()) for minute in found}
        for item in items:
            if item.region in heard[item.minute]:
                store.put_round(item, until)
        judge_shards(store, None, until + 110, unread)  # type: ignore[arg-type]  # in memory
        for item in items:
            store.put_round(item, until + 900)
    judge_shards(store, None, LAST_TICK, unread)  # type: ignore[arg-type]  # in memory
    for now in range(START + DAY + 7200, END + DAY, DAY):
        roll_up(store, now)  # type: ignore[arg-type]  # in memory
    return store


def as_bytes(store: Week) -> dict[str, dict[object, bytes]]:
    def day(one: DaySummary) -> bytes:
        return pack_day(one)

    return {
        "states": {shard: packed_state(state) for shard, state in store.states.items()},
        "incidents": {k: json.dumps(one.to_json(), sort_keys=True).encode() for k, one in store.incidents.items()},
        "notices": {k: json.dumps(one.to_json(), sort_keys=True).encode() for k, one in store.notices.items()},
        "verdicts": {k: json.dumps(found, sort_keys=True).encode() for k, found in store.judged.items()},
        "chunks": {k: pack_chunk(one) for k, one in store.hours.items()},
        "summaries": {k: day(one) for k, one in store.summaries.items()},
    }


@pytest.mark.timeout(900)
def test_a_week_replayed_from_nothing_gives_the_same_bytes() -> None:
    record = live(recorded())
    first = as_bytes(record)
    late = [key for key in record.stored if key[2] not in record.present.get(key[:2], REGIONS)]
    assert len(late) > 100
    assert len(first["summaries"]) >= 7 * len(SERVERS)
    assert len(first["chunks"]) >= 7 * 24 * len(SERVERS)
    assert len(first["incidents"]) >= 12
    second = as_bytes(again(record, (60, 60, 60, 180, 2400)))
    for what, found in first.items():
        assert found == second[what], what
