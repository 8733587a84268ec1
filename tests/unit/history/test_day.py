from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from lookout.history.chunk import DAY, HOUR, Chunk, Sample
from lookout.history.day import QUARTER, DaySummary, sketches, summarise
from lookout.history.latency import Percentiles, Sketch, bucket, largest, merge, nearest_rank, percentiles
from lookout.history.uptime import Tally, tally, total
from lookout.probe.result import Status

from tests.reference import uptime as naive
from tests.unit.history.strategies import CODES, H, milliseconds

D = H // DAY * DAY


def hour(index: int, codes: str, day: int = D) -> Chunk:
    return Chunk("x", day + HOUR * index, codes.ljust(60, "."), {})


def test_a_day_is_the_sum_of_its_chunks_and_says_which() -> None:
    hours = [hour(1, "u" * 59 + "d"), hour(0, "u" * 59 + "d")]
    strangers = [Chunk("x", D - HOUR, "d" * 60, {}), Chunk("x", D + DAY, "d" * 60, {})]
    summary = summarise("x", D, hours + strangers)
    assert summary.tally == Tally(ok=118, fail=2)
    assert summary.hours == (D, D + HOUR)
    assert summary.quarters[:4] == (Tally(ok=15), Tally(ok=15), Tally(ok=15), Tally(ok=14, fail=1))


def test_hours_that_were_looked_at_in_vain_are_done_too() -> None:
    summary = summarise("x", D, [hour(5, "u")], done=[D, D + HOUR, D - HOUR, D + DAY])
    assert summary.hours == (D, D + HOUR, D + 5 * HOUR)
    assert summary.first == D + 5 * HOUR
    assert summarise("x", D, [], done=[D]).tally == Tally()
    assert DaySummary("x", D, Tally(ok=5), (D,)).first == D


@given(st.lists(st.text(CODES, min_size=60, max_size=60), min_size=24, max_size=24), st.data())
def test_any_quarters_of_a_day_add_up_to_its_minutes(lines: list[str], data: st.DataObject) -> None:
    summary = summarise("x", D, [hour(i, line) for i, line in enumerate(lines)])
    since, until = (D + QUARTER * data.draw(st.integers(0, 96)) for _ in range(2))
    minutes = "".join(lines)[(since - D) // 60 : (until - D) // 60]
    found = summary.between(since, until)
    assert found == tally(minutes)
    assert (found.uptime, found.coverage) == (naive.uptime(minutes), naive.coverage(minutes))


def test_a_summary_of_version_1_counts_where_its_noon_is() -> None:
    old = DaySummary("x", D, Tally(ok=1440), ())
    assert old.between(D, D + DAY) == old.tally
    shifted = [old.between(D + 5 * HOUR + n * DAY, D + 5 * HOUR + (n + 1) * DAY) for n in (-1, 0, 1)]
    assert total(shifted) == old.tally


def test_incidents_of_a_day_are_counted_and_their_seconds_once() -> None:
    spans = [(D - 60, D + 60), (D + 30, D + 90), (D + 3 * HOUR, 1 << 62), (D - 900, D - 800)]
    summary = summarise("x", D, [hour(3, "d" * 60)], spans)
    assert (summary.incidents, summary.incident_s) == (3, 90 + HOUR)


def test_latency_is_of_probes_that_completed() -> None:
    samples = tuple(Sample(i, Status.UP if i < 59 else Status.DOWN, 100 + i, None) for i in range(60))
    chunk = Chunk("x", D, "u" * 60, {"a": samples, "b": (samples[59],)})
    assert summarise("x", D, [chunk]).latency == {"a": Percentiles(59, 129, 156, 158)}
    assert sketches(D, [chunk]).keys() == {"a"}
    assert sketches(D + DAY, [chunk]) == {}


# --- percentiles ---------------------------------------------------------------------------------------------------


@given(st.lists(milliseconds, min_size=1), st.integers(1, 100))
def test_a_percentile_is_the_nearest_rank(values: list[int], percent: int) -> None:
    assert nearest_rank(sorted(values), percent) == naive.percentile(values, percent)


def test_no_probes_have_no_percentiles() -> None:
    assert percentiles([]) is None
    assert Sketch().percentiles is None


@given(st.integers(0, 1 << 40))
def test_a_bucket_holds_its_values_within_a_32nd(value: int) -> None:
    top = largest(bucket(value))
    assert value <= top
    assert top == value or Fraction(top - value, value) < Fraction(1, 32)
    assert bucket(top) == bucket(value) == bucket(top + 1) - 1


@given(st.lists(st.lists(milliseconds, max_size=40), min_size=1, max_size=8))
def test_merged_sketches_are_the_sketch_of_all_and_keep_their_bound(days: list[list[int]]) -> None:
    merged = merge({"a": Sketch.of(values)} for values in days)["a"]
    everything = [value for values in days for value in values]
    assert merged == Sketch.of(everything) == merge({"a": Sketch.of(v)} for v in reversed(days))["a"]
    found, exact = merged.percentiles, percentiles(everything)
    if exact is None:
        assert found is None
        return
    assert found is not None
    assert found.probes == exact.probes
    for ours, true in ((found.p50, exact.p50), (found.p95, exact.p95), (found.p99, exact.p99)):
        assert ours == true or true <= ours < true + Fraction(true, 32)
