from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from lookout.history.chunk import HOUR, Chunk, Sample, build, join, never_due, outcome_line
from lookout.history.round import Round
from lookout.history.uptime import Tally
from lookout.probe.result import Layer, ProbeResult, Reason, Status

from tests.unit.history.strategies import H, chunks

DOWN = ProbeResult("acme", Status.DOWN, 0, Layer.HTTP, Reason.HTTP_5XX, timings_ms={"dns": 1.6, "total": 12.5})


def some_hour() -> tuple[dict[int, dict[str, str]], list[Round]]:
    verdicts = {H + 60 * i: {"acme": "u" if i < 50 else "d"} for i in range(60) if i != 7}
    found = [
        Round("s000", H + 60 * i, region, (ProbeResult("acme", Status.UP, 0, timings_ms={"total": 5.4}),))
        for region in ("b", "a")
        for i in (1, 0)
    ]
    found.append(Round("s000", H + HOUR, "a", (DOWN,)))
    found.append(Round("s000", H + 60, "c", ()))
    return verdicts, found


def test_a_chunk_is_the_same_in_whatever_order_rounds_came() -> None:
    verdicts, found = some_hour()
    chunk = build("acme", H, verdicts, found)
    assert chunk == build("acme", H, verdicts, list(reversed(found)))
    assert chunk.outcomes == "u" * 7 + "." + "u" * 42 + "d" * 10
    assert chunk.tally == Tally(ok=49, fail=10)
    assert chunk.samples == {r: (Sample(0, Status.UP, 5, None), Sample(1, Status.UP, 5, None)) for r in ("a", "b")}


def test_a_sample_keeps_the_phases_in_whole_milliseconds_and_why() -> None:
    (sample,) = build("acme", H, {}, [Round("s000", H + 120, "a", (DOWN,))]).samples["a"]
    assert sample == Sample(2, Status.DOWN, 12, "http_5xx", {"dns": 2})


def test_a_minute_nobody_judged_is_unknown_where_it_was_due_and_nothing_elsewhere() -> None:
    verdicts = {H: {"acme": "u"}, H + 60: {"other": "u"}}
    assert outcome_line(H, verdicts, "acme", lambda minute: minute % 120 == 0) == "u." + "?." * 29
    assert outcome_line(H, verdicts, "acme", never_due) == "u" + "." * 59


def test_an_hour_in_which_nothing_happened_is_empty() -> None:
    assert Chunk("acme", H, "." * 60, {}).empty
    assert not Chunk("acme", H, "?" + "." * 59, {}).empty
    assert not Chunk("acme", H, "." * 60, {"a": (Sample(0, Status.UP, 1, None),)}).empty


@given(chunks(), chunks(), chunks())
def test_joining_is_idempotent_commutative_and_associative(a: Chunk, b: Chunk, c: Chunk) -> None:
    assert join(a, a) == a
    assert join(a, b) == join(b, a)
    assert join(join(a, b), c) == join(a, join(b, c))
    assert join(join(a, b), b) == join(a, b)


@given(chunks(), chunks())
def test_joining_loses_no_minute(a: Chunk, b: Chunk) -> None:
    both = join(a, b)
    for source in (a, b):
        for region, found in source.samples.items():
            assert {s.minute for s in found} <= {s.minute for s in both.samples[region]}
    known = sum(x != "." or y != "." for x, y in zip(a.outcomes, b.outcomes, strict=True))
    assert sum(code != "." for code in both.outcomes) == known


def test_a_judged_minute_replaces_one_that_nobody_judged_and_phases_replace_none() -> None:
    with_phases = Sample(3, Status.UP, 90, None, {"dns": 1})
    old = Chunk("acme", H, "?" * 60, {"a": (replace(with_phases, phases={}),)})
    new = Chunk("acme", H, "." * 30 + "d" * 30, {"a": (with_phases,)})
    assert join(old, new) == Chunk("acme", H, "?" * 30 + "d" * 30, {"a": (with_phases,)})
