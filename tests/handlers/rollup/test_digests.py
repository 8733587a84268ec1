"""Digests of days and weeks, told by rollup after its own work: once, exact, and whatever else goes wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from lookout.config.digest import Digest
from lookout.config.model import Server, Sink, Site
from lookout.errors import ConflictError
from lookout.history.calendar import LocalDay
from lookout.history.chunk import DAY, HOUR
from lookout.history.report import report
from lookout.history.uptime import Tally
from lookout.jobs import reading, reports
from lookout.verdict.case import Incident, Notice
from lookout.verdict.reports import WAIT_S, Mark
from lookout.verdict.state import ServerState, ShardState

from functions.rollup import handler as rollup
from tests.handlers.rollup.test_rollup import AT, NEWEST, REGIONS, SERVERS, World

END = AT // HOUR * HOUR
BEGIN = END - DAY
DAILY = Digest("daily", 14, "UTC")
TEAM = Sink("team", "slack", "secret:x", digests=(DAILY,))
LOCAL = "Europe/Berlin"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(rollup, "Store", world)
    monkeypatch.setattr(rollup.time, "time", lambda: world.now)
    asking(world, TEAM)
    return world


def asking(world: World, *sinks: Sink, servers: tuple[Server, ...] = SERVERS) -> None:
    """These sinks are told of all servers, and were told of the moment before the newest."""
    names = tuple(sink.name for sink in sinks)
    heard = [replace(server, notify=server.notify or names) for server in servers]
    world.definitions = (Site("Acme", "us-east-1", REGIONS, sinks), heard)
    world.report = {
        (sink.name, one.every): Mark(sink.name, one.every, one.rule, one.before(one.last(AT)), 1)
        for sink in sinks
        for one in sink.digests
    }


def run() -> dict[str, int]:
    event = json.loads((Path(__file__).parent / "events/hour.json").read_text(encoding="utf-8"))
    written: dict[str, int] = rollup.handler(event, object())
    return written


def told(world: World) -> list[Notice]:
    return list(world.notices.values())


def members(notice: Notice) -> dict[str, dict[str, Any]]:
    assert notice.report is not None
    return {one["slug"]: one for one in notice.report["members"]}


def counted(world: World, slug: str, begin: int, end: int) -> Tally:
    """What the history has of a span, probe by probe."""
    (server,) = [one for one in SERVERS if one.slug == slug]
    store: Any = world
    chunks = reading.each_hour(store, server, begin, end, int(world.now))
    return report(slug, chunks, [LocalDay("", begin, end)], (begin, end), ()).whole.tally


def day(world: World) -> None:
    """A day of both servers, with failures at both of its ends and minutes that nobody knows."""
    for back in range(25):
        world.live(NEWEST - HOUR * back, "dduu?gg.m" if back % 5 == 0 else "u?" * back + "d")


def test_the_uptime_of_a_digest_is_that_of_lookout_history(world: World) -> None:
    day(world)
    assert run() == {"chunks": 50, "days": 4, "digests": 1}
    (notice,) = told(world)
    store: Any = world
    site = world.definitions[0]
    assert site is not None
    for server in SERVERS:
        whole = reading.tell(store, site, server, "24h", None, END).report.whole.tally
        member = members(notice)[server.slug]
        assert whole.due > 1300
        assert whole.fail > 0
        assert (member["uptime"], member["coverage"]) == (float(whole.uptime or 0), float(whole.coverage or 0))
        assert whole == counted(world, server.slug, BEGIN, END)
    assert notice.report is not None
    assert (notice.report["begins_at"], notice.report["ends_at"], notice.sinks) == (BEGIN, END, ("team",))


@pytest.mark.parametrize(("morning", "hours"), [("2026-03-29T08:00+02:00", 23), ("2026-10-25T08:00+01:00", 25)])
def test_days_on_which_clocks_are_turned_are_told_whole(world: World, morning: str, hours: int) -> None:
    end = int(datetime.fromisoformat(morning).timestamp())
    sink = replace(TEAM, digests=(Digest("daily", 8, LOCAL),))
    asking(world, sink)
    world.report["team", "daily"] = Mark("team", "daily", sink.digests[0].rule, end - hours * HOUR, 1)
    for back in range(28):
        world.live(end - HOUR - HOUR * back, "d" * (back + 1))
    world.now = end + 240.0
    run()
    (notice,) = told(world)
    assert notice.report is not None
    assert notice.report["ends_at"] - notice.report["begins_at"] == hours * HOUR
    whole = counted(world, "search", end - hours * HOUR, end)
    assert whole.due == hours * 60
    assert members(notice)["search"]["uptime"] == float(whole.uptime or 0)


def test_hours_that_cannot_be_rolled_up_count_all_the_same(world: World) -> None:
    day(world)
    world.broken |= {slug: RuntimeError("throttled") for slug in ("docs", "search")}
    with pytest.raises(ExceptionGroup, match="2 of 2 shards could not be rolled up"):
        run()
    assert world.hours == {}
    (notice,) = told(world)
    for slug in ("docs", "search"):
        whole = counted(world, slug, BEGIN, END)
        assert members(notice)[slug]["uptime"] == float(whole.uptime or 0)
        assert members(notice)[slug]["coverage"] == float(whole.coverage or 0)


def test_servers_of_one_shard_share_what_is_read_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    day(world)
    asking(world, TEAM, servers=(*SERVERS, Server("mail", "https://mail.acme.dev/mcp", shard="s000")))
    for (shard, minute), codes in world.judged.items():
        if shard == "s000":
            codes["mail"] = "d" if minute % 240 == 0 else "u"
    world.broken |= {slug: RuntimeError("throttled") for slug in ("mail", "search")}
    with pytest.raises(ExceptionGroup, match="1 of 2 shards could not be rolled up"):
        run()
    world.notices.clear()
    world.report["team", "daily"] = replace(world.report["team", "daily"], moment=BEGIN)
    reads: list[tuple[str, int]] = []
    real = world.verdicts

    def verdicts(shard: str, hour: int, now: int, *, consistent: bool = False) -> Any:
        reads.append((shard, hour))
        return real(shard, hour, now)

    monkeypatch.setattr(world, "verdicts", verdicts)
    store: Any = world
    (notice,) = reports.tell_reports(store, int(world.now))
    assert reads == [("s000", hour) for hour in range(BEGIN, END, HOUR)]
    assert members(notice)["mail"]["uptime"] == 0.75
    assert members(notice)["search"]["uptime"] == float(counted(world, "search", BEGIN, END).uptime or 0)
    assert members(notice)["docs"]["uptime"] == float(counted(world, "docs", BEGIN, END).uptime or 0)


def test_it_waits_for_the_judge_and_then_says_what_nobody_judged(world: World) -> None:
    day(world)
    run()
    world.notices.clear()
    asking(world, TEAM)
    for shard in ("s000", "s001"):
        world.states[shard] = ShardState(shard, 1, END + DAY - 1800)
    for minute in range(END, END + DAY - 1800, 60):
        world.judged["s000", minute] = {"search": "u"}
        world.judged["s001", minute] = {"docs": "u"}
    world.report["team", "daily"] = replace(world.report["team", "daily"], moment=END)
    world.now = END + DAY + WAIT_S - 1.0
    assert run()["digests"] == 0
    world.now += 1
    assert run()["digests"] == 1
    (notice,) = told(world)
    assert members(notice)["search"]["coverage"] == (1440 - 30) / 1440
    assert members(notice)["search"]["uptime"] == 1.0


def test_nobody_is_told_twice(world: World) -> None:
    world.live(NEWEST, "d")
    assert run()["digests"] == 1
    assert run()["digests"] == 0
    world.now += HOUR
    assert run()["digests"] == 0
    assert len(told(world)) == 1


def test_of_two_runs_at_once_one_tells(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.live(NEWEST, "d")
    real = world.keep_report
    others: list[dict[str, int]] = []

    def after_another(mark: Mark, digest: Notice | None, now: int) -> None:
        if not others:
            others.append({})
            world.now += 1
            others[0] = run()
        real(mark, digest, now)

    monkeypatch.setattr(world, "keep_report", after_another)
    assert run()["digests"] == 0
    assert others[0]["digests"] == 1
    assert len(told(world)) == 1


@pytest.mark.parametrize("stored", [False, True])
def test_a_run_that_dies_is_made_up_for_and_nothing_comes_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, *, stored: bool
) -> None:
    world.live(NEWEST, "d")
    real = world.keep_report

    def dies(mark: Mark, digest: Notice | None, now: int) -> None:
        if stored:
            real(mark, digest, now)
        raise ConnectionError("the answer never came")

    monkeypatch.setattr(world, "keep_report", dies)
    with pytest.raises(ExceptionGroup, match="some digests could not be told") as caught:
        run()
    assert [str(error) for error in caught.value.exceptions] == ["the answer never came"]
    assert ("docs", NEWEST) in world.hours
    monkeypatch.setattr(world, "keep_report", real)
    world.now += HOUR
    assert run()["digests"] == (0 if stored else 1)
    assert len(told(world)) == 1


def test_an_error_of_one_keeps_no_other_from_being_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.live(NEWEST, "d")
    weekly = Digest("weekly", 14, "UTC", "sat")
    asking(world, TEAM, replace(TEAM, name="mail"), replace(TEAM, name="board", digests=(weekly,)))
    world.broken["team"] = RuntimeError("refused")
    real = world.days

    def days(slug: str, since: int, until: int, now: int) -> list[Any]:
        if until - since > 3 * DAY and until == END:
            raise RuntimeError("throttled")
        return real(slug, since, until, now)

    monkeypatch.setattr(world, "days", days)
    with pytest.raises(ExceptionGroup) as caught:
        run()
    assert sorted(str(error) for error in caught.value.exceptions) == ["refused", "throttled"]
    assert [notice.sinks for notice in told(world)] == [("mail",)]
    world.broken["search"] = RuntimeError("no history")
    for chunk in [key for key in world.hours if key[0] == "search"]:
        del world.hours[chunk]
    world.summaries.clear()
    with pytest.raises(ExceptionGroup, match="neither step was done in full"):
        run()


def test_a_new_digest_waits_for_its_next_moment(world: World) -> None:
    world.live(NEWEST, "d")
    world.report.clear()
    assert run()["digests"] == 0
    assert world.report["team", "daily"] == Mark("team", "daily", DAILY.rule, END, 1)


def test_another_run_may_begin_a_new_digest_at_the_same_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise ConflictError("told by another")

    world.report.clear()
    monkeypatch.setattr(world, "keep_report", never)
    assert run()["digests"] == 0


def test_a_sink_hears_of_its_own_servers_alone(world: World) -> None:
    world.live(NEWEST, "d")
    hidden = (replace(SERVERS[0], visibility="private", notify=("owner",)), replace(SERVERS[1], notify=("team",)))
    asking(world, TEAM, replace(TEAM, name="owner"), replace(TEAM, name="idle"), servers=hidden)
    assert run()["digests"] == 2
    by_sink = {notice.sinks[0]: notice for notice in told(world)}
    assert {sink: list(members(notice)) for sink, notice in by_sink.items()} == {"team": ["search"], "owner": ["docs"]}
    assert [by_sink[name].server["visibility"] for name in ("team", "owner")] == ["public", "private"]
    assert "docs" not in json.dumps(by_sink["team"].to_json())
    assert world.report["idle", "daily"].moment == END  # nothing to tell, and no need to look again


def incident(key: str, kind: str, began: int) -> Incident:
    return Incident(key, "search", began, began + 120, "down", public=True, title="Search", kind=kind)


def test_what_began_long_ago_and_lasts_is_open(world: World) -> None:
    world.live(NEWEST, "d")
    old, new = incident("inc_1", "certificate", BEGIN - 9 * DAY), incident("inc_2", "latency", END - HOUR)
    down = replace(incident("inc_3", "availability", BEGIN - 300), resolved_at=BEGIN + 300)
    world.incidents = {one.id: one for one in (old, new, down)}
    open_ones = {"certificate": "inc_1", "latency": "inc_2", "drift": "inc_gone"}
    world.states["s000"] = replace(world.states["s000"], servers={"search": ServerState("search", incidents=open_ones)})
    run()
    member = members(told(world)[0])["search"]
    assert (member["outages"], member["downtime_seconds"], member["incidents"]) == (1, 300, 1)
    assert member["open"] == ["certificate", "latency"]


def test_a_paused_server_and_one_that_nobody_judged_say_so(world: World) -> None:
    world.live(NEWEST, "d")
    new = Server("new", "https://new.acme.dev/mcp", shard="s009")
    asking(world, TEAM, servers=(replace(SERVERS[0], paused=True), SERVERS[1], new))
    run()
    found = members(told(world)[0])
    assert found["docs"]["status"] == "paused"
    assert (found["new"]["status"], found["new"]["uptime"], found["new"]["coverage"]) == ("pending", None, None)


@pytest.mark.parametrize("site", [None, Site("Acme", "us-east-1", REGIONS, (replace(TEAM, digests=()),))])
def test_where_nobody_asks_nothing_is_read(world: World, site: Site | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> None:
        raise AssertionError("nobody asks")

    monkeypatch.setattr(world, "report_marks", read)
    world.definitions = (site, list(SERVERS))
    assert run() == {"chunks": 0, "days": 0, "digests": 0}
