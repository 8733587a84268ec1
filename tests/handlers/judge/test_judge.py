from __future__ import annotations

import inspect
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lookout.config.model import Server, Sink, Site
from lookout.config.window import Window
from lookout.errors import ConflictError, StoreError
from lookout.history.round import Round
from lookout.probe.result import Layer, ProbeResult, Reason, Status
from lookout.store import Store
from lookout.store.mass import MassBook
from lookout.store.minutes import Minutes
from lookout.store.watch import WatchLog
from lookout.surface.model import Surface, surface_of
from lookout.surface.packed import pack
from lookout.verdict.judge import Judgement
from lookout.verdict.quiet import Waiting
from lookout.verdict.state import ShardState

from functions.judge import handler as judge
from tests.handlers.memory import Memory, MemoryLog, MemoryMass, QuietRows

MINUTE = 1_787_409_240
"""2026-08-22T14:34:00Z: the newest round of the events."""
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", "us-east-1", REGIONS, (Sink("hook", "webhook", "https://ops.acme.dev/x"),))
SEARCH = Server("search", "https://search.acme.dev/mcp", shard="s000", notify=("hook",))
DOCS = Server("docs", "https://docs.acme.dev/mcp", shard="s001", notify=("hook",))
DOWN = (Status.DOWN, Layer.HTTP, Reason.HTTP_5XX)
UP = (Status.UP, None, None)


class World(Memory):
    """The tables, the clock, and another judge who may be quicker."""

    def __init__(self) -> None:
        super().__init__(SITE, (DOCS, SEARCH))
        self.now = MINUTE + 70.5
        self.others_win = 0
        self.surfaces: dict[str, Surface] = {}
        self.shown = MINUTE - 600
        self.log = MemoryLog(self.notices)
        self.mass = MemoryMass(self.held, self.notices)

    def __call__(self, home: str) -> World:
        assert home == "us-east-1"
        return self

    def get_surface(self, home: str, bucket: str, address: str) -> bytes:
        assert (home, bucket) == ("us-east-1", "surfaces")
        if address not in self.surfaces:
            raise StoreError("AccessDenied")
        return pack(self.surfaces[address])

    def show(self, surface: Surface, minutes: int) -> None:
        """Every region sees this surface in the next minutes."""
        self.surfaces[surface.address] = surface
        for _ in range(minutes):
            self.shown += 60
            for region in REGIONS:
                at = self.shown * 1000 + 7000
                result = ProbeResult("search", Status.UP, at, surface_address=surface.address, asked_as="abcdef")
                self.put_round(Round("s000", self.shown, region, (result,)), self.shown)

    def commit(self, judgement: Judgement, now: int) -> ShardState:
        if self.others_win:
            self.others_win -= 1
            super().commit(judgement, now)
            raise ConflictError("somebody else judged")
        return super().commit(judgement, now)

    def tell(self, server: Server, minute: int, says: str) -> None:
        """One letter per region: u up, d down, - silent."""
        for region, letter in zip(REGIONS, says, strict=True):
            if letter != "-":
                status, layer, reason = DOWN if letter == "d" else UP
                result = ProbeResult(server.slug, status, minute * 1000 + 7000, layer, reason, "HTTP 502", 502)
                self.put_round(Round(server.shard, minute, region, (result,)), minute)


unmeasured = pytest.mark.filterwarnings("ignore:No application metrics to publish")
"""A handler that raises has measured nothing, and powertools remarks on that."""


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("LOOKOUT_HOME_REGION", "us-east-1")
    monkeypatch.setenv("LOOKOUT_SURFACES_BUCKET", "surfaces")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(judge.surfaces, "get_surface", world.get_surface)
    monkeypatch.setattr(judge, "Store", world)
    monkeypatch.setattr(judge, "WatchLog", lambda _: world.log)
    monkeypatch.setattr(judge, "MassBook", lambda _: world.mass)
    monkeypatch.setattr(judge.time, "time", lambda: world.now)
    return world


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(__file__).parent / "events" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def run(name: str) -> dict[str, int]:
    done: dict[str, int] = judge.handler(event(name), object())
    return done


def outage(world: World, server: Server = SEARCH) -> None:
    """Up, then three failing rounds, the last of them in the minute of the events."""
    for minutes_ago, says in ((3, "uuu"), (2, "ddd"), (1, "d-d"), (0, "ddd")):
        world.tell(server, MINUTE - 60 * minutes_ago, says)


