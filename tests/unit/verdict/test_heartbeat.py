"""What withholds the heartbeat, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lookout.config.model import Server, Site
from lookout.verdict.heartbeat import LATE_S, REMEMBERED_S, UNTRIED_S, Pulse, ailments, waiting
from lookout.verdict.watch import RegionMemory, Watch

from tests.contract.notify.sample import OPEN

NOW = 1_790_000_040 + 17
MINUTE = NOW // 60 * 60
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS)
SERVERS = (
    Server("a", "https://a.dev/mcp", shard="s000"),
    Server("b", "https://b.dev/mcp", shard="s001", interval_s=3600),
)
HEARD = RegionMemory(since=NOW - 9000, heard=MINUTE - 60)
STALE = replace(HEARD, heard=NOW - 900, stale=MINUTE - 840)
NEVER = RegionMemory(since=NOW - SITE.stale_after_s)
WELL = Pulse(
    Watch(1, at=NOW - 40, regions=dict.fromkeys(REGIONS, HEARD)),
    {"s000": MINUTE - 120, "s001": MINUTE - 120},
    published=NOW - 50,
)


def regions(*memories: RegionMemory) -> Pulse:
    return replace(WELL, watch=replace(WELL.watch, regions=dict(zip(REGIONS, memories, strict=False))))


def said(pulse: Pulse, servers: tuple[Server, ...] = SERVERS, site: Site | None = SITE) -> tuple[str, ...]:
    return ailments(pulse, site, servers, NOW)


def test_where_all_is_well_nothing_withholds_it() -> None:
    assert said(WELL) == ()


def test_as_late_as_may_be_is_well_and_a_second_more_is_not() -> None:
    late = NOW - LATE_S
    pulse = Pulse(replace(WELL.watch, at=late), {"s000": late, "s001": late}, published=late)
    assert said(pulse) == ()
    assert len(ailments(pulse, SITE, SERVERS, NOW + 1)) == 4


def test_each_thing_that_is_late_is_named() -> None:
    assert said(replace(WELL, judged={**WELL.judged, "s001": NOW - 900})) == ("shard s001 was judged 900 s ago",)
    assert said(replace(WELL, watch=replace(WELL.watch, at=NOW - 400))) == ("the judge's last tick was 400 s ago",)
    assert said(replace(WELL, watch=Watch())) == ("the judge never ticked",)
    assert said(replace(WELL, published=NOW - 361)) == ("the status page was published 361 s ago",)
    assert said(replace(WELL, published=None))[0].startswith("the status page has never been published")
    assert said(replace(WELL, untried=("evt_1", "evt_2"))) == ("nobody has tried to deliver evt_1, evt_2",)
    assert said(WELL, site=None) == ("lookout.yaml has not been applied",)


def test_a_shard_that_was_never_judged_withholds_it_once_one_of_its_servers_was_due() -> None:
    alone = replace(WELL, judged={"s001": MINUTE})
    assert said(alone) == ("shard s000 has never been judged",)
    paused = replace(SERVERS[0], paused=True)
    assert said(alone, (paused, SERVERS[1])) == ()
    hourly = (replace(SERVERS[1], shard="s002"),)
    (due,) = [minute for minute in range(MINUTE, MINUTE + 3600, 60) if hourly[0].due(minute)]

    def found(now: int) -> tuple[str, ...]:
        return ailments(replace(WELL, watch=replace(WELL.watch, at=now), published=now), SITE, hourly, now)

    assert found(due + LATE_S - 60) == ()
    assert found(due + LATE_S + 60) == ("shard s002 has never been judged",)


@pytest.mark.parametrize(
    ("memories", "silent"),
    [
        ((HEARD, HEARD, STALE), 0),
        ((HEARD, STALE, STALE), 2),
        ((STALE, STALE, STALE), 3),
        ((HEARD, NEVER, STALE), 2),
        ((HEARD, NEVER, HEARD), 0),
        ((HEARD, RegionMemory(NOW - 60), STALE), 0),
        ((HEARD, HEARD), 0),
    ],
)
def test_only_half_of_the_regions_withhold_it(memories: tuple[RegionMemory, ...], silent: int) -> None:
    found = said(regions(*memories))
    assert [one.split(":")[0] for one in found] == ([f"{silent} of 3 regions are silent"] if silent else [])


def test_one_of_two_regions_is_half() -> None:
    two = replace(SITE, regions=REGIONS[:2])
    assert said(regions(HEARD, STALE), site=two) == ("1 of 2 regions are silent: eu-west-1",)


def test_a_region_that_has_nothing_to_report_is_not_silent() -> None:
    paused = tuple(replace(server, paused=True) for server in SERVERS)
    assert said(regions(NEVER, NEVER, NEVER), paused) == ()


def test_notices_are_asked_for_when_they_had_their_time_and_until_they_are_forgotten() -> None:
    def aged(seconds: int) -> list[str]:
        return [notice.id for notice in waiting([replace(OPEN, created_at=NOW - seconds, sinks=("hook",))], NOW)]

    assert [aged(s) for s in (0, UNTRIED_S, UNTRIED_S + 1, REMEMBERED_S, REMEMBERED_S + 1)] == [
        [],
        [],
        [OPEN.id],
        [OPEN.id],
        [],
    ]
    for meant_for_nobody in (replace(OPEN, sinks=()), replace(OPEN, sinks=("hook",), held="site")):
        assert waiting([replace(meant_for_nobody, created_at=NOW - 1000)], NOW) == []
