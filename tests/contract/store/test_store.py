"""The store against a real DynamoDB wire: what is written twice, out of order, or by two at once."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

import boto3
import pytest
from lookout import settings
from lookout.config.model import Config, Server, Sink, Site
from lookout.config.window import Window
from lookout.errors import ConflictError, StoreError
from lookout.history.chunk import Chunk
from lookout.history.day import summarise
from lookout.history.packing import pack_chunk, pack_day
from lookout.history.round import Round
from lookout.history.uptime import Tally
from lookout.jobs import judging
from lookout.jobs.rolling import roll_up
from lookout.notify.firing import Firing
from lookout.probe.result import ProbeResult, Status
from lookout.store import Delivery, Store, notice_from_image, surfaces
from lookout.store.deliveries import Untold
from lookout.store.models import models
from lookout.store.snapshot import Gatherer
from lookout.store.watch import WatchLog
from lookout.surface.model import Surface, surface_of
from lookout.surface.packed import pack
from lookout.verdict.case import Incident
from lookout.verdict.judge import Judgement, judge_minute
from lookout.verdict.state import ServerState, ShardState
from lookout.verdict.watch import Heard, RegionMemory, Watch, keep

from tests.contract.store.tables import tables

HOME = "us-east-1"
REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
SITE = Site("Acme", HOME, REGIONS, (Sink("hook", "webhook", "https://ops.example/x"),))
ACME = Server("acme", "https://a.example/mcp", notify=("hook",))
HIDDEN = Server("hidden", "https://h.example/mcp", visibility="private")
STATUSES = {"u": Status.UP, "d": Status.DOWN}


@pytest.fixture
def store(local_aws: str) -> Iterator[Store]:
    del local_aws
    with tables(HOME) as store:
        yield store


NOW = int(time.time())
T = NOW // 3600 * 3600 - 7200


def judge_shards(store: Store, shards: set[str] | None, now: int) -> list[Judgement]:
    """Judge where no surface was ever stored."""
    return judging.judge_shards(store, shards, now, lambda address: b"")


def tell(store: Store, minute: int, says: str, slugs: tuple[str, ...] = ("acme",)) -> None:
    for region, letter in zip(REGIONS, says, strict=True):
        if letter != "-":
            results = tuple(
                ProbeResult(s, STATUSES[letter], minute * 1000, timings_ms={"total": 5.0}, message="") for s in slugs
            )
            store.put_round(Round("s000", minute, region, results), minute)


def apply(store: Store, *servers: Server, site: Site = SITE) -> None:
    store.apply_config(Config(site, servers), NOW)


def test_applying_touches_only_what_changed(store: Store) -> None:
    assert store.roster() == (None, [])
    assert store.site() is None
    first = store.apply_config(Config(SITE, (ACME, HIDDEN)), NOW)
    assert (first.created, first.changed, first.removed) == (("acme", "hidden"), (), ())
    again = store.apply_config(Config(SITE, (ACME, HIDDEN)), NOW)
    assert (again.created, again.changed, again.removed) == ((), (), ())
    renamed = replace(ACME, name="Acme Search")
    third = store.apply_config(Config(SITE, (renamed,)), NOW)
    assert (third.created, third.changed, third.removed) == ((), ("acme",), ("hidden",))
    site, servers = store.roster(consistent=True)
    assert (site, store.site()) == (SITE, SITE)
    assert servers == [replace(renamed, shard="s000")]


def test_a_round_is_written_once(store: Store) -> None:
    item = Round("s000", T, "eu-west-1", (ProbeResult("acme", Status.UP, T * 1000),))
    other = Round("s000", T, "eu-west-1", (ProbeResult("acme", Status.DOWN, T * 1000),))
    assert store.put_round(item, NOW)
    assert not store.put_round(other, NOW)
    assert store.rounds("s000", T, T, NOW) == {T: {"eu-west-1": item}}
    assert store.rounds("s000", T, T, NOW + settings.ROUNDS_TTL_S) == {}


def test_rounds_are_read_across_hours_and_a_damaged_one_is_a_silent_region(store: Store) -> None:
    for minute in (T - 60, T, T + 60):
        tell(store, minute, "uu-")
    models(HOME).round(f"s000#{T // 3600}", "00#ap-southeast-1", kind="round", data=b"\x01junk", ttl=NOW + 99).save()
    found = store.rounds("s000", T - 60, T, NOW)
    assert {m: sorted(r) for m, r in found.items()} == {m: ["eu-west-1", "us-west-2"] for m in (T - 60, T)}


def test_the_whole_story_of_an_incident(store: Store) -> None:
    apply(store, ACME)
    for i, says in enumerate(["uuu", "ddd", "d-d", "ddd", "ddd", "uuu", "uuu"]):
        tell(store, T + 60 * i, says)
    judged = judge_shards(store, {"s000"}, T + 370)
    types = [n.type for j in judged for n in j.notices]
    assert types == ["incident.opened", "incident.resolved"]
    tell(store, T, "ddd")
    assert [n for j in judge_shards(store, None, T + 380) for n in j.notices] == []
    assert [n.type for n in store.recent_notices(10)] == ["incident.resolved", "incident.opened"]
    opened = store.recent_notices(10)[1]
    assert store.notice(opened.id) == opened
    assert store.notice("evt_none") is None
    incident = store.incidents("acme", 10)[0]
    assert incident.resolution == "recovered"
    assert store.incident("acme", incident.id) == incident
    assert store.incident("acme", "inc_none") is None


def test_silence_is_judged_by_the_tick_and_two_judges_agree(store: Store) -> None:
    apply(store, ACME)
    tell(store, T, "uuu")
    assert len(judge_shards(store, None, T + 10)) == 1
    assert judge_shards(store, None, T + 60) == []
    assert [dict(j.verdicts) for j in judge_shards(store, None, T + 180)] == [{"acme": "?"}]


def test_who_had_been_heard_when_a_minute_was_judged_is_kept(store: Store) -> None:
    apply(store, ACME)
    tell(store, T, "uuu")
    judge_shards(store, None, T + 10)
    judge_shards(store, None, T + 180)
    tell(store, T + 60, "uuu")
    heard = store.heard("s000", T // 3600 * 3600, T + 200)
    assert heard == {T: store.roster()[0].regions, T + 60: ()}  # type: ignore[union-attr]  # applied above
    assert store.heard("s000", T // 3600 * 3600, T + 200 + settings.ROUNDS_TTL_S) == {}


def test_the_losing_judge_changes_nothing(store: Store) -> None:
    apply(store, ACME)
    site, servers = store.roster()
    assert site is not None
    for i, says in enumerate(["uuu", "ddd", "ddd"]):
        tell(store, T + 60 * i, says)
    judge_shards(store, None, T + 130)
    tell(store, T + 180, "ddd")
    state = store.shard_state("s000")
    mine = judge_minute(state, T + 180, store.rounds("s000", T + 180, T + 180, NOW)[T + 180], servers, site, {})
    assert len(judge_shards(store, None, T + 190)) == 1
    with pytest.raises(ConflictError):
        store.commit(mine, NOW)
    assert len(store.recent_notices(10)) == 1
    assert len(store.incidents("acme", 10)) == 1


def test_removing_a_server_closes_its_incident_as_removed_with_a_notice(store: Store) -> None:
    apply(store, ACME)
    for i in range(4):
        tell(store, T + 60 * i, "ddd")
    judge_shards(store, None, T + 190)
    apply(store)
    newest = store.recent_notices(1)[0]
    assert (newest.type, newest.incident.resolution, newest.sinks) == ("incident.resolved", "removed", ("hook",))
    assert store.incidents("acme", 1)[0].resolution == "removed"
    assert store.roster()[1] == []
    assert store.server_states() == {}


def test_a_judge_that_read_before_a_removal_reads_again_and_opens_nothing(store: Store) -> None:
    apply(store, ACME)
    for i in range(4):
        tell(store, T + 60 * i, "ddd")
    commit = store.commit

    def overtaken(judgement: Judgement, now: int) -> ShardState:
        if any(n.type == "incident.opened" for n in judgement.notices) and store.roster()[1]:
            apply(store)
        return commit(judgement, now)

    store.commit = overtaken  # type: ignore[method-assign]  # the moment between its reads and its transaction
    judge_shards(store, None, T + 190)
    assert store.recent_notices(10) == []
    assert store.incidents("acme", 10) == []


def test_a_removal_that_a_judgement_overtakes_closes_what_that_opened(store: Store) -> None:
    apply(store, ACME)
    for i in range(4):
        tell(store, T + 60 * i, "ddd")
    judge_shards(store, None, T + 70)
    read = store.open_incidents

    def overtaken(states: Iterable[ServerState]) -> dict[str, Incident]:
        found = read(states)
        store.open_incidents = read  # type: ignore[method-assign]  # once is enough
        judge_shards(store, None, T + 190)
        return found

    store.open_incidents = overtaken  # type: ignore[method-assign]  # the moment between its reads and its transaction
    apply(store)
    assert [n.type for n in store.recent_notices(10)] == ["incident.resolved", "incident.opened"]
    assert [i.resolution for i in store.incidents("acme", 10)] == ["removed"]


def test_history_is_rolled_up_once_and_the_snapshot_counts_nothing_twice(store: Store) -> None:
    apply(store, ACME, HIDDEN)
    gatherer = Gatherer(store)
    for i in range(60):
        tell(store, T + 60 * i, "ddd" if 10 <= i < 20 else "uuu", ("acme", "hidden"))
    judge_shards(store, None, T + 3600)
    before = gatherer.gather("https://s.example", NOW)
    assert [v.slug for v in before.servers] == ["acme"]
    assert before.servers[0].windows["24h"].fail == 10
    written = roll_up(store, T + 3600 * 3)
    assert written["chunks"] == 2
    assert roll_up(store, T + 3600 * 3) == {"chunks": 0, "days": 0}
    after = Gatherer(store).gather("https://s.example", NOW)
    assert after.servers[0].windows == before.servers[0].windows
    assert after.servers[0].days == before.servers[0].days
    remembered = gatherer.gather("https://s.example", NOW).servers[0]
    rolled_up = {name: getattr(after.servers[0], name) for name in ("latency", "latency_days", "lately")}
    assert replace(remembered, **rolled_up) == after.servers[0]
    later = gatherer.gather("https://s.example", NOW + 3600).servers[0]
    assert {name: getattr(later, name) for name in rolled_up} == rolled_up
    assert after.servers[0].latency["24h"] == after.servers[0].latency["7d"]
    assert after.servers[0].latency["7d"].keys() == set(REGIONS)
    chunk = store.chunks("acme", T, T + 3600, NOW)[0]
    assert (len(chunk.samples), len(chunk.samples["eu-west-1"])) == (3, 60)
    assert store.chunks("acme", T, T, NOW) == []
    assert after.regions == dict.fromkeys(REGIONS, T + 59 * 60)


def test_a_round_of_an_hour_that_is_over_leaves_a_mark_until_it_is_rolled_up(store: Store) -> None:
    apply(store, ACME)
    for i in range(60):
        tell(store, T + 60 * i, "uu-")
    for now in (T + 3600, T + 3720):
        judge_shards(store, None, now)
    assert store.late_hours("s000", NOW) == {}
    assert roll_up(store, T + 3840) == {"chunks": 1, "days": 1}
    late = Round("s000", T + 60, REGIONS[2], (ProbeResult("acme", Status.UP, 1, timings_ms={"total": 9.0}),))
    assert store.put_round(late, T + 7200)
    ((hour, mark),) = store.late_hours("s000", NOW).items()
    assert hour == T
    assert not store.put_round(late, T + 7300)
    store.forget_late("s000", hour, mark)
    assert list(store.late_hours("s000", NOW)) == [T]
    assert roll_up(store, T + 7500) == {"chunks": 1, "days": 1}
    assert store.late_hours("s000", NOW) == {}
    assert [s.latency_ms for s in store.chunks("acme", T, T + 3600, NOW)[0].samples[REGIONS[2]]] == [9]
    assert store.days("acme", T, T + 3600, NOW)[0].tally.ok == 60
    assert store.sketches("acme", T, T + 3600, NOW)[T // 86400 * 86400][REGIONS[2]].buckets == {9: 1}
    assert store.sketches("acme", T, T, NOW) == {}


def test_history_is_replaced_only_where_it_is_what_was_read(store: Store) -> None:
    chunk = Chunk("acme", T, "u" * 60, {})
    day = summarise("acme", T // 86400 * 86400, [chunk])
    store.replace_chunk(chunk, None)
    store.replace_day(day, None)
    for again in (lambda: store.replace_chunk(chunk, None), lambda: store.replace_day(day, b"\x02other")):
        with pytest.raises(ConflictError):
            again()
    held = store.held_chunks("acme", T, T + 3600, NOW)[T]
    assert (held.value, held.data) == (chunk, pack_chunk(chunk))
    store.replace_chunk(replace(chunk, outcomes="d" * 60), held.data)
    assert store.chunks("acme", T, T + 3600, NOW)[0].tally.fail == 60
    assert store.held_days("acme", T, T + 3600, NOW)[day.day].data == pack_day(day)


def test_a_summary_of_version_1_is_read_and_replaced_and_damage_is_left_out(store: Store) -> None:
    item = models(HOME).history
    day = T // 86400 * 86400
    item("acme", f"day#{day // 86400}", tally=[5, 4, 3, 2, 1], hours=[T // 3600], ttl=NOW + 60).save()
    item("acme", f"hour#{T // 3600}", data=b"\x02damaged", ttl=NOW + 60).save()
    held = store.held_days("acme", T, T + 3600, NOW)[day]
    assert held.value is not None
    assert (held.value.tally, held.value.hours, held.data) == (Tally(5, 4, 3, 2, 1), (T,), None)
    store.replace_day(held.value, held.data)
    assert store.days("acme", T, T + 3600, NOW) == [held.value]
    assert store.chunks("acme", T, T + 3600, NOW) == []
    store.replace_chunk(Chunk("acme", T, "u" * 60, {}), b"\x02damaged")
    assert len(store.chunks("acme", T, T + 3600, NOW)) == 1


def test_the_outages_of_a_day_are_found_however_many_came_before(store: Store) -> None:
    apply(store, ACME)
    for start in (0, 30, 60):
        for i in range(start, start + 30):
            tell(store, T + 60 * i, "ddd" if i < start + 8 else "uuu")
        judge_shards(store, None, T + 60 * (start + 29) + 1)
    began = [incident.started_at for incident in store.incidents("acme", 10)]
    assert len(began) == 3
    assert [i.started_at for i in store.incidents_since("acme", T)] == began
    assert [i.started_at for i in store.incidents_since("acme", T + 35 * 60)] == began[:2]
    assert store.incidents_since("acme", T + 89 * 60) == []


def test_a_delivery_is_remembered(store: Store) -> None:
    assert store.delivery("evt_1", "hook") is None
    for stands in (Delivery("hook", "retrying", "503", NOW, 1, NOW + 5), Delivery("hook", "delivered", "200", NOW, 2)):
        store.record_delivery("evt_1", stands)
        assert store.delivery("evt_1", "hook") == stands
    assert store.deliveries_of(["evt_1", "evt_2"]) == [[stands], []]


def test_what_fires_is_kept_until_it_is_long_over(store: Store) -> None:
    firing = Firing("prometheus", "inc_1", "acme", {"labels": {"alertname": "MCPServerDown"}}, NOW)
    store.keep_firing(firing)
    store.keep_firing(replace(firing, sink="other"))
    store.keep_firing(replace(firing, ended_at=NOW + 5, told_at=NOW + 10))
    assert store.firing(NOW + 300) == [
        replace(firing, sink="other"),
        replace(firing, ended_at=NOW + 5, told_at=NOW + 10),
    ]
    assert store.firing(NOW + 86_400) == [replace(firing, sink="other")]


def test_an_opening_that_did_not_arrive_is_remembered(store: Store) -> None:
    assert store.untold("inc_1", "hook") is None
    for missed in (Untold("evt_1"), Untold("evt_1", told=True)):
        store.keep_untold("inc_1", "hook", missed, NOW)
        assert store.untold("inc_1", "hook") == missed
    assert store.untold("inc_1", "other") is None


def test_what_a_sink_remembers_of_an_incident_is_the_last_it_was_told(store: Store) -> None:
    assert store.conversation("inc_1", "thread") is None
    for ts in ("1.0", "2.0"):
        store.keep_conversation("inc_1", "thread", {"ts": ts, "channel": "C1"}, 1000)
    assert store.conversation("inc_1", "thread") == {"ts": "2.0", "channel": "C1"}
    assert store.conversation("inc_1", "other") is None


def test_a_stream_image_reads_back_as_the_notice(store: Store) -> None:
    apply(store, ACME)
    for i in range(4):
        tell(store, T + 60 * i, "ddd")
    judge_shards(store, None, T + 190)
    notice = store.recent_notices(1)[0]
    client = boto3.client("dynamodb", region_name=HOME)
    key = {"pk": {"S": settings.NOTICE_PARTITION}, "sk": {"S": notice.id}}
    assert notice_from_image(client.get_item(TableName=settings.INCIDENTS_TABLE, Key=key)["Item"]) == notice
    client.close()


def show(store: Store, minute: int, surface: Surface) -> None:
    """Every region sees this surface."""
    for region in REGIONS:
        seen = ProbeResult("acme", Status.UP, minute * 1000, surface_address=surface.address, asked_as="abcdef")
        store.put_round(Round("s000", minute, region, (seen,)), NOW)


def test_a_surface_change_is_a_row_of_its_own_with_its_notice(store: Store) -> None:
    apply(store, ACME)
    one, two = surface_of([]), surface_of([{"name": "find", "inputSchema": {"type": "object"}}])
    assert one is not None
    assert two is not None
    for i, surface in enumerate((one, one, two, two)):
        show(store, T + 60 * i, surface)
    held = {surface.address: pack(surface) for surface in (one, two)}
    judged = judging.judge_shards(store, {"s000"}, T + 200, held.__getitem__)
    (change,) = [change for one_ in judged for change in one_.changes]
    assert store.surface_changes("acme", 10, NOW) == [change]
    assert store.surface_changes("acme", 10, change.at + settings.CHANGES_TTL_S) == []
    assert store.surface_changes("other", 10, NOW) == []
    (notice,) = store.recent_notices(10)
    assert (notice.type, notice.incident, notice.drift) == ("drift.detected", None, change.drift)
    assert store.incidents("acme", 10) == []
    (view,) = Gatherer(store).gather("https://s.example", T + 240).servers
    assert view.changes == (change,)
    for i in range(4, 8):
        show(store, T + 60 * i, one)
    judging.judge_shards(store, {"s000"}, T + 480, held.__getitem__)
    gatherer = Gatherer(store)
    assert len(gatherer.gather("https://s.example", T + 480).servers[0].changes) == len(
        store.surface_changes("acme", 10, NOW)
    )


def test_the_bucket_of_surfaces(store: Store) -> None:
    bucket, address = settings.surfaces_bucket("000000000000", HOME), "0" * 32
    client = boto3.client("s3", region_name=HOME)
    with pytest.raises(StoreError, match="cannot be written"):
        surfaces.put_surface(HOME, bucket, address, b"data")
    client.create_bucket(Bucket=bucket)
    surfaces.put_surface(HOME, bucket, address, b"data")
    assert surfaces.get_surface(HOME, bucket, address) == b"data"
    with pytest.raises(StoreError, match="cannot be read: NoSuchKey"):
        surfaces.get_surface(HOME, bucket, "1" * 32)
    client.close()


def test_the_watch_is_kept_with_its_notices_or_not_at_all(store: Store) -> None:
    log = WatchLog(HOME)
    first = log.read()
    assert first == Watch()
    quiet = Watch(0, T, 0, {region: RegionMemory(T, T, 0) for region in REGIONS})
    log.keep(quiet, ())
    with pytest.raises(ConflictError):
        log.keep(quiet, ())
    kept = log.read()
    assert kept == replace(quiet, version=1)
    heard = Heard(T + 700, {"us-west-2": T + 700, "eu-west-1": T + 700})
    after, notices = keep(replace(kept, at=T + 690), heard, SITE, [ACME], T + 720)
    assert [(n.type, n.regions[0].region) for n in notices] == [("region.stale", "ap-southeast-1")]
    with pytest.raises(ConflictError):
        log.keep(replace(after, version=0), notices)
    assert store.recent_notices(5) == []
    log.keep(after, notices)
    assert store.recent_notices(5) == list(notices)
    with pytest.raises(ConflictError):
        log.keep(replace(after, version=2), notices)
    assert log.read() == replace(after, version=2)


def test_a_confirmation_lies_beside_its_minutes_round_and_is_no_round_of_its_own(store: Store) -> None:
    one = Round("s000", T + 420, "us-west-2", (ProbeResult("acme", Status.DOWN, T * 1000),))
    assert store.put_round(one, NOW)
    marks = store.late_hours("s000", NOW)
    for k in (2, 1):
        assert store.put_round(replace(one, confirmation=k), NOW)
    assert not store.put_round(replace(one, confirmation=1), NOW)
    assert store.rounds("s000", T, T + 3540, NOW) == {T + 420: {"us-west-2": one}}
    assert store.confirmations("s000", T + 420, NOW) == {k: {"us-west-2": replace(one, confirmation=k)} for k in (1, 2)}
    assert store.confirmations("s000", T + 480, NOW) == {}
    assert store.late_hours("s000", NOW) == marks


def test_three_failures_within_a_minute_open_an_incident(store: Store) -> None:
    apply(store, replace(ACME, confirm_every_s=15))
    tell(store, T, "uuu")
    tell(store, T + 60, "ddd")
    judge_shards(store, {"s000"}, T + 70)
    for k in (1, 2):
        for region in REGIONS:
            failed = (ProbeResult("acme", Status.DOWN, (T + 60 + 15 * k) * 1000),)
            store.put_round(Round("s000", T + 60, region, failed, k), T + 60 + 15 * k)
    judged = judge_shards(store, {"s000"}, T + 95)
    assert [n.type for j in judged for n in j.notices] == ["incident.opened"]
    assert store.server_states()["acme"].status is Status.DOWN
    assert judge_shards(store, {"s000"}, T + 96) == []


# --- maintenance ---

HOURLY = Window("mnt_a", rrule="FREQ=HOURLY;INTERVAL=2;BYMINUTE=0", start="2026-01-01T00:00", duration_s=600)
ONCE = Window("mnt_b", ("acme",), begin=6_000, end=9_000, reason="Größer", made_by="command", made_at=6_000)


def test_windows_are_read_until_they_are_over(store: Store) -> None:
    store.add_window(ONCE)
    store.add_window(HOURLY)
    assert store.maintenance(0, 7_000) == store.maintenance(9_000, 9_000) == [ONCE, HOURLY]
    assert store.maintenance(9_001, 9_001) == [HOURLY]
    assert store.maintenance(0, 9_000 + settings.WINDOWS_TTL_S) == [HOURLY]
    with pytest.raises(ConflictError):
        store.add_window(ONCE)


def test_a_window_is_changed_only_as_it_was_read(store: Store) -> None:
    store.add_window(ONCE)
    store.add_window(HOURLY)
    shorter = replace(ONCE, ended_at=7_200)
    store.change_window(ONCE, shorter)
    with pytest.raises(ConflictError):
        store.change_window(ONCE, None)
    assert store.maintenance(0, 7_000) == [shorter, HOURLY]
    assert store.maintenance(7_201, 7_300) == [HOURLY]
    store.change_window(shorter, replace(shorter, reason="Smaller"))
    store.change_window(HOURLY, None)
    assert store.maintenance(0, 7_000) == [replace(shorter, reason="Smaller")]
    with pytest.raises(ConflictError):
        store.change_window(HOURLY, None)


def test_windows_of_the_file_cover_from_when_they_were_applied_and_are_kept_when_they_go(store: Store) -> None:
    running, later = Window("mnt_c", begin=600, end=90_000), Window("mnt_d", begin=80_000, end=90_000)
    site = replace(SITE, maintenance=(running, later))
    store.apply_config(Config(site, (ACME,)), 1_234)
    applied = tuple(replace(one, made_at=1_260) for one in (running, later))
    assert store.site() == replace(SITE, maintenance=applied)
    store.apply_config(Config(site, (ACME,)), 5_000)
    assert store.site() == replace(SITE, maintenance=applied)
    store.apply_config(Config(SITE, (ACME,)), 7_001)
    assert store.site() == SITE
    assert store.maintenance(0, 7_001) == [replace(applied[0], ended_at=7_020)]


def test_publish_gathers_maintenance_of_public_servers_and_no_byte_of_the_others(store: Store) -> None:
    now = T + 240
    of_file = Window("mnt_f", ("acme", "hidden"), begin=T, end=T + 600, reason="New disks")
    private = Window("mnt_p", ("hidden",), begin=T, end=T + 600, reason="Unspeakable")
    site = replace(SITE, maintenance=(of_file, private))
    store.apply_config(Config(site, (ACME, HIDDEN)), T - 300)
    store.add_window(Window("mnt_h", ("acme",), begin=T + 600, end=T + 900, uptime="count_up"))
    store.add_window(Window("mnt_q", tags=("unheard-of",), begin=T, end=T + 900, reason="Unspeakable"))
    snapshot = Gatherer(store).gather("https://s.example", now)
    assert [(one.begin, one.end, one.servers, one.reason) for one in snapshot.maintenance] == [
        (T, T + 600, ("acme",), "New disks"),
        (T + 600, T + 900, ("acme",), ""),
    ]
    text = json.dumps(snapshot.to_json())
    assert not [word for word in ("hidden", "Unspeakable", "unheard-of", "mnt_f", "mnt_p") if word in text]


def test_a_window_by_hand_keeps_a_failing_server_quiet_until_it_is_over(store: Store) -> None:
    apply(store, ACME)
    store.add_window(Window("mnt_h", ("acme",), begin=T + 60, end=T + 300, made_by="command"))
    told = []
    for i, says in enumerate(("uuu", *("ddd",) * 8)):
        tell(store, T + 60 * i, says)
        judged = judge_shards(store, {"s000"}, T + 60 * i + 30)
        told += [(i, notice.type) for judgement in judged for notice in judgement.notices]
        assert (store.server_states()["acme"].status is Status.MAINTENANCE) is (1 <= i <= 4)
    assert told == [(7, "incident.opened")]
    codes = store.verdicts("s000", T, NOW)
    assert "".join(codes[T + 60 * i]["acme"] for i in range(9)) == "uDDDDdddd"
    (view,) = Gatherer(store).gather("https://s.example", T + 570).servers
    assert (view.windows["24h"].excluded, view.windows["24h"].fail) == (4, 4)
    assert view.outages["24h"].of_s == 570 - 240