def metrics(text: str) -> dict[str, float]:
    """The metrics in what was printed (CloudWatch embedded metric format)."""
    (said,) = [json.loads(line) for line in text.splitlines() if "_aws" in line]
    (group,) = said["_aws"]["CloudWatchMetrics"]
    assert (group["Namespace"], said["service"]) == ("Lookout", "judge")
    return {m["Name"]: sum(said[m["Name"]]) for m in group["Metrics"]}


def test_rounds_that_landed_are_judged_and_the_third_failing_one_opens_an_incident(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.tell(SEARCH, MINUTE - 180, "uuu")
    world.now = MINUTE - 170
    assert run("round") == {"minutes": 1, "notices": 0}
    capsys.readouterr()
    outage(world)
    world.now = MINUTE + 70
    assert run("round") == {"minutes": 3, "notices": 1}
    assert metrics(capsys.readouterr().out) == {"MinutesJudged": 3, "NoticesWritten": 1}
    (notice,) = world.notices.values()
    assert (notice.type, notice.slug, notice.status, notice.sinks) == ("incident.opened", "search", "down", ("hook",))
    assert notice.quorum.rule == "2-of-3"
    assert [incident.started_at for incident in world.incidents.values()] == [MINUTE - 120]


@pytest.mark.parametrize("again", ["round", "rounds-out-of-order", "tick"])
def test_the_same_again_changes_nothing(world: World, again: str) -> None:
    outage(world)
    assert run("round") == {"minutes": 4, "notices": 1}
    written = list(world.writes)
    assert run(again) == {"minutes": 0, "notices": 0}
    assert world.writes == written


def test_the_order_of_a_batch_does_not_matter(world: World) -> None:
    outage(world)
    assert event("rounds-out-of-order")["Records"][0]["dynamodb"]["Keys"]["sk"]["S"] == "34#eu-west-1"
    assert run("rounds-out-of-order") == {"minutes": 4, "notices": 1}


def test_a_batch_wakes_only_its_shards(world: World) -> None:
    outage(world)
    outage(world, DOCS)
    assert run("round")["notices"] == 1
    assert {notice.slug for notice in world.notices.values()} == {"search"}
    assert run("rounds-of-two-shards")["notices"] == 1
    assert {notice.slug for notice in world.notices.values()} == {"search", "docs"}


def test_silence_is_judged_by_the_tick(world: World) -> None:
    world.tell(SEARCH, MINUTE - 60, "uuu")
    world.now = MINUTE - 50
    assert run("tick") == {"minutes": 1, "notices": 0}
    world.now = MINUTE + 119
    assert run("tick") == {"minutes": 0, "notices": 0}
    world.now = MINUTE + 120
    assert run("tick") == {"minutes": 1, "notices": 0}
    assert world.judged["s000", MINUTE] == {"search": "?"}


@unmeasured
def test_a_shard_that_cannot_be_judged_keeps_no_other_waiting(world: World) -> None:
    outage(world)
    outage(world, DOCS)
    world.broken["s000"] = RuntimeError("throttled")
    with pytest.raises(ExceptionGroup, match="1 shards could not be judged, 4 minutes of others were") as caught:
        run("rounds-of-two-shards")
    assert [str(error) for error in caught.value.exceptions] == ["throttled"]
    assert {notice.slug for notice in world.notices.values()} == {"docs"}
    world.broken.clear()
    assert run("rounds-of-two-shards") == {"minutes": 4, "notices": 1}


def test_the_slower_of_two_judges_reads_again(world: World) -> None:
    outage(world)
    world.others_win = 3
    assert run("round")["notices"] == 1
    assert [write[0] for write in world.writes].count("judgement") == 4
    assert len(world.notices) == 1


@unmeasured
def test_a_judge_who_always_loses_says_so_and_the_stream_sends_again(world: World) -> None:
    outage(world)
    world.commit = _lose  # type: ignore[method-assign] # a store in which somebody else always writes first
    with pytest.raises(ExceptionGroup) as caught:
        run("round")
    assert isinstance(caught.value.exceptions[0], ConflictError)


def _lose(judgement: Judgement, now: int) -> ShardState:
    raise ConflictError("somebody else judged")


def test_rounds_of_a_shard_that_is_no_more_are_left_alone(world: World) -> None:
    outage(world)
    world.definitions = (SITE, [DOCS])
    assert run("round") == {"minutes": 0, "notices": 0}


def test_before_the_first_configuration_there_is_nothing_to_judge(world: World) -> None:
    world.definitions = (None, [])
    assert run("tick") == {"minutes": 0, "notices": 0}


@unmeasured
def test_a_missing_setting_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOKOUT_HOME_REGION")
    with pytest.raises(KeyError, match="LOOKOUT_HOME_REGION"):
        run("tick")


@pytest.mark.parametrize("readable", [True, False])
def test_a_changed_surface_is_compared_from_the_bucket_and_told(world: World, readable: bool) -> None:
    one, two = surface_of([]), surface_of([{"name": "find", "inputSchema": {"type": "object"}}])
    assert one is not None
    assert two is not None
    world.show(one, 3)
    world.show(two, 3)
    if not readable:
        world.surfaces.clear()
    assert run("tick")["notices"] == 1
    (notice,) = world.notices.values()
    assert notice.drift is not None
    assert (notice.type, notice.drift["class"]) == ("drift.detected", "additive" if readable else "unknown")
    assert notice.drift["added"] == (["find"] if readable else [])


@unmeasured
def test_without_the_bucket_it_does_not_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOOKOUT_SURFACES_BUCKET")
    with pytest.raises(KeyError, match="LOOKOUT_SURFACES_BUCKET"):
        run("tick")


def test_after_an_absence_a_minute_waits_for_what_regions_hold(world: World) -> None:
    """The first to come back is the stream, with one region's round: it does not decide for the others."""
    world.tell(SEARCH, MINUTE - 60 * 12, "uuu")
    world.now = MINUTE - 60 * 12 + 30
    run("tick")
    world.now = MINUTE + 5
    world.tell(SEARCH, MINUTE - 60 * 11, "d--")
    assert run("round") == {"minutes": 0, "notices": 0}
    assert run("tick") == {"minutes": 0, "notices": 0}
    assert world.log.watch.resumed == world.now
    for minutes_ago in (11, 10, 9):
        world.tell(SEARCH, MINUTE - 60 * minutes_ago, "ddd")
    assert run("round") == {"minutes": 3, "notices": 1}
    world.now += 60
    assert run("tick")["minutes"] == 0
    for _ in range(10):
        world.now += 60
        run("tick")
    assert world.states["s000"].judged >= MINUTE


def test_a_silent_region_is_told_by_the_tick_and_by_nobody_else(world: World) -> None:
    for minute in range(MINUTE - 60 * 14, MINUTE, 60):
        world.tell(SEARCH, minute, "uuu" if minute < MINUTE - 60 * 12 else "uu-")
        world.now = minute + 50
        run("tick")
        run("round")
    (notice,) = world.notices.values()
    assert (notice.type, notice.sinks, notice.regions[0].region) == ("region.stale", ("hook",), "ap-southeast-1")
    assert notice.dedup_key.startswith("reg_")


def test_maintenance_of_the_file_and_by_hand_is_told_by_the_tick_once(world: World) -> None:
    of_file = Window("mnt_file", begin=MINUTE, end=MINUTE + 600)
    world.definitions = (replace(SITE, maintenance=(of_file,)), [DOCS, SEARCH])
    world.windows = [Window("mnt_hand", ("search",), begin=MINUTE, end=MINUTE + 120)]
    for _ in range(2):
        run("tick")
    world.now += 60
    run("tick")
    told = sorted((notice.type, notice.slug, notice.created_at) for notice in world.notices.values())
    assert told == [
        ("maintenance.ended", "maintenance:mnt_hand", MINUTE + 120),
        ("maintenance.started", "maintenance:mnt_file", MINUTE),
        ("maintenance.started", "maintenance:mnt_hand", MINUTE),
    ]


@unmeasured
def test_a_watch_that_cannot_be_kept_keeps_nobody_from_judging(world: World) -> None:
    outage(world)
    world.log.broken = TimeoutError("throttled")
    with pytest.raises(TimeoutError, match="throttled"):
        run("tick")
    assert [notice.type for notice in world.notices.values()] == ["incident.opened"]


def together(world: World) -> None:
    """Five servers of one shard, all of whom fail for the third time in the minute of the events."""
    servers = [replace(SEARCH, slug=f"search-{n}") for n in range(5)]
    world.definitions = (SITE, servers)
    for minutes_ago, (status, layer, reason) in ((3, UP), (2, DOWN), (1, DOWN), (0, DOWN)):
        minute = MINUTE - 60 * minutes_ago
        results = tuple(ProbeResult(s.slug, status, minute * 1000 + 7000, layer, reason) for s in servers)
        for region in REGIONS:
            world.put_round(Round("s000", minute, region, results), minute)


def test_what_a_mass_failure_holds_back_is_told_by_the_tick_in_one_digest(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    together(world)
    assert run("round") == {"minutes": 4, "notices": 0}
    assert caplog.messages == ["held"] * 5
    assert (len(world.held), len(world.incidents), world.notices) == (5, 5, {})
    assert run("tick") == {"minutes": 0, "notices": 1}
    (digest,) = world.notices.values()
    assert (digest.type, digest.slug, digest.server["name"], digest.sinks) == (
        "digest",
        "digest:site",
        "5 servers",
        ("hook",),
    )
    assert run("tick") == {"minutes": 0, "notices": 0}


def test_what_the_tick_judges_itself_it_also_tells(world: World) -> None:
    together(world)
    assert run("tick") == {"minutes": 4, "notices": 1}


@unmeasured
def test_whatever_becomes_of_the_watch_and_of_judging_what_is_held_is_told(world: World) -> None:
    together(world)
    run("round")
    world.broken["s000"] = RuntimeError("throttled")
    with pytest.raises(ExceptionGroup):
        run("tick")
    assert [notice.type for notice in world.notices.values()] == ["digest"]


def test_what_waited_for_the_end_of_quiet_hours_is_told_by_the_tick(world: World) -> None:
    outage(world)
    run("round")
    (opened,) = world.notices.values()
    world.rows["hook", opened.dedup_key] = Waiting("hook", opened, 1, MINUTE - 3600, "warning", 1)
    assert run("round")["notices"] == 0
    assert run("tick")["notices"] == 1
    assert [(one.type, one.sinks) for one in world.notices.values()][1:] == [("digest", ("hook",))]


@unmeasured
def test_whatever_fails_before_it_what_waited_is_told_and_all_that_failed_is_said(world: World) -> None:
    outage(world)
    run("round")
    (opened,) = world.notices.values()
    world.rows["hook", opened.dedup_key] = Waiting("hook", opened, 1, MINUTE - 3600, "warning", 1)
    world.tell(SEARCH, MINUTE + 60, "uuu")
    world.now += 60
    world.mass.broken = TimeoutError("throttled")
    world.broken["s000"] = RuntimeError("throttled")
    with pytest.raises(ExceptionGroup, match="2 of 5 steps failed"):
        run("tick")
    assert world.rows == {}


@unmeasured
@pytest.mark.parametrize("watched", [True, False])
def test_the_tick_tells_of_a_budget_that_burns_whatever_fails_before(
    world: World, monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    monkeypatch.setattr(judge, "minutes", Minutes())
    world.definitions = (SITE, [DOCS, replace(SEARCH, burn_alerts=True)])
    for ago in range(32, 0, -1):
        world.tell(SEARCH, MINUTE - 60 * ago, "uuu" if ago > 2 else "ddd")
    outage(world)
    run("round")
    assert [notice.type for notice in world.notices.values()] == ["incident.opened"]
    world.now += 60
    world.mass.broken = TimeoutError("throttled")
    if not watched:
        world.log.broken = TimeoutError("throttled")
    for _ in range(2):  # of two ticks of a minute one tells
        with pytest.raises((TimeoutError, ExceptionGroup), match="throttled" if watched else "2 of 5 steps"):
            run("tick")
    _, burn = world.notices.values()
    assert (burn.type, burn.slug, burn.status, burn.severity, burn.sinks) == (
        "slo.burn",
        "search",
        "down",
        "high",
        ("hook",),
    )


@unmeasured
def test_what_is_held_and_cannot_be_read_keeps_nobody_from_judging(world: World) -> None:
    outage(world)
    world.mass.broken = TimeoutError("throttled")
    assert run("round") == {"minutes": 4, "notices": 1}
    world.tell(SEARCH, MINUTE + 60, "uuu")
    world.now += 60
    with pytest.raises(TimeoutError, match="throttled"):
        run("tick")
    assert world.states["s000"].judged == MINUTE + 60


@pytest.mark.parametrize(("in_memory", "real"), [(MemoryLog, WatchLog), (MemoryMass, MassBook)])
def test_what_is_in_memory_is_called_like_the_real_one(in_memory: type, real: type) -> None:
    for name in ("read", "keep"):
        ours, theirs = (inspect.signature(getattr(one, name)) for one in (in_memory, real))
        assert list(ours.parameters) == list(theirs.parameters)


def test_memory_has_the_stores_signatures() -> None:
    for name, method in {**vars(QuietRows), **vars(Memory)}.items():
        if not name.startswith("_"):
            assert list(inspect.signature(method).parameters) == list(
                inspect.signature(getattr(Store, name)).parameters
            )
