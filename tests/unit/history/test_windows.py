from __future__ import annotations

from datetime import UTC
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.history.calendar import local_days
from lookout.history.chunk import DAY, HOUR, Chunk
from lookout.history.day import summarise
from lookout.history.uptime import Tally, tally
from lookout.history.windows import Outage, Rolled, Windows

from tests.unit.history.strategies import CODES

D = 1_790_000_000 // DAY * DAY
NOW = D + 17 * HOUR + 35 * 60
BEGIN = D - 4 * DAY


def known(lines: dict[int, str], rolled_until: int, zone: str, now: int = NOW) -> Windows:
    """Hours before `rolled_until` are rolled up; the codes since yesterday (UTC) are there too."""
    chunks = [Chunk("x", hour, line, {}) for hour, line in lines.items() if hour < rolled_until]
    days = range(BEGIN, D + 1, DAY)
    rolled = Rolled.of(local_days(now, 3, ZoneInfo(zone)), [summarise("x", day, chunks) for day in days])
    since = now // DAY * DAY - DAY
    minutes = {hour + 60 * i: code for hour, line in lines.items() for i, code in enumerate(line)}
    return Windows(rolled, {m: code for m, code in minutes.items() if since <= m < now}, since, now)


@given(
    st.integers(0, 1 << 32),
    st.integers(0, 40),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata", "America/St_Johns", "Pacific/Chatham"]),
)
def test_each_minute_counts_once_wherever_it_is_kept(seed: int, behind: int, zone: str) -> None:
    rng = Random(seed)
    lines = {BEGIN + HOUR * i: "".join(rng.choices(CODES, k=60)) for i in range(114)}
    window = known(lines, NOW // HOUR * HOUR - HOUR * behind, zone)
    minutes = {hour + 60 * i: code for hour, line in lines.items() for i, code in enumerate(line)}
    for day, counted in zip(window.rolled.days, window.days, strict=True):
        expected = tally(code for m, code in minutes.items() if day.begin <= m < min(day.end, NOW))
        assert counted == expected
    for length in (300, 3600, DAY):
        assert window.last(length) == tally(code for m, code in minutes.items() if NOW - length < m < NOW)
    three = tally(code for m, code in minutes.items() if -(-(NOW - 3 * DAY) // 900) * 900 <= m < NOW)
    assert window.last(3 * DAY) == three


def test_a_window_of_what_was_never_watched_is_empty() -> None:
    empty = Windows(Rolled.of(local_days(NOW, 2, UTC), []), {}, D - DAY, NOW)
    assert empty.days == [Tally(), Tally()]
    assert (empty.first, empty.outage(0, [(0, NOW)])) == (None, None)
    assert empty.last(3 * DAY) == Tally()


def test_time_counts_from_where_anything_is_known() -> None:
    days = local_days(NOW, 2, UTC)
    fresh = Windows(Rolled.of(days, []), {NOW - 600: "u", NOW - 660: "."}, D - DAY, NOW)
    assert fresh.first == NOW - 1200  # the quarter of an hour it is in
    assert fresh.outage(0, [(NOW - 660, NOW - 540), (NOW - 60, 1 << 62)]) == Outage(180, 1200)
    assert fresh.outage(NOW, []) is None
    old = Rolled.of(days, [summarise("x", D - DAY, [Chunk("x", D - HOUR, "u" * 60, {})])])
    assert Windows(old, {NOW - 600: "u"}, D - DAY, NOW).first == D - HOUR
    assert Windows(old, {}, D - DAY, NOW).outage(D, []) == Outage(0, NOW - D)


@pytest.mark.parametrize(("down", "share"), [(0, 1), (60, Fraction(59, 60)), (3600, 0)])
def test_the_share_of_time_is_exact(down: int, share: Fraction) -> None:
    assert Outage(down, 3600).uptime_time == share
