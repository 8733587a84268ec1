from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.config.model import Sink
from lookout.config.quiet import WEEKDAYS, Quiet, quiet_until

BERLIN = "Europe/Berlin"
NIGHT = Quiet(22 * 60, 7 * 60, BERLIN)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (NIGHT, "2026-12-01T21:59:59+01:00", None),
        (NIGHT, "2026-12-01T22:00:00+01:00", "2026-12-02T07:00:00+01:00"),
        (NIGHT, "2026-12-02T06:59:59+01:00", "2026-12-02T07:00:00+01:00"),
        (NIGHT, "2026-12-02T07:00:00+01:00", None),
        # Of the night in which clocks go forward there are eight hours, of the other ten.
        (NIGHT, "2027-03-27T22:00:00+01:00", "2027-03-28T07:00:00+02:00"),
        (NIGHT, "2026-10-24T22:00:00+02:00", "2026-10-25T07:00:00+01:00"),
        # What comes twice is meant the first time, what is leapt over is where clocks land.
        (Quiet(60, 150, BERLIN), "2026-10-25T02:29:59+02:00", "2026-10-25T02:30:00+02:00"),
        (Quiet(60, 150, BERLIN), "2026-10-25T02:29:59+01:00", None),
        (Quiet(60, 150, BERLIN), "2027-03-28T01:59:59+01:00", "2027-03-28T03:30:00+02:00"),
        # The day is that on which it begins.
        (Quiet(22 * 60, 7 * 60, BERLIN, ("fri",)), "2026-12-05T03:00:00+01:00", "2026-12-05T07:00:00+01:00"),
        (Quiet(22 * 60, 7 * 60, BERLIN, ("sat",)), "2026-12-05T03:00:00+01:00", None),
        (Quiet(0, 0, "UTC", ("sat",)), "2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z"),
        (Quiet(0, 0, "UTC", ("sat",)), "2026-12-06T00:00:00Z", None),
        (Quiet(9 * 60, 17 * 60, "Asia/Kolkata"), "2026-12-01T03:30:00Z", "2026-12-01T11:30:00Z"),
    ],
)
def test_when_it_is_quiet_and_until_when(hours: Quiet, now: str, until: str | None) -> None:
    assert hours.until(at(now)) == (at(until) if until else None)


def test_what_waits_is_what_is_below() -> None:
    held = [severity for severity in ("info", "warning", "high", "critical") if NIGHT.holds(severity)]
    assert held == ["info", "warning"]
    assert not Quiet(0, 60, "UTC", below="warning").holds("warning")


def test_hours_without_a_gap_are_one() -> None:
    weekend = Quiet(0, 0, BERLIN, ("sat", "sun"))
    friday = at("2026-12-04T23:00:00+01:00")
    assert quiet_until([NIGHT, weekend], "info", friday) == at("2026-12-07T07:00:00+01:00")
    only_info = Quiet(0, 0, BERLIN, ("sat", "sun"), "warning")
    assert quiet_until([NIGHT, only_info], "warning", friday) == at("2026-12-05T07:00:00+01:00")
    assert quiet_until([NIGHT, weekend], "high", friday) is None
    assert quiet_until([], "info", friday) is None


def test_hours_without_an_end_are_looked_at_for_a_week() -> None:
    """lookout.yaml refuses them; an item may hold anything."""
    now = at("2026-12-01T12:00:00Z")
    assert quiet_until([Quiet(0, 0, "UTC")], "info", now) == at("2026-12-09T00:00:00Z")


def test_the_minutes_of_a_week() -> None:
    assert sorted(Quiet(23 * 60 + 59, 1, "UTC", ("sun",)).minutes()) == [0, 7 * 1440 - 1]
    assert len(Quiet(0, 0, "UTC").minutes()) == 7 * 1440
    assert len(NIGHT.minutes()) == 7 * 9 * 60


minute = st.integers(0, 1439)
HOURS = st.builds(
    Quiet,
    minute,
    minute,
    st.sampled_from(["UTC", BERLIN, "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
    st.lists(st.sampled_from(WEEKDAYS), unique=True, max_size=6).map(tuple),
)


@given(HOURS, st.integers(at("2026-01-01T00:00:00Z"), at("2027-12-31T00:00:00Z")))
def test_until_its_end_it_is_quiet_and_then_it_is_not(hours: Quiet, now: int) -> None:
    until = hours.until(now)
    if until is None:
        return
    assert now < until <= now + 25 * 3600
    assert hours.until(until - 1) == until
    assert hours.until(until) != until
    local = datetime.fromtimestamp(until, UTC)
    assert local.second == 0


@given(HOURS, st.integers(0, 7 * 1440 - 1))
def test_where_no_clock_is_turned_it_is_as_the_minutes_say(hours: Quiet, of_week: int) -> None:
    plain = Quiet(hours.begin, hours.end, "UTC", hours.days)
    monday = at("2026-11-30T00:00:00Z")
    assert (plain.until(monday + 60 * of_week) is not None) == (of_week in plain.minutes())


@given(HOURS)
def test_it_is_stored_with_its_sink(hours: Quiet) -> None:
    sink = Sink("team", "slack", "secret:x", quiet=(hours,))
    assert Sink.from_item(sink.to_item()) == sink
    assert "quiet" not in Sink("team", "slack", "secret:x").to_item()
