from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from lookout import settings
from lookout.config.model import Server, Site
from lookout.errors import ConflictError
from lookout.history.chunk import DAY, HOUR, Chunk
from lookout.history.day import DaySummary
from lookout.history.round import Round
from lookout.history.uptime import Tally
from lookout.jobs.rolling import settled_hours
from lookout.probe.result import ProbeResult, Status
from lookout.verdict.case import Incident
from lookout.verdict.schedule import HORIZON_S
from lookout.verdict.state import ShardState

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

    def live(self, hour: int, codes: str, regions: tuple[str, ...] = REGIONS, *, seen: int | None = None) -> None:
        """Both servers, an hour: the rounds of `regions`, stored in their minute (or when `seen`), and what was judged,
        a code per minute.
        """
        for i, code in enumerate(codes.ljust(60, "u")):
            minute = hour + 60 * i
            self.probe(minute, regions, down=code == "d", seen=minute if seen is None else seen)
            for server in SERVERS:
                self.judged[server.shard, minute] = {server.slug: code}
        self.judge(hour + HOUR - 60)

    def probe(self, minute: int, regions: tuple[str, ...], *, seen: int, down: bool = False) -> None:
        """The rounds of one minute, stored when `seen`."""
        status = Status.DOWN if down else Status.UP
        for server in SERVERS:
            result = ProbeResult(server.slug, status, minute * 1000, timings_ms={"dns": 2.0, "total": 120.0})
            for region in regions:
                self.put_round(Round(server.shard, minute, region, (result,)), seen)

    def judge(self, minute: int) -> None:
        """The judge has come this far."""
        for server in SERVERS:
            known = self.states.get(server.shard, ShardState(server.shard))
            self.states[server.shard] = ShardState(server.shard, known.version + 1, max(minute, known.judged))

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
    assert written.pop("digests") == 0
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


def test_an_hour_that_is_not_judged_to_its_end_is_left_alone_until_it_is(world: World) -> None:
    world.live(NEWEST, "ddd")
    for shard in world.states:
        world.states[shard] = ShardState(shard, 1, NEWEST + 30 * 60)
    assert run() == {"chunks": 0, "days": 0}
    world.judge(NEWEST + 59 * 60)
    assert run()["chunks"] == 2


def test_a_second_delivery_finds_nothing_to_write(world: World) -> None:
    world.live(NEWEST, "ddd")
    run()
    first = world.history()
    assert run() == {"chunks": 0, "days": 0}
    assert world.history() == first


