from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.history.uptime import OUTCOME_CODES, Tally, percent, tally, total

CODES = "".join(OUTCOME_CODES.values()) + "."


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
