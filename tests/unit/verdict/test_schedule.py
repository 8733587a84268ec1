from __future__ import annotations

from lookout.config.model import Server
from lookout.verdict.ids import incident_id, notice_id, ulid
from lookout.verdict.schedule import CATCH_UP_LIMIT, HORIZON_S, ROUND_DEADLINE_S, minutes_to_judge

REGIONS = ("a", "b")
SERVERS = [Server("x", "https://x.example/mcp")]
T = 1_790_000_000 // 60 * 60


def ripe(judged: int, reported: dict[int, set[str]], now: int, servers: list[Server] | None = None) -> list[int]:
    return minutes_to_judge(judged, reported, SERVERS if servers is None else servers, REGIONS, now)


def test_nothing_before_the_first_round() -> None:
    assert ripe(0, {}, T) == []


def test_judged_as_soon_as_every_region_reported() -> None:
    assert ripe(0, {T: {"a", "b"}}, T + 5) == [T]


def test_waits_for_a_region_until_the_deadline_and_no_longer() -> None:
    assert ripe(0, {T: {"a"}}, T + ROUND_DEADLINE_S - 1) == []
    assert ripe(0, {T: {"a"}}, T + ROUND_DEADLINE_S) == [T]


def test_never_skips_a_minute() -> None:
    reported = {T: {"a", "b"}, T + 120: {"a", "b"}}
    assert ripe(T, reported, T + 125) == []
    assert ripe(T, reported, T + 60 + ROUND_DEADLINE_S) == [T + 60, T + 120]


def test_total_silence_is_judged_too() -> None:
    assert ripe(T, {}, T + 60 + ROUND_DEADLINE_S) == [T + 60]


def test_minutes_in_which_nothing_is_due_are_passed_over() -> None:
    slow = [Server("x", "https://x.example/mcp", interval_s=3600)]
    minutes = [m for m in range(T, T + 3600, 60) if slow[0].due(m)]
    judged = minutes[0]
    assert ripe(judged, {}, judged + 180, slow) == [judged + 60, judged + 120, judged + 180]
    assert ripe(T, {}, T + 60, []) == [T + 60]


def test_catches_up_in_bounded_steps_and_not_beyond_the_horizon() -> None:
    now = T + 10 * HORIZON_S
    minutes = ripe(T, {}, now)
    assert len(minutes) == CATCH_UP_LIMIT
    assert minutes[0] >= now - HORIZON_S - 60


def test_ids_are_ulids_of_what_they_name() -> None:
    assert ulid(0, "x")[:10] == "0" * 10
    assert len(ulid(T, "x")) == 26
    assert incident_id("x", "availability", T) == incident_id("x", "availability", T)
    assert incident_id("x", "availability", T) < incident_id("x", "availability", T + 60)
    assert notice_id("inc_1", "incident.opened", T) != notice_id("inc_1", "incident.resolved", T)


def test_a_minute_ahead_of_our_clock_is_judged_only_when_every_region_reported_it() -> None:
    assert ripe(T, {T + 60: {"a", "b"}, T + 120: {"a", "b"}, T + 180: {"a"}}, T + 30) == [T + 60, T + 120]