def test_a_round_that_came_late_is_in_the_chunk_after_the_next_run_and_counts_nothing_twice(world: World) -> None:
    world.live(NEWEST, "ddd", regions=REGIONS[:1])
    run()
    assert list(world.hours["search", NEWEST].samples) == [REGIONS[0]]
    before = world.summaries["search", NEWEST // DAY * DAY]
    for i in range(60):
        world.probe(NEWEST + 60 * i, REGIONS, seen=AT + 40 * HOUR)
    world.now += 2 * DAY
    run()
    assert set(world.hours["search", NEWEST].samples) == set(REGIONS)
    after = world.summaries["search", NEWEST // DAY * DAY]
    assert (after.tally, after.hours) == (before.tally, before.hours)
    assert {region: found.probes for region, found in after.latency.items()} == {REGIONS[0]: 57, REGIONS[1]: 60}
    assert world.marks == {}
    written = world.history()
    run()
    assert [w for w in world.history()[len(written) :] if w[0] == "chunk"] == []


def test_a_round_that_comes_while_its_hour_is_rolled_up_keeps_its_mark(world: World) -> None:
    world.live(NEWEST, "", regions=REGIONS[:1])
    world.probe(NEWEST, REGIONS[1:], seen=AT)
    real = world.put_sketches

    def meanwhile(*args: object) -> None:
        world.probe(NEWEST + 60, REGIONS[1:], seen=AT + 1)
        real(*args)  # type: ignore[arg-type]  # as it was called

    world.put_sketches = meanwhile  # type: ignore[method-assign]  # a round lands at that moment
    run()
    assert {hour for _, hour in world.marks} == {NEWEST}
    world.put_sketches = real  # type: ignore[method-assign]  # and none does again
    run()
    assert len(world.hours["search", NEWEST].samples[REGIONS[1]]) == 2
    assert world.marks == {}


def test_after_a_pause_it_catches_up_and_leaves_what_is_done(world: World) -> None:
    hours = [NEWEST - HOUR * back for back in (5, 4, 3)]
    for hour in hours:
        world.live(hour, "")
    assert run()["chunks"] == 6
    assert sorted(hour for slug, hour in world.hours if slug == "docs") == hours
    assert run() == {"chunks": 0, "days": 0}


def test_what_the_judge_passed_over_is_unknown_and_its_probes_are_kept(world: World) -> None:
    world.live(NEWEST - 60 * HOUR, "")
    world.now -= 58 * HOUR
    run()
    world.now += 58 * HOUR
    world.probe(NEWEST - 55 * HOUR, REGIONS, seen=NEWEST - 55 * HOUR)
    world.live(NEWEST, "")
    run()
    assert world.hours["search", NEWEST - 55 * HOUR].tally == Tally(unknown=60)
    assert set(world.hours["search", NEWEST - 55 * HOUR].samples) == set(REGIONS)
    assert world.hours["search", NEWEST - 61 * HOUR + HOUR].tally == Tally(ok=60)
    assert world.hours["search", NEWEST - 30 * HOUR].tally == Tally(unknown=60)


def test_hours_settle_when_judged_or_beyond_the_judges_reach() -> None:
    now = AT
    first = now - settings.ROUNDS_TTL_S
    beyond = now - HORIZON_S
    assert settled_hours(0, now) == range(-(-first // HOUR) * HOUR, beyond // HOUR * HOUR, HOUR)
    assert settled_hours(NEWEST + HOUR - 60, now)[-1] == NEWEST
    assert settled_hours(NEWEST + HOUR - 120, now)[-1] == NEWEST - HOUR
    assert settled_hours(now + 5 * HOUR, now)[-1] == NEWEST


def test_a_paused_server_is_looked_at_once(world: World) -> None:
    world.live(NEWEST - HOUR, "")
    world.now -= HOUR
    run()
    world.now += HOUR
    world.definitions = (world.definitions[0], [replace(SERVERS[0], paused=True), SERVERS[1]])
    world.live(NEWEST, "")
    for i in range(60):
        world.judged["s001", NEWEST + 60 * i] = {}
    for key in [key for key in world.stored if key[0] == "s001" and key[1] >= NEWEST]:
        world.stored[key] = Round(*key, ())
    run()
    assert ("docs", NEWEST) not in world.hours
    assert NEWEST in world.summaries["docs", NEWEST // DAY * DAY].hours
    assert run() == {"chunks": 0, "days": 0}


def test_two_rollups_at_once_lose_nothing(world: World) -> None:
    world.live(NEWEST, "", regions=REGIONS[:1])
    real_chunk, real_day = world.replace_chunk, world.replace_day
    won: list[str] = []

    def chunk_after_another(item: Chunk, before: bytes | None) -> None:
        if not won:
            won.append("chunk")
            other = Chunk(item.slug, item.hour, "." * 60, {REGIONS[1]: item.samples[REGIONS[0]]})
            real_chunk(other, before)
        real_chunk(item, before)

    def day_after_another(item: DaySummary, before: bytes | None) -> None:
        if len(won) == 1:
            won.append("day")
            real_day(replace(item, incidents=7), before)
        real_day(item, before)

    world.replace_chunk = chunk_after_another  # type: ignore[method-assign]  # another run is a moment earlier
    world.replace_day = day_after_another  # type: ignore[method-assign]  # the same
    assert run() == {"chunks": 2, "days": 2}
    assert won == ["chunk", "day"]
    assert set(world.hours["docs", NEWEST].samples) | set(world.hours["search", NEWEST].samples) == set(REGIONS)
    assert {summary.incidents for summary in world.summaries.values()} == {0}


@pytest.mark.parametrize("what", ["replace_chunk", "replace_day"])
def test_whoever_never_wins_says_so(world: World, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    def never(*_: object) -> None:
        raise ConflictError("somebody else has written it")

    world.live(NEWEST, "")
    monkeypatch.setattr(world, what, never)
    with pytest.raises(ExceptionGroup, match="2 of 2 shards"):
        run()


def test_the_incidents_of_a_day_are_in_its_summary_and_a_later_end_is_learnt(world: World) -> None:
    midnight = AT // DAY * DAY
    world.now = midnight + HOUR + 240
    world.live(midnight - HOUR, "u" * 50 + "d" * 10)
    world.live(midnight, "d" * 5)
    began = midnight - 600
    incident = Incident("inc_1", "search", began, began + 120, "down", public=True, title="Search")
    drift = replace(incident, id="inc_2", kind="drift")
    world.incidents = {one.id: one for one in (incident, drift)}
    run()
    yesterday, today = (world.summaries["search", midnight - DAY], world.summaries["search", midnight])
    assert (yesterday.incidents, yesterday.incident_s) == (1, 600)
    assert (today.incidents, today.incident_s) == (1, 3600)
    world.incidents["inc_1"] = replace(incident, resolved_at=midnight - 60)
    world.live(midnight + HOUR, "")
    world.now += HOUR
    run()
    assert world.summaries["search", midnight - DAY].incident_s == 540
    assert world.summaries["search", midnight].incident_s == 0


def test_a_shard_that_fails_keeps_no_other_waiting_and_the_next_run_completes_it(world: World) -> None:
    world.live(NEWEST, "d")
    world.broken["search"] = RuntimeError("throttled")
    with pytest.raises(ExceptionGroup, match="1 of 2 shards could not be rolled up") as caught:
        run()
    assert [str(error) for error in caught.value.exceptions] == ["throttled"]
    assert set(world.hours) == {("docs", NEWEST)}
    world.broken.clear()
    assert run() == {"chunks": 1, "days": 1}
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
