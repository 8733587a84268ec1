"""When a digest is due: moments in local time, days of 23 and 25 hours, and no second twice or left out."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lookout.config.digest import Digest
from lookout.config.load import parse_config
from lookout.config.model import Sink
from lookout.config.quiet import WEEKDAYS

BERLIN = "Europe/Berlin"
MORNING = Digest("daily", 8, BERLIN)
MONDAY = Digest("weekly", 9, BERLIN, "mon")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("digest", "now", "begin", "end"),
    [
        (MORNING, "2026-12-04T08:00:00+01:00", "2026-12-03T08:00:00+01:00", "2026-12-04T08:00:00+01:00"),
        (MORNING, "2026-12-04T07:59:59+01:00", "2026-12-02T08:00:00+01:00", "2026-12-03T08:00:00+01:00"),
        # The nights in which clocks are turned: 23 hours, and 25.
        (MORNING, "2026-03-29T08:04:00+02:00", "2026-03-28T08:00:00+01:00", "2026-03-29T08:00:00+02:00"),
        (MORNING, "2026-10-25T08:04:00+01:00", "2026-10-24T08:00:00+02:00", "2026-10-25T08:00:00+01:00"),
        # An hour that is leapt over is where it lands; of one that comes twice it is the first.
        (
            Digest("daily", 2, BERLIN),
            "2026-03-29T12:00:00+02:00",
            "2026-03-28T02:00:00+01:00",
            "2026-03-29T03:00:00+02:00",
        ),
        (
            Digest("daily", 2, BERLIN),
            "2026-10-25T12:00:00+01:00",
            "2026-10-24T02:00:00+02:00",
            "2026-10-25T02:00:00+02:00",
        ),
        (Digest("daily", 0, "Asia/Kolkata"), "2026-12-04T00:00:00Z", "2026-12-02T18:30:00Z", "2026-12-03T18:30:00Z"),
        # 2026-12-07 is a Monday.
        (MONDAY, "2026-12-07T09:04:00+01:00", "2026-11-30T09:00:00+01:00", "2026-12-07T09:00:00+01:00"),
        (MONDAY, "2026-12-07T08:59:59+01:00", "2026-11-23T09:00:00+01:00", "2026-11-30T09:00:00+01:00"),
        (MONDAY, "2026-12-06T23:00:00+01:00", "2026-11-23T09:00:00+01:00", "2026-11-30T09:00:00+01:00"),
        (MONDAY, "2026-10-26T09:00:00+01:00", "2026-10-19T09:00:00+02:00", "2026-10-26T09:00:00+01:00"),
        # Samoa had no Friday, 30 December 2011.
        (
            Digest("daily", 8, "Pacific/Apia"),
            "2011-12-31T20:00:00+14:00",
            "2011-12-29T08:00:00-10:00",
            "2011-12-31T08:00:00+14:00",
        ),
        (
            Digest("weekly", 8, "Pacific/Apia", "sat"),
            "2012-01-06T20:00:00+14:00",
            "2011-12-24T08:00:00-10:00",
            "2011-12-31T08:00:00+14:00",
        ),
    ],
)
def test_the_newest_moment_and_the_one_before(digest: Digest, now: str, begin: str, end: str) -> None:
    newest = digest.last(at(now))
    assert (digest.before(newest), newest) == (at(begin), at(end))


@given(
    st.builds(
        Digest,
        st.just("weekly"),
        st.integers(0, 23),
        st.sampled_from(("UTC", BERLIN, "America/Santiago", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo")),
        st.sampled_from(("", *WEEKDAYS)),
    ),
    st.integers(at("2020-01-01T00:00:00Z"), at("2030-01-01T00:00:00Z")),
)
def test_moments_follow_one_another_and_each_is_a_quarter_of_an_hour(digest: Digest, now: int) -> None:
    newest = digest.last(now)
    before = digest.before(newest)
    assert before < newest <= now
    assert {digest.last(moment) for moment in (before, newest - 1)} == {before}
    assert digest.last(newest) == newest
    hours = 24 * (7 if digest.on else 1)
    assert abs(newest - before - hours * 3600) <= 3600
    assert newest % 900 == before % 900 == 0


HEAD = """home: us-east-1
regions: [us-west-2]
timezone: Asia/Tokyo
servers: [{slug: a, url: "https://a.example/mcp"}]
sinks:
  team:
    slack: secret:x
    digests: """


@pytest.mark.parametrize(
    ("text", "digests"),
    [
        ("[daily]", (Digest("daily", 8, "Asia/Tokyo"),)),
        ("[weekly, daily]", (Digest("weekly", 8, "Asia/Tokyo", "mon"), Digest("daily", 8, "Asia/Tokyo"))),
        (
            "[{every: weekly, on: friday, at: 17:00, timezone: Europe/Berlin}]",
            (Digest("weekly", 17, BERLIN, "fri"),),
        ),
        ('[{every: daily, at: "00:00"}]', (Digest("daily", 0, "Asia/Tokyo"),)),
    ],
)
def test_what_a_file_means(text: str, digests: tuple[Digest, ...]) -> None:
    (sink,) = parse_config(HEAD + text).site.sinks
    assert sink.digests == digests
    assert Sink.from_item(sink.to_item()) == sink


def test_a_sink_without_digests_is_stored_as_it_was() -> None:
    assert "digests" not in Sink("team", "slack", "secret:x").to_item()


def test_another_rule_is_another_text() -> None:
    rules = {MORNING.rule, MONDAY.rule, Digest("daily", 9, BERLIN).rule, Digest("daily", 8, "UTC").rule}
    assert len(rules) == 4
    assert MONDAY.rule == "weekly mon 09 Europe/Berlin"
