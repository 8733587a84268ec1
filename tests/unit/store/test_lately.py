from __future__ import annotations

from collections.abc import Iterator

from lookout.history.chunk import DAY, HOUR, Chunk, Sample
from lookout.history.latency import Percentiles
from lookout.probe.result import Status
from lookout.store.lately import AT_ONCE, ROLLED_UP_S, LastHours, Lately

H = 1_790_000_000 // HOUR * HOUR
NOW = H + ROLLED_UP_S


class Archive:
    """Hours of every server: one probe of each of two regions, of as many ms as hours have passed since H - 2 days."""

    def __init__(self) -> None:
        self.read: list[tuple[str, int]] = []

    def each_chunk(self, slug: str, since: int, until: int, now: int) -> Iterator[Chunk]:
        for hour in range(since, until, HOUR):
            self.read.append((slug, hour))
            ms = (hour - H + 2 * DAY) // HOUR
            failed = Sample(1, Status.DOWN, 20_000, "deadline")
            yield Chunk(
                slug,
                hour,
                "u" * 60,
                {"a": (Sample(0, Status.UP, ms, None), failed), "b": (Sample(0, Status.UP, 500, None),)},
            )


def test_an_hour_is_read_once_and_counts_for_a_day() -> None:
    archive = Archive()
    hours = LastHours(archive)
    hours.begin(["x"])
    assert hours.of("x", NOW) == Lately(
        {"a": Percentiles(24, 35, 46, 47), "b": Percentiles(24, 500, 500, 500)}, Percentiles(48, 47, 500, 500)
    )
    assert len(archive.read) == 24
    hours.begin(["x"])
    assert hours.of("x", NOW + HOUR - 1).regions["a"] == Percentiles(24, 35, 46, 47)
    assert len(archive.read) == 24
    assert hours.of("x", NOW + HOUR).regions["a"] == Percentiles(24, 36, 47, 48)
    assert archive.read[24:] == [("x", H)]


def test_the_hour_that_is_perhaps_not_rolled_up_waits() -> None:
    hours = LastHours(Archive())
    hours.begin(["x"])
    assert hours.of("x", NOW - 1).regions["a"].p99 == 46


def test_an_hour_that_was_rolled_up_late_is_read_an_hour_later() -> None:
    class Late(Archive):
        until = H - 2 * HOUR

        def each_chunk(self, slug: str, since: int, until: int, now: int) -> Iterator[Chunk]:
            return super().each_chunk(slug, since, min(until, self.until), now)

    archive = Late()
    hours = LastHours(archive)
    hours.begin(["x"])
    assert hours.of("x", NOW).regions["a"].probes == 22
    archive.until = H + HOUR
    assert hours.of("x", NOW + 600).regions["a"].probes == 22
    assert hours.of("x", NOW + HOUR).regions["a"].probes == 24


def test_some_servers_are_read_in_a_minute_and_the_others_in_the_next() -> None:
    slugs = [f"s{i}" for i in range(AT_ONCE + 1)]
    archive = Archive()
    hours = LastHours(archive)
    hours.begin(slugs)
    assert [slug for slug in slugs if hours.of(slug, NOW) == Lately()] == [slugs[-1]]
    hours.begin(slugs)
    assert all(hours.of(slug, NOW + 60) != Lately() for slug in slugs)
    assert len(archive.read) == 24 * (AT_ONCE + 1)


def test_a_server_that_is_gone_is_forgotten() -> None:
    archive = Archive()
    hours = LastHours(archive)
    hours.begin(["x"])
    hours.of("x", NOW)
    hours.begin([])
    hours.begin(["x"])
    hours.of("x", NOW)
    assert len(archive.read) == 48


def test_where_nothing_answered_nothing_is_known() -> None:
    class Empty(Archive):
        def each_chunk(self, slug: str, since: int, until: int, now: int) -> Iterator[Chunk]:
            return iter(())

    hours = LastHours(Empty())
    hours.begin(["x"])
    assert hours.of("x", NOW) == Lately({}, None)
