from hypothesis import given
from hypothesis import strategies as st
from lookout.history.uptime import Tally
from lookout.status import bars
from lookout.status.view import Day

counts = st.integers(min_value=0, max_value=1440)
tallies = st.builds(Tally, ok=counts, fail=counts, unknown=counts)


@given(tallies)
def test_grey_means_exactly_that_nothing_was_judged(tally: Tally) -> None:
    bar = bars.bars([Day("2026-08-22", tally)])[0]
    judged = tally.ok + tally.fail
    assert (bar.level == "none") == (judged == 0)
    assert (bar.height == 0) == (judged == 0)
    assert (bar.level == "full") == (judged > 0 and tally.fail == 0)
    assert bar.tick == (tally.fail > 0)
    assert bar.y + bar.height == bars.HEIGHT
    if judged == 0:
        assert "%" not in bar.label
    elif tally.fail:
        assert " 100% uptime" not in bar.label


def test_labels_say_the_day_the_failures_and_the_coverage() -> None:
    days = [
        Day("2026-08-20", Tally()),
        Day("2026-08-21", Tally(ok=700, fail=1, unknown=739, degraded=1)),
        Day("2026-08-22", Tally(ok=5)),
        Day("2026-08-23", Tally(excluded=60)),
        Day("2026-08-24", Tally(ok=1380, excluded=60)),
    ]
    assert [bar.label for bar in bars.bars(days)] == [
        "20 Aug 2026: no data",
        "21 Aug 2026: 99.85% uptime (1 of 701 rounds failed), 1 round degraded, 48.6% covered, less than half the day",
        "22 Aug 2026: 100% uptime",
        "23 Aug 2026: maintenance, not counted",
        "24 Aug 2026: 100% uptime, 60 rounds in maintenance not counted",
    ]
    assert [bar.level for bar in bars.bars(days)] == ["none", "high", "full", "none", "full"]
    assert bars.in_words(days) == "Last 5 days: 1 day with failed rounds, 2 days without data"


def test_levels() -> None:
    assert bars.level(Tally(ok=95, fail=5)) == "mid"
    assert bars.level(Tally(ok=94, fail=6)) == "low"
    assert bars.level(Tally(fail=1)) == "low"
