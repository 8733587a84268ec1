from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.history.slo import RULES, WINDOWS_S, budget_left, burns, objective
from lookout.history.uptime import Tally


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("99.9%", Fraction(999, 1000)),
        (" 99.95% ", Fraction(9995, 10000)),
        ("100%", None),
        ("0%", None),
        ("", None),
        ("1/0%", None),
        ("many", None),
    ],
)
def test_objective(text: str, value: Fraction | None) -> None:
    assert objective(text) == value


def test_what_is_left_of_the_budget_is_exact() -> None:
    assert budget_left(Tally(ok=43_200), "99.9%") == 1
    assert budget_left(Tally(ok=99_950, fail=50), "99.9%") == Fraction(1, 2)
    assert budget_left(Tally(ok=998, fail=2), "99.9%") == -1
    assert budget_left(Tally(unknown=60), "99.9%") is None
    assert budget_left(Tally(ok=1), "no") is None


def test_the_rules_are_those_of_the_workbook() -> None:
    assert [(r.name, r.long_s, r.short_s, r.threshold, r.severity) for r in RULES] == [
        ("1h", 3600, 300, Fraction(144, 10), "page"),
        ("6h", 21600, 1800, 6, "page"),
        ("3d", 259200, 21600, 1, "ticket"),
    ]
    assert WINDOWS_S == (300, 1800, 3600, 21600, 259200)


def of_minutes(codes: str) -> dict[int, Tally]:
    """`codes` are the last minutes, newest last; before them all was well."""
    fails = [code == "d" for code in codes]
    return {w: Tally(w // 60 - sum(fails[-(w // 60) :]), sum(fails[-(w // 60) :])) for w in WINDOWS_S}


def burning(codes: str, slo: str = "99.9%") -> list[str]:
    return [burn.rule.name for burn in burns(of_minutes(codes), slo) if burn.burning]


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("", []),
        ("d", ["1h"]),
        ("d" + "u" * 5, []),
        ("d" * 3 + "u" * 5, ["6h"]),
        ("d" * 5, ["1h", "6h", "3d"]),
        ("d" * 5 + "u" * 5, ["6h", "3d"]),
        ("d" * 5 + "u" * 30, ["3d"]),
        ("d" * 5 + "u" * 360, []),
    ],
)
def test_both_windows_must_burn(codes: str, expected: list[str]) -> None:
    assert burning(codes) == expected


def test_a_lower_objective_burns_more_slowly() -> None:
    assert burning("d" * 5, "99%") == []
    assert burning("d" * 9, "99%") == ["1h"]
    assert burns({}, "never") == ()


def test_without_data_nothing_burns() -> None:
    for burn in burns({3600: Tally(fail=60)}, "99.9%"):
        assert not burn.burning
    assert [burn.long_rate for burn in burns({}, "99.9%")] == [None, None, None]


@given(st.integers(0, 60), st.integers(1, 9999))
def test_rates_are_exact(failed: int, parts: int) -> None:
    rate = burns({3600: Tally(60 - failed, failed)}, f"{parts // 100}.{parts % 100:02d}%")[0].long_rate
    assert rate == Fraction(failed, 60) / (1 - Fraction(parts, 10_000))
