"""Slow against itself: decision 12, R2 to R4."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lookout.probe.result import ProbeResult, Status
from lookout.verdict.latency import EDGES, baseline, counted, round_latency

from tests.unit.verdict.playing import DAY, SERVER, START, Play

MIDNIGHT = (START // DAY + 1) * DAY


def learned(latency_ms: int = 100, rounds: int = 100, server: object = SERVER) -> Play:
    """A server of which a day's rounds are known, at the beginning of the next day."""
    play = Play(replace(SERVER), latency_ms=latency_ms, minute=MIDNIGHT - 60 * rounds)
    return play.hear(*["uuu"] * rounds)


@pytest.mark.parametrize(
    ("latencies", "median"), [((), None), ((5,), 5), ((9, 1), 1), ((9, 1, 5), 5), ((8, 9, 1, 5), 5)]
)
def test_a_rounds_latency_is_the_lower_median_of_who_was_served(latencies: tuple[int, ...], median: int | None) -> None:
    served = [ProbeResult("a", Status.UP, 0, timings_ms={"total": ms}) for ms in latencies]
    failed = ProbeResult("a", Status.DOWN, 0, timings_ms={"total": 20_000})
    assert round_latency([failed, *served]) == median


@pytest.mark.parametrize(("ms", "bucket"), [(0, 0), (1, 0), (2, 3), (3, 6), (100, 27), (101, 27), (10**9, 79)])
def test_a_bucket_is_the_first_whose_edge_is_not_less(ms: int, bucket: int) -> None:
    assert counted({}, 5 * DAY, ms) == {"5": {str(bucket): 1}}
    assert EDGES[bucket] >= min(ms, EDGES[-1])
    assert bucket == 0 or EDGES[bucket - 1] < ms


def test_a_percentile_is_the_nearest_rank_over_all_days_and_needs_a_hundred_rounds() -> None:
    assert baseline([{"10": 99}]) == 0
    assert baseline([{"10": 90}, {"10": 5, "20": 5}]) == EDGES[10]
    assert baseline([{"10": 90}, {"10": 4, "20": 6}]) == EDGES[20]


def test_three_times_slower_than_usual_for_three_rounds_is_degraded() -> None:
    play = learned()
    assert play.now.usual_ms == 0
    play.latency_ms = 350
    play.hear("uuu", "uuu")
    assert (play.now.usual_ms, play.now.status, play.codes[-2:]) == (EDGES[27], "up", "gg")
    play.hear("uuu")
    assert (play.now.status, play.told) == ("degraded", ["latency.degraded latency"])
    assert play.notices[0].failure.message == f"350 ms; its usual 95th percentile is {EDGES[27]} ms"
    play.latency_ms = 100
    assert play.hear("uuu", "uuu").told[1:] == ["incident.resolved latency"]


@pytest.mark.parametrize(
    ("usual", "now"),
    [(100, 3 * EDGES[27]), (20, 250)],
)
def test_just_not_slow_is_not_slow(usual: int, now: int) -> None:
    play = learned(usual)
    play.latency_ms = now
    assert play.hear("uuu").codes[-1] == "u"
    play.latency_ms = now + 1
    assert play.hear("uuu").codes[-1] == "g"


def test_whoever_wants_no_comparison_gets_none() -> None:
    play = learned()
    play.server = replace(SERVER, slow_ratio_percent=0)
    play.latency_ms = 4000
    assert play.hear("uuu").codes[-1] == "u"


def test_a_week_is_remembered_over_a_pause_too_and_no_longer() -> None:
    play = learned()
    play.server = replace(SERVER, paused=True)
    play.hear("---")
    play.server = SERVER
    for days, kept in ((7, 2), (8, 2)):
        play.minute = MIDNIGHT + (days - 1) * DAY
        play.hear("uuu")
        assert len(play.now.latencies) == kept
    assert play.now.usual_ms == 0
    assert str(START // DAY) not in play.now.latencies
