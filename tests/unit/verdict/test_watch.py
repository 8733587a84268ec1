"""Who was away, what is held back, which region is silent: by minutes, without a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from lookout.config.model import Server, Sink, Site
from lookout.verdict.case import Notice
from lookout.verdict.watch import AWAY_S, DRAIN_S, Heard, RegionMemory, Watch, held_before, judgeable, keep, missed

START = 1_790_000_040
"""A full minute."""
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SINKS = (Sink("hook", "webhook", "https://ops.acme.dev/x"), Sink("oncall", "slack", "secret:slack"))
SITE = Site("Acme", "us-east-1", REGIONS, SINKS)
SERVERS = (Server("a", "https://a.dev/mcp", shard="s000"),)


class Home:
    """Ticks, one a minute; which region reports is said minute by minute."""

    def __init__(self, site: Site = SITE, servers: tuple[Server, ...] = SERVERS) -> None:
        self.site, self.servers = site, servers
        self.now = START + 5
        self.watch = Watch()
        self.told: list[Notice] = []
        self.newest: dict[str, int] = {}
        self.judged = 0

    def tick(self, reporting: tuple[str, ...] = REGIONS, minutes: int = 1, *, judging: bool = True) -> None:
        for _ in range(minutes):
            minute = self.now // 60 * 60
            if judging:
                self.judged = minute
                self.newest |= dict.fromkeys(reporting, minute + 7)
            kept, told = keep(self.watch, Heard(self.judged, self.newest), self.site, self.servers, self.now + 20)
            self.watch = replace(kept, version=self.watch.version + 1)
            self.told += told
            self.now += 60

    def away(self, minutes: int) -> None:
        self.now += 60 * minutes

    def said(self) -> list[tuple[str, str, str | None]]:
        return [(n.regions[0].region, n.status, n.incident.resolution if n.incident else "") for n in self.told]


def test_one_silence_is_told_once_and_its_end_once() -> None:
    home = Home()
    home.tick(minutes=3)
    home.tick(REGIONS[1:], minutes=10)
    assert home.told == []
    home.tick(REGIONS[1:], minutes=30)
    assert home.said() == [("us-west-2", "unknown", None)]
    home.tick(minutes=20)
    assert home.said() == [("us-west-2", "unknown", None), ("us-west-2", "up", "reports again")]
    told, back = home.told
    assert told.dedup_key == back.dedup_key
    assert told.id != back.id
    assert told.sequence < back.sequence
    assert told.sinks == ("hook", "oncall")
    assert (told.severity, back.severity) == ("warning", "info")
    assert told.incident is not None
    assert told.incident.started_at == START + 3 * 60
    assert told.created_at == START + 13 * 60
    assert back.incident is not None
    assert back.incident.resolved_at == back.created_at == START + 43 * 60 + 7


def test_the_same_silence_has_the_same_ids_whoever_finds_it() -> None:
    early, late = Home(), Home()
    for home, unticked in ((early, 0), (late, 2)):
        home.tick(minutes=3)
        home.tick(REGIONS[1:], minutes=9 - unticked)
        home.away(unticked)
        home.tick(REGIONS[1:], minutes=5)
    assert [n.to_json() for n in early.told] == [n.to_json() for n in late.told]
    assert len(early.told) == 1


def test_two_regions_are_told_each_and_counted_together() -> None:
    home = Home()
    home.tick(minutes=2)
    home.tick(REGIONS[:1], minutes=15)
    assert [(n.regions[0].region, n.quorum.regions_unknown) for n in home.told] == [
        ("eu-west-1", 2),
        ("ap-southeast-1", 2),
    ]


def test_nobody_is_told_after_a_first_deployment() -> None:
    """The home stack is there first, and the regions come one after the other, or not at all."""
    home = Home()
    home.tick((), minutes=40)
    home.tick(REGIONS[:1], minutes=40)
    home.tick(REGIONS[:2], minutes=40)
    assert home.told == []


def test_a_region_that_was_just_added_has_all_the_time_it_needs() -> None:
    home = Home(replace(SITE, regions=REGIONS[:2]))
    home.tick(REGIONS[:2], minutes=30)
    home.site = SITE
    home.tick(REGIONS[:2], minutes=60)
    assert home.told == []
    home.tick(minutes=2)
    home.tick(REGIONS[:2], minutes=15)
    assert home.said() == [("ap-southeast-1", "unknown", None)]


def test_a_region_that_was_removed_is_not_silent() -> None:
    home = Home()
    home.tick(minutes=5)
    home.site = replace(SITE, regions=REGIONS[:2])
    home.tick(REGIONS[:2], minutes=30)
    assert home.told == []
    assert set(home.watch.regions) == set(REGIONS[:2])


def test_a_silent_region_that_is_removed_is_told_to_be_so_and_begins_anew_when_listed_again() -> None:
    home = Home()
    home.tick(minutes=2)
    home.tick(REGIONS[:2], minutes=12)
    home.site = replace(SITE, regions=REGIONS[:2])
    home.tick(REGIONS[:2], minutes=3)
    home.newest.pop("ap-southeast-1")
    home.site = SITE
    home.tick(REGIONS[:2], minutes=30)
    assert home.said() == [("ap-southeast-1", "unknown", None), ("ap-southeast-1", "up", "removed")]
    assert home.told[0].dedup_key == home.told[1].dedup_key


def test_our_own_absence_makes_no_region_stale() -> None:
    home = Home()
    home.tick(minutes=5)
    home.away(45)
    home.tick((), minutes=DRAIN_S // 60 + 9)
    assert home.told == []
    home.tick((), minutes=5)
    assert {region for region, _, _ in home.said()} == set(REGIONS)


def test_a_judge_that_lags_says_nothing_of_regions() -> None:
    home = Home()
    home.tick(minutes=5)
    home.tick(minutes=60, judging=False)
    assert home.told == []
    home.tick(minutes=5)
    assert home.told == []


def test_silence_counts_from_minutes_in_which_a_server_was_due() -> None:
    hourly = Home(servers=(replace(SERVERS[0], interval_s=3600),))
    due = next(m for m in range(START, START + 3600, 60) if hourly.servers[0].due(m))
    hourly.now = due + 5
    hourly.tick()
    hourly.tick((), minutes=69)
    assert hourly.told == []
    hourly.tick((), minutes=1)
    assert {n.incident.started_at for n in hourly.told if n.incident} == {due + 3600}
    paused = Home(servers=(replace(SERVERS[0], paused=True),))
    paused.tick(minutes=3)
    paused.tick((), minutes=90)
    assert paused.told == []


def test_missed_is_the_first_due_minute_that_has_begun() -> None:
    assert missed(START + 7, SERVERS, START + 60) is None
    assert missed(START + 7, SERVERS, START + 61) == START + 60
    assert missed(0, (), START) is None


def test_a_watch_survives_being_stored() -> None:
    watch = Watch(3, START, START - 60, {"eu-west-1": RegionMemory(1, 2, 3)})
    assert Watch.from_json(3, watch.to_json()) == watch


# --- what is held back ------------------------------------------------------------------------------------------


def test_nothing_is_held_where_no_watch_was_kept_or_ticks_come() -> None:
    assert held_before(Watch(), START) == 0
    home = Home()
    home.tick(minutes=3)
    assert held_before(home.watch, home.now) == 0


def test_after_an_absence_minutes_before_the_return_are_held_for_a_while() -> None:
    home = Home()
    home.tick()
    last = home.watch.at
    assert held_before(home.watch, last + AWAY_S) == 0
    assert held_before(home.watch, last + AWAY_S + 1) == last + AWAY_S + 1
    home.away(20)
    home.tick()
    back = home.watch.at
    assert home.watch.resumed == back
    assert held_before(home.watch, back) == back
    home.tick(minutes=DRAIN_S // 60 - 1)
    assert held_before(home.watch, back + DRAIN_S - 1) == back
    home.tick()
    assert home.watch.resumed == back
    assert held_before(home.watch, home.watch.at) == 0


@pytest.mark.parametrize(
    ("reported", "judged"),
    [
        ({}, 0),
        ({0: REGIONS}, 1),
        ({0: REGIONS, 1: REGIONS[:2], 2: REGIONS}, 1),
        ({0: REGIONS, 1: REGIONS, 2: REGIONS}, 5),
    ],
)
def test_a_held_minute_waits_for_every_region_and_later_ones_wait_behind_it(
    reported: Mapping[int, tuple[str, ...]], judged: int
) -> None:
    minutes = [START + 60 * i for i in range(5)]
    by_minute = {minutes[i]: found for i, found in reported.items()}
    assert judgeable(minutes, by_minute, SERVERS, REGIONS, minutes[3]) == minutes[:judged]
    assert judgeable(minutes, by_minute, SERVERS, REGIONS, 0) == minutes
    assert judgeable(minutes, {}, (), REGIONS, minutes[4]) == minutes
