from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.history.uptime import Counting, Maintenance, Tally, declared, percent, tally, total

from tests.reference import uptime as naive
from tests.unit.history.strategies import CODES


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("", Tally()),
        ("uga", Tally(ok=3, degraded=1)),
        ("dc", Tally(fail=2)),
        ("??m..", Tally(unknown=2, excluded=1)),
        ("Z\n", Tally()),
    ],
)
def test_tally(codes: str, expected: Tally) -> None:
    assert tally(codes) == expected


def test_no_data_is_neither_all_nor_nothing() -> None:
    assert Tally().uptime is None
    assert Tally().coverage is None
    assert Tally(unknown=5).uptime is None
    assert Tally(unknown=5).coverage == 0
    assert percent(None) is None


def test_uptime_and_coverage_are_exact() -> None:
    window = Tally(ok=43_199, fail=1, unknown=800)
    assert window.uptime == Fraction(43_199, 43_200)
    assert window.coverage == Fraction(43_200, 44_000)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (Fraction(1), "100%"),
        (Fraction(99_999, 100_000), "99.99%"),
        (Fraction(999_999, 1_000_000), "99.99%"),
        (Fraction(1, 2), "50%"),
        (Fraction(0), "0%"),
        (Fraction(995, 1000), "99.5%"),
    ],
)
def test_percent_never_rounds_up(ratio: Fraction, text: str) -> None:
    assert percent(ratio) == text


@given(st.lists(st.text(CODES)))
def test_parts_add_up(parts: list[str]) -> None:
    assert total(tally(p) for p in parts) == tally("".join(parts))


@given(st.text(CODES))
def test_counting_equals_the_slow_and_obvious_way(codes: str) -> None:
    assert tally(codes).uptime == naive.uptime(codes)
    assert tally(codes).coverage == naive.coverage(codes)


# --- maintenance ---------------------------------------------------------------------------------------------------

LINE = "uuddgac?m.."


@pytest.mark.parametrize(
    ("counting", "codes", "expected"),
    [
        (Counting.EXCLUDE, "uUDDGACmm..", Tally(ok=1, excluded=8)),
        (Counting.COUNT_UP, "uwwwwwwwm..", Tally(ok=8, excluded=1)),
        (Counting.COUNT_AS_IS, LINE, Tally(ok=4, fail=3, unknown=1, excluded=1, degraded=1)),
    ],
)
def test_maintenance_counts_as_declared(counting: Counting, codes: str, expected: Tally) -> None:
    windows = [Maintenance(60, 3600, counting)]
    assert declared(LINE, 0, windows) == codes
    assert tally(codes) == expected
    assert declared(codes, 0, windows) == codes


def test_a_window_holds_its_beginning_and_not_its_end() -> None:
    assert declared("ddd", 600, [Maintenance(660, 720)]) == "dDd"
    assert declared("ddd", 600, [Maintenance(661, 720)]) == "ddd"
    assert declared("ddd", 600, []) == "ddd"


def test_where_windows_overlap_exclude_wins_over_up_and_that_over_as_is() -> None:
    windows = [
        Maintenance(0, 240, Counting.COUNT_AS_IS),
        Maintenance(60, 240, Counting.COUNT_UP),
        Maintenance(120, 180, Counting.EXCLUDE),
    ]
    assert declared("dddd", 0, windows) == "dwDw"
    assert declared("dddd", 0, windows[::-1]) == "dwDw"
    assert declared("w", 0, [Maintenance(0, 60)]) == "m"


@given(
    st.text(CODES),
    st.lists(st.builds(Maintenance, st.integers(0, 900), st.integers(0, 900), st.sampled_from(Counting))),
)
def test_maintenance_never_makes_a_round_fail_or_due(codes: str, windows: list[Maintenance]) -> None:
    before, after = tally(codes), tally(declared(codes, 0, windows))
    assert after.fail <= before.fail
    assert after.due <= before.due
    assert after.due + after.excluded == before.due + before.excluded
