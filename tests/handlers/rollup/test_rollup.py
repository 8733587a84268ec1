from __future__ import annotations

import json
from pathlib import Path

import pytest
from lookout.config.model import Server, Site
from lookout.history.chunk import DAY, HOUR
from lookout.history.round import Round
from lookout.history.uptime import Tally
from lookout.probe.result import ProbeResult, Status

from functions.rollup import handler as rollup
from tests.handlers.memory import Memory

AT = 1_787_407_440
"""2026-08-22T14:04:00Z, as the event says."""
NEWEST = AT // HOUR * HOUR - HOUR
"""The hour that has just ended: 13:00."""
REGIONS = ("us-west-2", "eu-west-1")
SERVERS = (Server("docs", "https://docs.acme.dev/mcp", shard="s001"), Server("search", "https://a.dev", shard="s000"))


class World(Memory):
    """The tables, and the clock."""

    def __init__(self) -> None:
        super().__init__(Site("Acme", "us-east-1", REGIONS), SERVERS)
        self.now = AT + 3.2

    def __call__(self, home: str) -> World:
        assert home == "us-east-1"
        return self

    def live(self, hour: int, codes: str, regions: tuple[str, ...] = REGIONS) -> None:
        """Both servers, an hour: the rounds of `regions`, and what was judged, a code per minute."""
        for i, code in enumerate(codes.ljust(60, "u")):
            for server in SERVERS:
                minute = hour + 60 * i
                for region in regions:
                    status = Status.DOWN if code == "d" else Status.UP
                    probe = ProbeResult(server.slug, status, minute * 1000, timings_ms={"total": 120.0})
                    self.put_round(Round(server.shard, minute, region, (probe,)), minute)
                self.judged[server.shard, minute] = {server.slug: code}

    def history(self) -> list[tuple[str, ...]]:
        return [write for write in self.writes if write[0] in ("chunk", "day")]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(rollup, "Store", world)
    monkeypatch.setattr(rollup.time, "time", lambda: world.now)
    return world


def run() -> dict[str, int]:
    event = json.loads((Path(__file__).parent / "events/hour.json").read_text(encoding="utf-8"))
    written: dict[str, int] = rollup.handler(event, object())
    return written


def test_an_hour_that_is_over_becomes_a_chunk_and_its_day_a_summary(world: World) -> None:
    world.live(NEWEST, "uuudddddu?")
    assert run() == {"chunks": 2, "days": 2}
    chunk = world.hours["search", NEWEST]
    assert chunk.outcomes == "uuudddddu?" + "u" * 50
    assert {region: len(samples) for region, samples in chunk.samples.items()} == dict.fromkeys(REGIONS, 60)
    summary = world.summaries["search", NEWEST // DAY * DAY]
    assert (summary.tally, summary.hours) == (Tally(ok=54, fail=5, unknown=1), (NEWEST,))


def test_the_hour_that_runs_is_left_alone(world: World) -> None:
    world.live(NEWEST + HOUR, "uuu")
    assert run() == {"chunks": 0, "days": 0}


def test_a_second_delivery_writes_the_same_bytes(world: World) -> None:
    world.live(NEWEST, "ddd")
    run()
    first = world.history()
    run()
    assert world.history() == first * 2


def test_a_round_that_came_late_is_in_the_chunk_after_the_next_run(world: World) -> None:
    world.live(NEWEST, "ddd", regions=REGIONS[:1])
    run()
    assert list(world.hours["search", NEWEST].samples) == [REGIONS[0]]
    world.live(NEWEST, "ddd", regions=REGIONS[1:])
    world.now += HOUR
    run()
    assert set(world.hours["search", NEWEST].samples) == set(REGIONS)
    assert world.summaries["search", NEWEST // DAY * DAY].tally == Tally(ok=57, fail=3)


def test_after_a_pause_it_catches_up_and_leaves_what_is_done(world: World) -> None:
    hours = [NEWEST - HOUR * back for back in (5, 4, 3)]
    for hour in hours:
        world.live(hour, "")
    assert run()["chunks"] == 6
    assert sorted(hour for slug, hour in world.hours if slug == "docs") == hours
    assert run() == {"chunks": 0, "days": 0}


def test_a_shard_that_fails_keeps_no_other_waiting_and_the_next_run_completes_it(world: World) -> None:
    world.live(NEWEST, "d")
    world.broken["search"] = RuntimeError("throttled")
    with pytest.raises(ExceptionGroup, match="1 of 2 shards could not be rolled up") as caught:
        run()
    assert [str(error) for error in caught.value.exceptions] == ["throttled"]
    assert set(world.hours) == {("docs", NEWEST)}
    world.broken.clear()
    assert run() == {"chunks": 2, "days": 2}
    assert set(world.hours) == {("docs", NEWEST), ("search", NEWEST)}


def test_a_server_that_was_never_judged_has_no_history(world: World) -> None:
    world.live(NEWEST, "")
    new = Server("new", "https://new.acme.dev/mcp", shard="s000")
    world.definitions = (world.definitions[0], [*SERVERS, new])
    assert run() == {"chunks": 2, "days": 2}
    assert "new" not in {slug for slug, _ in world.hours}


def test_a_missing_setting_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOKOUT_HOME_REGION")
    with pytest.raises(KeyError, match="LOOKOUT_HOME_REGION"):
        run()
