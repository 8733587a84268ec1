from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.history.spans import clip, seconds, union, without
from lookout.history.uptime import uptime_time

from tests.reference import uptime as naive

spans = st.lists(st.tuples(st.integers(-5, 60), st.integers(-5, 60)), max_size=5)


def seen(found: list[tuple[int, int]]) -> set[int]:
    return {second for begin, end in found for second in range(begin, end)}


@given(spans, spans)
def test_spans_are_sets_of_seconds(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    assert seen(union(one)) == seen(one)
    assert seconds(one) == len(seen(one))
    assert seen(without(one, other)) == seen(one) - seen(other)
    assert seen(clip(one, 3, 40)) == {second for second in seen(one) if 3 <= second < 40}
    ends = [edge for span in union(one) for edge in span]
    assert ends == sorted(set(ends))


@given(st.integers(0, 10), st.integers(0, 60), spans, spans)
def test_uptime_by_time_equals_counting_seconds(
    since: int, until: int, incidents: list[tuple[int, int]], excluded: list[tuple[int, int]]
) -> None:
    assert uptime_time(since, until, incidents, excluded) == naive.uptime_time(since, until, incidents, excluded)


@pytest.mark.parametrize(
    ("incidents", "excluded", "expected"),
    [
        ([], [], 1),
        ([(0, 86_400 * 30)], [], 0),
        ([(60, 120)], [], 1 - Fraction(60, 86_400 * 30)),
        ([(60, 120)], [(0, 3600)], 1),
        ([(0, 86_400)], [(0, 43_200)], 1 - Fraction(43_200, 86_400 * 30 - 43_200)),
        ([], [(-5, 1 << 40)], None),
    ],
)
def test_uptime_by_time(
    incidents: list[tuple[int, int]], excluded: list[tuple[int, int]], expected: Fraction | None
) -> None:
    assert uptime_time(0, 86_400 * 30, incidents, excluded) == expected
