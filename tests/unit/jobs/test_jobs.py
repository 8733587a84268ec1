from __future__ import annotations

import itertools
from typing import Any

import pytest
from lookout.config.diff import plan
from lookout.config.model import SHARD_SIZE, Server, Site
from lookout.errors import StoreError
from lookout.jobs.dispatching import dispatch, due_by_shard, scheduled_minute
from lookout.jobs.rolling import settled_hours
from lookout.settings import ROUNDS_TTL_S
from lookout.verdict.schedule import HORIZON_S
from lookout.verdict.state import ServerState

REGIONS = ("us-west-2", "eu-west-1")
SITE = Site("Acme", "us-east-1", REGIONS)
NOW = 1_790_000_029


class Roster:
    def __init__(self, site: Site | None, *servers: Server) -> None:
        self.held = (site, list(servers))

    def roster(self) -> tuple[Site | None, list[Server]]:
        return self.held

    def server_states(self) -> dict[str, ServerState]:
        return {}


@pytest.mark.parametrize(
    ("event", "minute"),
    [
        ({"time": "2026-11-24T02:03:59Z"}, 1_795_485_780),
        ({"time": "2026-11-24T02:03:59"}, 1_795_485_780),
        ({"time": "<aws.scheduler.scheduled-time>"}, NOW // 60 * 60),
        ({}, NOW // 60 * 60),
    ],
)
def test_the_minute_is_the_events(event: dict[str, Any], minute: int) -> None:
    assert scheduled_minute(event, NOW) == minute


def test_one_probe_per_shard_with_what_is_due() -> None:
    servers = [Server("a", "https://a", shard="s000"), Server("b", "https://b", shard="s001")]
    servers += [Server("c", "https://c", shard="s001"), Server("p", "https://p", shard="s002", paused=True)]
    sent: list[dict[str, Any]] = []
    done = dispatch(Roster(SITE, *servers), 60, "eu-west-1", sent.append)
    assert done == {"s000": 1, "s001": 2}
    assert [(e["shard"], e["minute"], [s["slug"] for s in e["servers"]]) for e in sent] == [
        ("s000", 60, ["a"]),
        ("s001", 60, ["b", "c"]),
    ]
    assert Site.from_item(sent[0]["site"]) == SITE
    assert Server.from_item(sent[0]["servers"][0]) == servers[0]


def test_a_region_that_is_not_listed_probes_nothing() -> None:
    sent: list[dict[str, Any]] = []
    assert dispatch(Roster(SITE, Server("a", "https://a", shard="s000")), 60, "mars-1", sent.append) == {}
    assert sent == []


def test_dispatch_says_when_nothing_was_applied() -> None:
    with pytest.raises(StoreError, match="cdk deploy"):
        dispatch(Roster(None), 60, "eu-west-1", lambda _: None)


def test_a_longer_interval_is_due_once_in_it_and_the_same_minute_everywhere() -> None:
    server = Server("slow", "https://a", shard="s000", interval_s=300)
    due = [m for m in range(0, 3600, 60) if due_by_shard([server], m)]
    assert len(due) == 12
    assert {b - a for a, b in itertools.pairwise(due)} == {300}


def test_hours_settle_when_their_last_minute_is_judged_or_never_will_be() -> None:
    hour = 1_790_000_000 // 3600 * 3600
    now = hour + 3600 + 65
    assert settled_hours(hour + 3600 - 120, now)[-1] == hour - 3600
    assert settled_hours(hour + 3600 - 60, now)[-1] == hour
    never = hour + 3600 + HORIZON_S
    assert settled_hours(hour, never - 1)[-1] == hour - 3600
    assert settled_hours(hour, never)[-1] == hour
    assert settled_hours(hour, never)[0] >= never - ROUNDS_TTL_S


def test_shards_are_sticky_and_hold_at_most_forty() -> None:
    wanted = [Server(f"s{i:03d}", f"https://h{i}") for i in range(SHARD_SIZE + 5)]
    first = plan({}, wanted)
    shards = [s.shard for s in first.created]
    assert shards == ["s000"] * SHARD_SIZE + ["s001"] * 5
    current = {s.slug: s for s in first.created}
    second = plan(current, [*wanted[3:], Server("new", "https://new")])
    assert [s.slug for s in second.removed] == ["s000", "s001", "s002"]
    assert [(s.slug, s.shard) for s in second.created] == [("new", "s000")]
    assert second.changed == ()
    assert len(second.unchanged) == SHARD_SIZE + 2
