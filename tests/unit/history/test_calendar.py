from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.history.calendar import LocalDay, local_days
from lookout.history.day import QUARTER

HOUR = 3600
ZONES = sorted(available_timezones())


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def lengths(zone: str, now: str, count: int) -> dict[str, int]:
    return {day.date: (day.end - day.begin) // 900 for day in local_days(at(now), count, ZoneInfo(zone))}


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("UTC", "2026-03-29T12:00:00Z", {"2026-03-28": 96, "2026-03-29": 96}),
        ("Europe/Berlin", "2026-03-29T12:00:00Z", {"2026-03-28": 96, "2026-03-29": 92}),
        ("Europe/Berlin", "2026-10-25T12:00:00Z", {"2026-10-24": 96, "2026-10-25": 100}),
        ("America/New_York", "2026-11-02T03:00:00Z", {"2026-10-31": 96, "2026-11-01": 100}),
        ("Australia/Lord_Howe", "2026-04-05T03:00:00Z", {"2026-04-04": 96, "2026-04-05": 98}),
        ("Africa/Cairo", "2026-04-24T12:00:00Z", {"2026-04-23": 96, "2026-04-24": 92}),
        ("America/Santiago", "2026-04-05T12:00:00Z", {"2026-04-04": 100, "2026-04-05": 96}),
        ("Asia/Kathmandu", "2026-05-01T00:00:00Z", {"2026-04-30": 96, "2026-05-01": 96}),
        ("Pacific/Apia", "2011-12-31T12:00:00Z", {"2011-12-31": 96, "2012-01-01": 96}),
        ("Pacific/Apia", "2011-12-31T08:00:00Z", {"2011-12-29": 96, "2011-12-31": 96}),
    ],
)
def test_days_across_a_change_of_the_clocks(zone: str, now: str, expected: dict[str, int]) -> None:
    assert lengths(zone, now, len(expected)) == expected


def test_a_day_whose_midnight_is_skipped_begins_with_the_jump() -> None:
    (day,) = local_days(at("2026-04-24T12:00:00Z"), 1, ZoneInfo("Africa/Cairo"))
    assert day == LocalDay("2026-04-24", at("2026-04-24T00:00:00+02:00"), at("2026-04-25T00:00:00+03:00"))


@given(st.sampled_from(ZONES), st.integers(at("2020-01-01T00:00:00Z"), at("2036-01-01T00:00:00Z")))
def test_days_of_any_zone_have_no_gap_and_hold_whole_quarters(zone: str, now: int) -> None:
    days = local_days(now, 100, ZoneInfo(zone))
    assert len(days) == 100
    assert days[-1].begin <= now < days[-1].end
    assert all(one.end == other.begin for one, other in pairwise(days))
    assert {(day.end - day.begin) % QUARTER for day in days} == {0}
    for day in (days[0], days[50], days[-1]):
        dates = {datetime.fromtimestamp(s, ZoneInfo(zone)).date().isoformat() for s in (day.begin, day.end - 1)}
        assert dates == {day.date}


def test_an_offset_of_no_whole_quarter_is_taken_to_the_quarter() -> None:
    odd = datetime(1950, 6, 2, tzinfo=UTC).replace(tzinfo=ZoneInfo("Africa/Monrovia")) + timedelta(hours=12)
    days = local_days(int(odd.timestamp()), 2, ZoneInfo("Africa/Monrovia"))
    assert [day.begin % QUARTER for day in days] == [0, 0]
