"""What a warm process remembers of the verdicts: each hour is read once, when it is over; the newest ones first."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from lookout.errors import StoreError
from lookout.history.chunk import HOUR
from lookout.store.minutes import AT_ONCE, LATE_S, Minutes
from lookout.verdict.schedule import HORIZON_S

H = 1_790_000_000 // HOUR * HOUR
NOW = H + 1230
"""Twenty minutes past, and a half."""
ALL = 72 * 60 + 21
"""Minutes of three days, and of the running hour."""


class Verdicts:
    """Every shard is judged up to a minute; server `a` of each is down in the first minute of every hour."""

    def __init__(self, judged: int = NOW - 90) -> None:
        self.judged = judged // 60 * 60
        self.read: list[tuple[str, int]] = []
        self.broken: set[str] = set()

    def verdicts(self, shard: str, hour: int, now: int) -> dict[int, Mapping[str, str]]:
        self.read.append((shard, (hour - H) // HOUR))
        if shard in self.broken:
            raise StoreError("away")
        return {m: {"a": "u" if m % HOUR else "d", "b": "g"} for m in range(hour, hour + HOUR, 60) if m <= self.judged}


def test_three_days_are_read_once_and_then_the_running_hour() -> None:
    store, minutes = Verdicts(), Minutes()
    assert minutes.read(store, {"s0"}, NOW) == []
    assert store.read == [("s0", -age) for age in range(73)]
    hour = "d" + "u" * 59
    assert minutes.of("s0", "a", NOW) == hour * 72 + "d" + "u" * 19 + "."
    assert minutes.of("s0", "b", NOW) == "g" * (ALL - 1) + "."
    assert minutes.of("s0", "new", NOW) == "." * ALL
    store.read.clear()
    store.judged += 60
    minutes.read(store, {"s0"}, NOW + 60)
    assert store.read == [("s0", 0)]
    assert minutes.of("s0", "a", NOW + 60) == hour * 72 + "d" + "u" * 20 + "."
    assert minutes.of("other", "a", NOW) == ""


def test_an_hour_is_over_when_a_later_minute_was_judged() -> None:
    store, minutes = Verdicts(H - 60), Minutes()
    minutes.read(store, {"s0"}, H + 60)
    for judged, again in ((H, [0, -1]), (H + LATE_S - 60, [0, -1]), (H + LATE_S, [0, -1]), (H + LATE_S, [0])):
        store.read.clear()
        store.judged = judged
        minutes.read(store, {"s0"}, H + LATE_S + 60)
        assert [hour for _, hour in store.read] == again


def test_a_judge_who_was_away_for_hours_is_read_until_he_has_caught_up() -> None:
    store, minutes = Verdicts(H - 5 * HOUR), Minutes()
    minutes.read(store, {"s0"}, NOW)
    assert minutes.of("s0", "b", NOW).endswith("g" + "." * (4 * 60 + 59 + 21))
    store.judged = NOW // 60 * 60
    store.read.clear()
    minutes.read(store, {"s0"}, NOW)
    assert [hour for _, hour in store.read] == [0, -1, -2, -3, -4, -5, -6]
    assert minutes.of("s0", "b", NOW) == "g" * ALL


def test_hours_too_old_to_be_judged_are_over() -> None:
    store, minutes = Verdicts(0), Minutes()
    minutes.read(store, {"s0"}, NOW)
    store.read.clear()
    minutes.read(store, {"s0"}, NOW)
    assert min(hour for _, hour in store.read) == -HORIZON_S // HOUR
    assert minutes.of("s0", "a", NOW) == "." * ALL


def test_a_process_that_starts_reads_the_newest_hours_of_all_first() -> None:
    shards = {f"s{n:02d}" for n in range(25)}
    store, minutes = Verdicts(), Minutes()
    minutes.read(store, shards, NOW)
    assert len(store.read) == 2 * 25 + AT_ONCE
    assert [len(minutes.of(f"s{n:02d}", "a", NOW)) for n in (0, 4, 5, 24)] == [
        60 * 5 + 21,
        60 * 5 + 21,
        60 * 4 + 21,
        60 * 4 + 21,
    ]
    ticks = 1
    while any(len(minutes.of(shard, "a", NOW)) < ALL for shard in shards):
        store.read.clear()
        minutes.read(store, shards, NOW)
        assert len(store.read) <= 25 + AT_ONCE
        ticks += 1
    assert ticks == -(-71 * 25 // AT_ONCE) == 23


def test_what_is_not_asked_for_any_more_is_forgotten() -> None:
    store, minutes = Verdicts(), Minutes()
    minutes.read(store, {"s0", "s1"}, NOW)
    minutes.read(store, {"s1"}, NOW)
    assert minutes.of("s0", "a", NOW) == ""
    assert len(minutes.of("s1", "a", NOW)) == ALL
    store.judged = NOW + HOUR
    minutes.read(store, {"s1"}, NOW + HOUR)
    assert len(minutes.of("s1", "a", NOW + HOUR)) == ALL


@pytest.mark.parametrize("broken", ["s0", "s1"])
def test_a_shard_that_cannot_be_read_keeps_nobody_waiting(broken: str) -> None:
    store, minutes = Verdicts(), Minutes()
    store.broken = {broken}
    (error,) = minutes.read(store, {"s0", "s1"}, NOW)
    assert str(error) == "away"
    assert {shard: len(minutes.of(shard, "a", NOW)) for shard in ("s0", "s1")} == {
        broken: 0,
        ({"s0", "s1"} - {broken}).pop(): ALL,
    }
    store.broken = set()
    assert minutes.read(store, {"s0", "s1"}, NOW) == []
    assert len(minutes.of(broken, "a", NOW)) == ALL
