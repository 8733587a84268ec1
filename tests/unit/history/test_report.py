"""A report against the slow reference: days across DST, every way maintenance counts, rounds late and twice."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lookout.history.calendar import local_days
from lookout.history.chunk import DAY, HOUR, Chunk, Sample, build, join
from lookout.history.day import summarise
from lookout.history.latency import Percentiles
from lookout.history.packing import pack_chunk, unpack_chunk
from lookout.history.report import hours, probes_of, report
from lookout.history.round import Round
from lookout.history.uptime import Counting, Maintenance, Tally, declared
from lookout.history.windows import Rolled, Windows
from lookout.probe.result import ProbeResult, Reason, Status

from tests.reference import uptime as reference
from tests.unit.history.strategies import H

REGIONS = ("us-west-2", "eu-west-1", "ap-southeast-1")
CLOCKS_CHANGE = {
    "Europe/Berlin": datetime(2026, 10, 25, tzinfo=UTC),
    "America/New_York": datetime(2026, 3, 8, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 5, tzinfo=UTC),
    "America/Havana": datetime(2026, 3, 8, tzinfo=UTC),
    "Asia/Kolkata": datetime(2026, 6, 1, tzinfo=UTC),
    "UTC": datetime(2026, 6, 1, tzinfo=UTC),
}
"""Days of 23, 24, 24.5 and 25 hours, and one whose midnight is skipped (Havana)."""
Codes = dict[int, str]
Rounds = list[Round]


def world(rng: Random, begin: int, until: int) -> tuple[Codes, Rounds, list[tuple[int, int, str]]]:
    """Faults of some length, minutes nobody judged, regions that are silent, windows of maintenance that overlap."""
    codes: Codes = {}
    rounds: Rounds = []
    code, left = "u", 0
    for minute in range(begin, until, 60):
        if not left:
            code, left = rng.choices("ugadc?.", (50, 5, 5, 15, 2, 5, 5))[0], rng.randrange(1, 400)
        left -= 1
        codes[minute] = code
        for region in REGIONS:
            if rng.random() < 0.02:
                status = rng.choice([Status.UP, Status.DOWN, Status.DEGRADED, Status.UNKNOWN])
                reason = Reason.HTTP_5XX if status is Status.DOWN else None
                total = rng.randrange(1, 9000)
                times = {"dns": total / 3, "total": float(total)}
                probe = ProbeResult("x", status, minute * 1000, reason=reason, timings_ms=times)
                rounds.append(Round("s", minute, region, (probe,)))
    windows = []
    for _ in range(rng.randrange(4)):
        first = rng.randrange(begin, until)
        windows.append((first, first + rng.randrange(60, 8 * HOUR), rng.choice(list(Counting)).value))
    return codes, rounds, windows


def archive(rng: Random, codes: Codes, rounds: Rounds, windows: list[tuple[int, int, str]]) -> list[Chunk]:
    """As rollup makes it: each hour at once from what came in time, again from all; packed and unpacked."""
    declare = [Maintenance(begin, end, Counting(counting)) for begin, end, counting in windows]
    verdicts = {minute: {"x": declared(code, minute, declare)} for minute, code in codes.items() if code != "."}
    out = []
    for hour in range(min(codes) // HOUR * HOUR, max(codes) + 1, HOUR):
        mine = [one for one in rounds if hour <= one.minute < hour + HOUR]
        in_time = [one for one in mine if rng.random() < 0.7]
        late = rng.sample(mine, len(mine))
        chunk = join(build("x", hour, verdicts, in_time), build("x", hour, verdicts, late))
        if not chunk.empty:
            out.append(unpack_chunk("x", pack_chunk(chunk)))
    return out


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1 << 32), st.sampled_from(sorted(CLOCKS_CHANGE)))
def test_every_number_is_the_references(seed: int, name: str) -> None:
    rng, zone = Random(seed), ZoneInfo(name)
    now = int(CLOCKS_CHANGE[name].timestamp()) + rng.randrange(DAY, 2 * DAY)
    days = local_days(now, 3, zone)
    begin = days[0].begin
    codes, rounds, windows = world(rng, begin // HOUR * HOUR, now)
    chunks = archive(rng, codes, rounds, windows)
    found = report("x", chunks, days, (begin, now), [])

    counted = {m: reference.in_maintenance(code, m, windows) for m, code in codes.items() if m >= begin}
    by_date = reference.days(counted, zone)
    for period in found.periods:
        expected = by_date.pop(period.name, reference.Counts())
        same(period.tally, expected)
    assert by_date == {}
    same(found.whole.tally, reference.counts(counted.values()))

    latencies: dict[str, list[int]] = {}
    for one in rounds:
        if one.minute >= begin and one.results[0].status in {Status.UP, Status.DEGRADED}:
            latencies.setdefault(one.region, []).append(one.results[0].latency_ms)
    assert found.whole.latency == {
        region: Percentiles(len(v), *(reference.percentile(v, p) for p in (50, 95, 99)))
        for region, v in latencies.items()
    }

    days_utc = range(begin // DAY * DAY, now, DAY)
    rolled = Rolled.of(days, [summarise("x", day, chunks) for day in days_utc])
    assert Windows(rolled, {}, now // HOUR * HOUR, now).days == [period.tally for period in found.periods]


def same(found: Tally, expected: reference.Counts) -> None:
    assert (found.ok, found.fail, found.unknown) == (expected.ok, expected.fail, expected.unknown)
    assert (found.excluded, found.degraded) == (expected.excluded, expected.degraded)
    assert (found.uptime, found.coverage) == (expected.uptime, expected.coverage)


def chunk(outcomes: str, **samples: tuple[Sample, ...]) -> Chunk:
    return Chunk("x", H, outcomes.ljust(60, "."), {name.replace("_", "-"): found for name, found in samples.items()})


def test_by_time_leaves_out_maintenance_and_begins_where_anything_is_known() -> None:
    chunks = [chunk("." * 10 + "uuddUUuu")]
    gone, down = [(H, H + 60), (H + 840, H + 960)], [(H + 720, H + 900)]
    found = report("x", chunks, hours(H, H + HOUR), (H, H + 1080), down, gone)
    assert found.first == H + 600
    assert found.uptime_time == reference.uptime_time(H, H + 1080, down, gone)
    later = report("x", chunks, hours(H, H + HOUR), (H + 720, H + 1080), down, gone)
    assert later.uptime_time == reference.uptime_time(H + 720, H + 1080, down, gone)
    assert report("x", chunks, hours(H, H + HOUR), (H, H + 1080), down, [(H, H + HOUR)]).uptime_time is None


def test_a_region_counts_what_it_saw_itself() -> None:
    fine, slow = Sample(0, Status.UP, 50, None), Sample(1, Status.DEGRADED, 700, "slow")
    failed, gone = Sample(1, Status.DOWN, 9000, "deadline"), Sample(2, Status.UNKNOWN, 0, "rate_limited")
    whole = chunk("uu?", eu_west_1=(fine, failed, gone), us_west_2=(fine, slow))
    of_both = report("x", [whole], hours(H, H + HOUR), (H, H + 180), [])
    assert of_both.whole.tally == Tally(2, 0, 1)
    assert of_both.whole.latency == {"eu-west-1": Percentiles(1, 50, 50, 50), "us-west-2": Percentiles(2, 50, 700, 700)}
    of_one = report("x", [whole], hours(H, H + HOUR), (H, H + 180), [], region="eu-west-1")
    assert of_one.whole.tally == Tally(1, 1, 1)
    assert (list(of_one.whole.latency), of_one.uptime_time) == (["eu-west-1"], None)
    assert of_one.regions == of_both.regions == ("eu-west-1", "us-west-2")


def test_of_nothing_nothing_is_known() -> None:
    found = report("x", [], hours(H, H + 2 * HOUR), (H, H + 2 * HOUR), [])
    assert (found.first, found.uptime_time, found.regions) == (None, None, ())
    assert [period.tally for period in found.periods] == [Tally(), Tally()]


@pytest.mark.parametrize(("since", "until", "names"), [(H, H + 1, 1), (H + 1800, H + DAY + 1800, 25)])
def test_hours_reach_beyond_the_window(since: int, until: int, names: int) -> None:
    assert len(hours(since, until)) == names


def test_probes_come_in_the_order_of_time_then_region() -> None:
    whole = chunk(
        "uu",
        us_west_2=(Sample(0, Status.UP, 1, None), Sample(1, Status.UP, 2, None)),
        eu_west_1=(Sample(1, Status.UP, 3, None),),
    )
    assert [(at - H, region) for at, region, _ in probes_of([whole])] == [
        (0, "us-west-2"),
        (60, "eu-west-1"),
        (60, "us-west-2"),
    ]
    assert [region for _, region, _ in probes_of([whole], "eu-west-1")] == ["eu-west-1"]
